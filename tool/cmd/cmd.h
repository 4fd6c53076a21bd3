/* SPDX-License-Identifier: GPL-2.0-only */
/* The subcommands of regpin: one file and one struct cmd for each. */
#ifndef REGPIN_TOOL_CMD_H
#define REGPIN_TOOL_CMD_H

/**
 * struct cmd - a subcommand
 * @name: the word after "regpin" on the command line
 * @main: is called with argv[0] = "regpin NAME", sets optind to 0, and returns an exit code
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
extern const struct cmd cmd_policies;
extern const struct cmd cmd_list;
extern const struct cmd cmd_ctl;

#endif
