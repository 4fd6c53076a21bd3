/* SPDX-License-Identifier: GPL-2.0-only */
/* What regpin's subcommands return. */
#ifndef REGPIN_TOOL_EXIT_CODES_H
#define REGPIN_TOOL_EXIT_CODES_H

/* Exit codes of regpin; `run` adds those of a shell's exec, and has no EXIT_FILE. */
enum {
	EXIT_OK = 0,
	EXIT_REJECTED = 1,	/* the policy is wrong */
	EXIT_USAGE = 2,		/* the command line is wrong */
	EXIT_HOST = 3,		/* this host can't do what was asked */
	EXIT_FILE = 4,		/* a file can't be read or written, or no memory is left */
	EXIT_DEGRADED = 5,	/* probe: it starts, and not all is enforced */
	EXIT_RUN = 125,		/* run: regpin itself failed */
	EXIT_CANNOT_EXEC = 126,	/* run: the VMM was found but not started */
	EXIT_NOT_FOUND = 127,	/* run: there is no such VMM */
};

#endif
