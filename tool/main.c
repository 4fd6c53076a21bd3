// SPDX-License-Identifier: GPL-2.0-only
/* regpin: the table of subcommands, and what comes before a subcommand. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "regpin/regpin.h"

#include "base/exit_codes.h"
#include "base/options.h"
#include "base/words.h"
#include "cmd/cmd.h"
#include "ctl/ctl_command.h"

static const struct cmd *const cmds[] = {
	&cmd_check,
	&cmd_compile,
	&cmd_run,
	&cmd_probe,
	&cmd_explain,
	&cmd_diff,
	&cmd_sim,
	&cmd_regs,
	&cmd_policies,
	&cmd_list,
	&cmd_ctl,
};

#define NR_CMDS	(sizeof(cmds) / sizeof(cmds[0]))

static void print_help(FILE *file)
{
	fputs("usage: regpin COMMAND [OPTIONS] [ARGUMENTS]\n"
	      "       regpin help [COMMAND]\n"
	      "       regpin version\n"
	      "\n"
	      "regpin decides in userspace what a KVM guest may do with its registers.\n"
	      "\n"
	      "commands:\n", file);
	for (size_t i = 0; i < NR_CMDS; i++)
		fprintf(file, "  %-10s %s\n", cmds[i]->name, cmds[i]->help);
	fputs("  help       print this text, or the help of a COMMAND\n"
	      "  version    print regpin's version\n"
	      "\n"
	      "'regpin COMMAND --help' prints the same as 'regpin help COMMAND'; each has\n"
	      "examples.\n"
	      "Exit status: 0 done, 1 the policy is wrong or a request was refused, 2 the\n"
	      "command line is wrong, 3 this host can't do it, 4 a file can't be read or\n"
	      "written; for all of them see EXIT STATUS in regpin(1).\n"
	      "Manual: regpin(1), and regpin-policy(5) for the language of policies.\n",
	      file);
}

/* The output is the result, so a failed write (a full disk) must not pass for success. */
static int flush(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "regpin: the output could not be written: %s\n",
		strerror(errno));
	return status && status != EXIT_DEGRADED ? status : EXIT_FILE;
}

static const struct cmd *find(const char *name)
{
	for (size_t i = 0; i < NR_CMDS; i++)
		if (strcmp(name, cmds[i]->name) == 0)
			return cmds[i];
	return NULL;
}

static int unknown(const char *name)
{
	struct nearest nearest;

	if (ctl_command_exists(name))
		return usage_error("", "there is no command '%s'; did you mean 'regpin ctl NAME %s'?",
				   name, name);
	nearest_begin(&nearest, name);
	for (size_t i = 0; i < NR_CMDS; i++)
		nearest_try(&nearest, cmds[i]->name);
	nearest_try(&nearest, "help");
	nearest_try(&nearest, "version");
	return usage_error("", "there is no command %s%s", show(name).text,
			   nearest_hint(&nearest).text);
}

static int run_cmd(const struct cmd *cmd, int argc, char **argv)
{
	static char title[32];

	/* getopt and usage messages begin with this. */
	snprintf(title, sizeof(title), "regpin %s", cmd->name);
	argv[0] = title;
	optind = 0;
	return flush(cmd->main(argc, argv));
}

/* help [COMMAND] */
static int help(const char *name, const char *more)
{
	char option[] = "--help", none[] = "";
	char *argv[] = { none, option, NULL };
	const struct cmd *cmd;

	if (more)
		return usage_error("", "unexpected argument %s: 'help' takes one command",
				   show(more).text);
	if (!name || !strcmp(name, "help") || !strcmp(name, "version")) {
		print_help(stdout);
		return flush(EXIT_OK);
	}
	cmd = find(name);
	return cmd ? run_cmd(cmd, 2, argv) : unknown(name);
}

static int version(const char *more)
{
	if (more)
		return usage_error("", "unexpected argument %s: 'version' takes none",
				   show(more).text);
	printf("regpin %s\n", regpin_version());
	return flush(EXIT_OK);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	const struct cmd *cmd;
	char **words;
	int c;

	c = option_next("", argc, argv, "+hV", options);
	words = argv + optind;
	if (c == 'h')
		return help(words[0], words[0] ? words[1] : NULL);
	if (c == 'V')
		return version(words[0]);
	if (c != -1)
		return EXIT_USAGE;
	if (!words[0]) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(words[0], "help"))
		return help(words[1], words[1] ? words[2] : NULL);
	if (!strcmp(words[0], "version"))
		return version(words[1]);
	cmd = find(words[0]);
	return cmd ? run_cmd(cmd, argc - optind, words) : unknown(words[0]);
}
