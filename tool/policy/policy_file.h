/* SPDX-License-Identifier: GPL-2.0-only */
/* Files with policies. */
#ifndef REGPIN_TOOL_POLICY_FILE_H
#define REGPIN_TOOL_POLICY_FILE_H

#include <errno.h>

#include "lib/policy/policy.h"

#include "policy_written.h"

#define POLICY_UNREADABLE(err)	((err) && (err) != -EINVAL)

/*
 * policy_text_read() from a file; "-" is standard input. A file that can't be read is a
 * problem, too, and the negative errno is returned, which is never -EINVAL.
 */
int policy_text_file(const char *path, struct regpin_policy *policy,
		     struct problems *problems);

/*
 * Reads a file, to be read as a policy later. Returns 0 or a negative errno, which is
 * a problem, too, if it is not -ENOMEM.
 */
int policy_text_keep(const char *path, struct policy_written *written,
		     struct problems *problems);

#endif
