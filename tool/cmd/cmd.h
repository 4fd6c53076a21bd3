/* SPDX-License-Identifier: GPL-2.0-only */
/* The subcommands of regpin: one file and one struct cmd for each. */
#ifndef REGPIN_TOOL_CMD_H
#define REGPIN_TOOL_CMD_H

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
extern const struct cmd cmd_diff;
extern const struct cmd cmd_sim;
extern const struct cmd cmd_regs;
extern const struct cmd cmd_ctl;

#endif
