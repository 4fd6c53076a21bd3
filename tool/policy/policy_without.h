/* SPDX-License-Identifier: GPL-2.0-only */
/* `without`: removes rules of the policy that is extended. */
#ifndef REGPIN_TOOL_POLICY_WITHOUT_H
#define REGPIN_TOOL_POLICY_WITHOUT_H

#include "yaml_tree.h"

/*
 * Removes the rules that `without` of @own lists from those of @base. An element of the list
 * names a register as it is written in the base, and perhaps conditions. An element without
 * a matching rule is an error: otherwise the rule would remain unnoticed.
 */
void without_apply(const struct yaml_node *own, struct yaml_node *base,
		   struct problems *problems);

/* Reports a `without` in @own, which does not extend a policy. */
void without_needs_base(const struct yaml_node *own, struct problems *problems);

#endif
