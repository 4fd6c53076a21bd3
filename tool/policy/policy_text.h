/* SPDX-License-Identifier: GPL-2.0-only */
/* From a policy's text to a checked policy. The language: regpin-policy(5). */
#ifndef REGPIN_TOOL_POLICY_TEXT_H
#define REGPIN_TOOL_POLICY_TEXT_H

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include "policy.h"
#include "policy_mode.h"

#define POLICY_UNREADABLE(err)	((err) && (err) != -EINVAL)

/*
 * Reads @text as a policy, checks it, and sorts its rules. @name is kept in
 * policy->source. @problems is emptied first; a policy with warnings only is
 * good. Returns 0, or -EINVAL if there are errors; then @policy must not be
 * used.
 */
int policy_text_read(const char *name, const char *text, size_t size,
		     struct regpin_policy *policy, struct problems *problems);

/*
 * The same with @mode in the place of the policy's own `mode:`, unless it is
 * MODE_POLICY. What the policy itself says is in @own, if that is not NULL.
 */
int policy_text_read_as(const char *name, const char *text, size_t size,
			enum policy_mode mode, enum policy_mode *own,
			struct regpin_policy *policy,
			struct problems *problems);

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
