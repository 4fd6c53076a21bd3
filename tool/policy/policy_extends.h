/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `extends` and `without`: a policy's tree with the rules and settings of the policies
 * that it extends. The result is read like a tree that was written in one file.
 */
#ifndef REGPIN_TOOL_POLICY_EXTENDS_H
#define REGPIN_TOOL_POLICY_EXTENDS_H

#include "policy_bundle.h"
#include "yaml_tree.h"

/*
 * Returns the tree of @bundle, and sets the names of its files in @policy->bases. A key of the
 * policy itself replaces that of its base; its rules are added to those of the base, from
 * which `without` has removed some. Returns NULL, with @problems, if a text can't be read.
 * The caller owns the tree.
 */
struct yaml_node *extends_tree(const struct bundle *bundle,
			       struct regpin_policy *policy,
			       struct problems *problems);

#endif
