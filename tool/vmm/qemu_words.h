/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Splits command lines and configuration files into words as QEMU does. The meaning of the
 * words is in qemu_options.h.
 */
#ifndef REGPIN_TOOL_QEMU_WORDS_H
#define REGPIN_TOOL_QEMU_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* QEMU's own limit: a longer name is a parse error. */
#define QEMU_NAME_MAX	64

/**
 * struct qemu_word - an option of the command line
 * @name: without its dashes; NULL: @value is a disk image
 * @value: its argument, or NULL
 */
struct qemu_word {
	const char *name, *value;
};

/*
 * Takes the next option from *@argv, a list that ends with NULL, and moves *@argv past it.
 * Returns false at the end. An unknown option is assumed to have an argument if the next word
 * does not begin with a dash.
 */
bool qemu_next_word(const char *const **argv, struct qemu_word *word);

/**
 * struct qemu_pair - NAME=VALUE out of "NAME=VALUE,NAME=VALUE"
 * @name: its name; "NAME" alone is NAME=on, and "noNAME" is NAME=off, too
 * @value: its value, in which ",," has become ","
 */
struct qemu_pair {
	const char *name, *value;
};

/*
 * Takes the next pair from *@text, which is changed, and moves *@text past it. A
 * first word without a '=' is the value of @implied, which may be NULL. Returns false
 * at the end.
 */
bool qemu_next_pair(char **text, const char *implied, struct qemu_pair *pair);

/* Does @value ask for a list of the valid values? QEMU prints it and exits. */
bool qemu_is_help(const char *value);

/**
 * struct qemu_config_line - a line of a configuration file
 * @group: the group it begins, or ""
 * @name: otherwise the option's name, or ""
 * @value: and its value
 */
struct qemu_config_line {
	char group[QEMU_NAME_MAX], name[QEMU_NAME_MAX], value[1024];
};

/*
 * Reads the next line of @file that is not empty or a comment. Returns 1, 0 at the end, or -1
 * for a line at which QEMU gives up.
 */
int qemu_next_line(FILE *file, struct qemu_config_line *line);

#endif
