/* SPDX-License-Identifier: GPL-2.0-only */
/* Options on the command line, and messages about wrong ones. */
#ifndef REGPIN_TOOL_OPTIONS_H
#define REGPIN_TOOL_OPTIONS_H

#include <getopt.h>

/*
 * getopt_long() with messages of its own, for @command ("check"; "": regpin itself). The
 * caller sets optind to 0 before the first call, and @shorts must not begin with a colon.
 * Each option may be given once. Returns '?' for a wrong option, after a message with the
 * reason and the nearest option.
 */
int option_next(const char *command, int argc, char **argv, const char *shorts,
		const struct option *longs);

/*
 * Prints one line about a wrong command line of @command, with a hint at its help:
 * "regpin check: TEXT; try 'regpin check --help'". Returns EXIT_USAGE.
 */
int usage_error(const char *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
