/* SPDX-License-Identifier: GPL-2.0-only */
/* The subcommands of regpin: one file and one struct cmd for each. */
#ifndef REGPIN_TOOL_CMD_H
#define REGPIN_TOOL_CMD_H

/* Exit codes of regpin; `run` adds those of a shell's exec, and has no EXIT_FILE. */
enum {
	EXIT_OK = 0,
	EXIT_REJECTED = 1,	/* the policy is wrong */
	EXIT_USAGE = 2,		/* the command line is wrong */
	EXIT_HOST = 3,		/* this host can't do what was asked */
	EXIT_FILE = 4,		/* a file can't be read or written */
	EXIT_DEGRADED = 5,	/* probe: it starts, and not all is enforced */
	EXIT_RUN = 125,		/* run: regpin itself failed */
	EXIT_CANNOT_EXEC = 126,	/* run: the VMM was found but not started */
	EXIT_NOT_FOUND = 127,	/* run: there is no such VMM */
};

/**
 * struct cmd - a subcommand
 * @name: what follows "regpin" on the command line
 * @main: called with argv[0] = "regpin NAME"; resets getopt by optind = 0 itself;
 *	returns one of the exit codes
 * @help: one line for `regpin help`
 */
struct cmd {
	const char *name;
	int (*main)(int argc, char **argv);
	const char *help;
};

extern const struct cmd cmd_check;
extern const struct cmd cmd_compile;
extern const struct cmd cmd_run;
extern const struct cmd cmd_probe;
extern const struct cmd cmd_explain;
extern const struct cmd cmd_sim;
extern const struct cmd cmd_regs;
extern const struct cmd cmd_ctl;

#endif
