/* SPDX-License-Identifier: GPL-2.0-only */
/* Changes of policies, in words. */
#ifndef REGPIN_TOOL_POLICY_DIFF_TEXT_H
#define REGPIN_TOOL_POLICY_DIFF_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "policy_diff_list.h"

/* "loosens: CR4 SMEP SMAP: clearing: gp -> free". Returns @buf. */
const char *policy_change_text(char *buf, size_t size,
			       const struct policy_change *change);

/* "loosens", "tightens" or "changes". */
const char *policy_change_class(const struct policy_change *change);

#define DIFF_VALUE_TEXT	128	/* room for one side of a change */

/* The effects of the old and the new policy: "gp", "free", "500 ms". Each returns @buf. */
const char *policy_change_from(char buf[DIFF_VALUE_TEXT],
			       const struct policy_change *change);
const char *policy_change_to(char buf[DIFF_VALUE_TEXT],
			     const struct policy_change *change);

/* "SMEP SMAP 27", as far as it fits. Returns @buf. */
const char *register_bits_text(char *buf, size_t size, unsigned int kind,
			       uint32_t index, uint64_t bits);

#endif
