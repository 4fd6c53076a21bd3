/* SPDX-License-Identifier: GPL-2.0-only */
/* `without`: what a policy takes away from the rules of the policy that it extends. */
#ifndef REGPIN_TOOL_POLICY_WITHOUT_H
#define REGPIN_TOOL_POLICY_WITHOUT_H

#include "yaml_tree.h"

/*
 * Takes what `without` of @own lists out of the rules of @base. An element of the list
 * names a register as it is written in the base, and perhaps conditions; what matches no
 * rule is an error, as the rule that was to go would stay unseen.
 */
void without_apply(const struct yaml_node *own, struct yaml_node *base,
		   struct problems *problems);

/* Reports a `without` of @own, which extends no policy. */
void without_needs_base(const struct yaml_node *own, struct problems *problems);

#endif
