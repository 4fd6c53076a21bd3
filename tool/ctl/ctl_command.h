/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line of `regpin ctl`, and the request that is made of it. */
#ifndef REGPIN_TOOL_CTL_COMMAND_H
#define REGPIN_TOOL_CTL_COMMAND_H

#include <stdbool.h>

#include "ctl_hint.h"
#include "ctl_request.h"

/* Options of commands, in the order of their names; a bit each in a set. */
enum ctl_option {
	CTL_OPT_VM,
	CTL_OPT_VCPU,
	CTL_OPT_FOR,
	CTL_OPT_LAST,
	CTL_OPT_MODE,
	CTL_OPT_CONFIRM,
	CTL_OPT_RULE,
	CTL_OPT_ONCE,
	CTL_OPT_END,
	CTL_OPT_FOLLOW,
	CTL_OPT_JSON,
	CTL_OPT_YES,
	CTL_OPT_PRINT,
	CTL_OPT_ROLLBACK,
	CTL_OPT_RULES,
	CTL_OPT_MAX
};

/**
 * struct ctl_options - the command line
 * @dir: --ctl, or NULL
 * @hint: the same for commands that messages propose
 * @value: the values of options, "" for options without a value; NULL: not given
 */
struct ctl_options {
	const char *dir;
	struct ctl_hint hint;
	const char *value[CTL_OPT_MAX];
};

/* Is @name a command of `regpin ctl NAME`? */
bool ctl_command_exists(const char *name);

/*
 * Checks @words, a command and its objects, and @options. Returns -1 if they are valid, or
 * EXIT_USAGE after a message.
 */
int ctl_command_check(char *const *words, const struct ctl_options *options);

/* The same for the table of all VMs, which takes only --json. */
int ctl_table_check(const char *what, const char *object,
		    const struct ctl_options *options);

/* Appends to @request as much as there is room for. */
void __attribute__((format(printf, 2, 3)))
ctl_append(char request[CTL_LINE_MAX], const char *format, ...);

/* Makes the request of a valid command other than `policy` with a FILE. */
void ctl_command_request(char *const *words, const struct ctl_options *options,
			 char request[CTL_LINE_MAX]);

#endif
