// SPDX-License-Identifier: GPL-2.0-only
/* regpin: the table of subcommands, and what comes before a subcommand. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "regpin/regpin.h"

#include "cmd.h"

static const struct cmd *const cmds[] = {
	&cmd_check,
	&cmd_compile,
	&cmd_run,
	&cmd_probe,
	&cmd_explain,
	&cmd_sim,
	&cmd_regs,
	&cmd_ctl,
};

#define NR_CMDS	(sizeof(cmds) / sizeof(cmds[0]))

static void print_help(FILE *file)
{
	fputs("usage: regpin COMMAND [OPTIONS] [ARGUMENTS]\n"
	      "       regpin --help | --version\n"
	      "\n"
	      "regpin decides in userspace what a KVM guest may do with its registers.\n"
	      "\n"
	      "commands:\n", file);
	for (size_t i = 0; i < NR_CMDS; i++)
		fprintf(file, "  %-10s %s\n", cmds[i]->name, cmds[i]->help);
	fputs("\n"
	      "'regpin COMMAND --help' tells a command's options; see also regpin(1)\n"
	      "and, for what a policy can say, regpin-policy(5).\n", file);
}

/* What was printed is the result: a full disk must not pass for success. */
static int flush(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "regpin: the output could not be written: %s\n",
		strerror(errno));
	return status ? status : EXIT_REJECTED;
}

static int run_cmd(int argc, char **argv)
{
	static char title[32];

	for (size_t i = 0; i < NR_CMDS; i++) {
		if (strcmp(argv[0], cmds[i]->name) == 0) {
			/* getopt begins its messages with this. */
			snprintf(title, sizeof(title), "regpin %s", argv[0]);
			argv[0] = title;
			optind = 0;
			return flush(cmds[i]->main(argc, argv));
		}
	}
	fprintf(stderr,
		"regpin: there is no command '%s'; 'regpin --help' lists them\n",
		argv[0]);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "+hV", options, NULL)) != -1) {
		switch (c) {
		case 'h':
			print_help(stdout);
			return flush(EXIT_OK);
		case 'V':
			printf("regpin %s\n", regpin_version());
			return flush(EXIT_OK);
		default:
			print_help(stderr);
			return EXIT_USAGE;
		}
	}
	if (optind == argc) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[optind], "help") == 0) {
		print_help(stdout);
		return flush(EXIT_OK);
	}
	return run_cmd(argc - optind, argv + optind);
}
