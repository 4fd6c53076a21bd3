/* SPDX-License-Identifier: GPL-2.0-only */
/* Options on the command line, and what is printed about wrong ones. */
#ifndef REGPIN_TOOL_OPTIONS_H
#define REGPIN_TOOL_OPTIONS_H

#include <getopt.h>

/*
 * getopt_long() with messages of its own, for @command ("check"; "": regpin itself).
 * @shorts must not begin with a colon, and optind is to be 0 before the first call. An
 * option may be given once. Returns '?' for what is wrong: by then the
 * message with its reason is printed, and so is the nearest option.
 */
int option_next(const char *command, int argc, char **argv, const char *shorts,
		const struct option *longs);

/*
 * Prints one line about a wrong command line of @command, and where its help is:
 * "regpin check: TEXT; try 'regpin check --help'". Returns EXIT_USAGE.
 */
int usage_error(const char *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
