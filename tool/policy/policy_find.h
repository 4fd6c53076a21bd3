/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Policies that are found by name: NAME.yaml in the policy folders, first in the
 * administrator's (/etc/regpin), then in the package's, or, in a build directory, in that of
 * the source tree. The environment variable REGPIN_POLICIES, a list with colons, replaces
 * both.
 */
#ifndef REGPIN_TOOL_POLICY_FIND_H
#define REGPIN_TOOL_POLICY_FIND_H

#include <stdbool.h>

#include "lib/policy/policy.h"

#define POLICY_NAME_MAX	64	/* with its NUL */

/* Is @text a name, [a-z0-9_-]+, and so not a path? */
bool policy_is_name(const char *text);

/*
 * Opens the policy @name for reading and writes its path to @path. Refuses symbolic links that
 * lead out of the folder, and all but regular files. Returns a file descriptor or a negative
 * errno: -ENOENT if no folder has the policy. With another errno @path is the file that can't
 * be used; later folders are not searched then, because their policy may be weaker.
 */
int policy_open(const char *name, char path[POLICY_MAX_SOURCE]);

/**
 * struct policy_names - the names of all policies that are found by name
 * @nr: number of @list
 * @list: the names in alphabetical order, each once; allocated
 * @folder: with an error: the folder that can't be read
 */
struct policy_names {
	size_t nr;
	char (*list)[POLICY_NAME_MAX];
	char folder[POLICY_MAX_SOURCE];
};

/*
 * Finds all names. A folder that does not exist has none. Returns 0, or a negative errno if a
 * folder can't be read, or if there is no memory.
 */
int policy_names_find(struct policy_names *names);
void policy_names_free(struct policy_names *names);

/* Calls @call for each folder, in the order of the search. */
void policy_folders_each(void (*call)(void *context, const char *folder), void *context);

/* The folders, for messages: "/etc/regpin or /usr/share/regpin/policies". */
#define POLICY_FOLDERS_TEXT	512
const char *policy_folders(char to[POLICY_FOLDERS_TEXT]);

#endif
