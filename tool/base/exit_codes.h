/* SPDX-License-Identifier: GPL-2.0-only */
/* Exit codes of regpin's subcommands. */
#ifndef REGPIN_TOOL_EXIT_CODES_H
#define REGPIN_TOOL_EXIT_CODES_H

/* `run` adds the codes of a shell's exec, and does not use EXIT_FILE. */
enum {
	EXIT_OK = 0,
	EXIT_REJECTED = 1,	/* the policy is wrong */
	EXIT_USAGE = 2,		/* the command line is wrong */
	EXIT_HOST = 3,		/* this host can't do what was asked */
	EXIT_FILE = 4,		/* a file can't be read or written, or no memory is left */
	EXIT_DEGRADED = 5,	/* probe: the VM starts, but not all rules are enforced */
	EXIT_RUN = 125,		/* run: regpin itself failed */
	EXIT_CANNOT_EXEC = 126,	/* run: the VMM was found but not started */
	EXIT_NOT_FOUND = 127,	/* run: there is no such VMM */
};

#endif
