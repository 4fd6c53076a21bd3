/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading policies from files. */
#ifndef REGPIN_TOOL_POLICY_FILE_H
#define REGPIN_TOOL_POLICY_FILE_H

#include <errno.h>

#include "lib/policy/policy.h"

#include "policy_written.h"

#define POLICY_UNREADABLE(err)	((err) && (err) != -EINVAL)

/*
 * Reads a policy from a file, as policy_text_read() does; "-" is standard input. If the file
 * can't be read, that is added to @problems, and the negative errno is returned, which is
 * never -EINVAL.
 */
int policy_text_file(const char *path, struct regpin_policy *policy,
		     struct problems *problems);

/* The same, with the policy's hash, which is empty if the file can't be read. */
int policy_text_file_hash(const char *path, char hash[POLICY_HASH_MAX],
			  struct regpin_policy *policy, struct problems *problems);

/*
 * Reads a file into @written, to be parsed later. Returns 0 or a negative errno, and adds the
 * error to @problems unless it is -ENOMEM.
 */
int policy_text_keep(const char *path, struct policy_written *written,
		     struct problems *problems);

#endif
