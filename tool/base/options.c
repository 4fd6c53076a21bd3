// SPDX-License-Identifier: GPL-2.0-only
/* Options on the command line, and messages about wrong ones. */
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "exit_codes.h"
#include "options.h"
#include "printable.h"
#include "words.h"

int usage_error(const char *command, const char *format, ...)
{
	const char *blank = *command ? " " : "";
	char text[1024];
	size_t len;
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	len = strlen(text);
	fprintf(stderr, "regpin%s%s: %s%s 'regpin%s%s --help'\n", blank, command,
		printable(text), len && text[len - 1] == '?' ? " Try" : "; try",
		blank, command);
	return EXIT_USAGE;
}

/* The long option whose value is @value. */
static const struct option *by_value(const struct option *longs, int value)
{
	for (; longs->name; longs++)
		if (longs->val == value)
			return longs;
	return NULL;
}

static bool is_ambiguous(const struct option *longs, const char *name,
			 size_t len)
{
	unsigned int nr = 0;

	for (; longs->name; longs++)
		nr += !strncmp(longs->name, name, len);
	return nr > 1;
}

/* Reports an unknown long option: @word is "--jsn" or "--jsn=1". */
static void unknown_long(const char *command, const char *word,
			 const struct option *longs)
{
	size_t len = strcspn(word + 2, "=");
	char name[64];
	struct nearest nearest;

	if (len && is_ambiguous(longs, word + 2, len)) {
		usage_error(command, "the option %s is the beginning of several: write it in full",
			    show(word).text);
		return;
	}
	snprintf(name, sizeof(name), "%.*s", (int)len, word + 2);
	nearest_begin(&nearest, name);
	for (const struct option *o = longs; o->name; o++)
		nearest_try(&nearest, o->name);
	if (nearest.best)
		usage_error(command, "there is no option %s; did you mean '--%s'?",
			    show(word).text, nearest.best);
	else
		usage_error(command, "there is no option %s", show(word).text);
}

static void complain(const char *command, char **argv, int c,
		     const struct option *longs)
{
	const struct option *option = optopt ? by_value(longs, optopt) : NULL;
	const char *word = argv[optind - 1];

	if (c == ':' && option)
		usage_error(command, "the option '--%s' needs a value",
			    option->name);
	else if (option && !strncmp(word, "--", 2))
		usage_error(command, "the option '--%s' takes no value",
			    option->name);
	else if (optopt && argv[optind] && argv[optind][0] == '-' &&
		 argv[optind][1] == (char)optopt && argv[optind][2])
		usage_error(command, "there is no option %s: long options begin with two hyphens",
			    show(argv[optind]).text);
	else if (optopt)
		usage_error(command, "there is no option '-%s'",
			    printable((const char[]){ (char)optopt, 0 }));
	else
		unknown_long(command, word, longs);
}

/* An option given twice is an error, because the first value may be the intended one. */
static int first_time(const char *command, int c, const struct option *longs,
		      bool seen[UCHAR_MAX + 1])
{
	const struct option *option = by_value(longs, c);

	if (c < 0 || c > UCHAR_MAX)
		return c;
	if (!seen[c]) {
		seen[c] = true;
		return c;
	}
	usage_error(command, "the option '%s%.*s' is given twice",
		    option ? "--" : "-", option ? 64 : 1,
		    option ? option->name : (const char[]){ (char)c, 0 });
	return '?';
}

int option_next(const char *command, int argc, char **argv, const char *shorts,
		const struct option *longs)
{
	static bool seen[UCHAR_MAX + 1];
	char quiet[32];
	int c;

	if (!optind)	/* getopt begins again */
		memset(seen, 0, sizeof(seen));
	/* ':' makes getopt return a code of its own for missing values; '+' must be first. */
	snprintf(quiet, sizeof(quiet), "%s:%s", *shorts == '+' ? "+" : "",
		 *shorts == '+' ? shorts + 1 : shorts);
	opterr = 0;
	c = getopt_long(argc, argv, quiet, longs, NULL);
	if (c != '?' && c != ':')
		return first_time(command, c, longs, seen);
	complain(command, argv, c, longs);
	return '?';
}
