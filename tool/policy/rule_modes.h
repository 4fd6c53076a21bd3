/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The modes that the operator has set for single rules. A rule is known by its place in the
 * policy's text, so these modes belong to that text. A rule's mode replaces the policy's
 * mode, the operator's mode for the whole policy and the rule's own `mode:`; it does not
 * replace an `action: report`.
 */
#ifndef REGPIN_TOOL_RULE_MODES_H
#define REGPIN_TOOL_RULE_MODES_H

#include <stdbool.h>
#include <stdint.h>

#include "policy_mode.h"

#define RULE_MODES_MAX	64

/**
 * struct rule_modes - modes of single rules
 * @nr: number of @list
 * @list: the place of each rule, as in struct rule, and its mode, never MODE_POLICY
 */
struct rule_modes {
	unsigned int nr;
	struct {
		uint32_t line, column;
		enum policy_mode mode;
	} list[RULE_MODES_MAX];
};

/* The mode of the rule at this place; MODE_POLICY: it has none of its own, as with NULL. */
enum policy_mode rule_modes_find(const struct rule_modes *modes, uint32_t line,
				 uint32_t column);

/*
 * Sets the mode of the rule at this place, or takes it back with MODE_POLICY. Returns false
 * if the list is full.
 */
bool rule_modes_set(struct rule_modes *modes, uint32_t line, uint32_t column,
		    enum policy_mode mode);

#endif
