/* SPDX-License-Identifier: GPL-2.0-only */
/* From a policy's text to a checked policy. The language is in regpin-policy(5). */
#ifndef REGPIN_TOOL_POLICY_TEXT_H
#define REGPIN_TOOL_POLICY_TEXT_H

#include <stddef.h>

#include "lib/policy/policy.h"
#include "policy_mode.h"
#include "rule_modes.h"

/*
 * Writes @name in printable form, because places of rules are printed with it. If it is too
 * long, its end is kept, which identifies the file better than its beginning.
 */
void policy_source(char source[POLICY_MAX_SOURCE], const char *name);

/*
 * Reads @text as a policy, checks it, and sorts its rules. @name is kept in policy->source.
 * @problems is emptied first. Returns 0, also if there are only warnings, or -EINVAL if there
 * are errors; then the caller must not use @policy.
 */
int policy_text_read(const char *name, const char *text, size_t size,
		     struct regpin_policy *policy, struct problems *problems);

/*
 * The same with @mode instead of the policy's own `mode:`, unless it is MODE_POLICY, and with
 * the modes of single rules, @modes, unless it is NULL. The
 * policy's own mode is returned in @own, if that is not NULL.
 */
int policy_text_read_as(const char *name, const char *text, size_t size,
			enum policy_mode mode, const struct rule_modes *modes,
			enum policy_mode *own, struct regpin_policy *policy,
			struct problems *problems);

#endif
