/* SPDX-License-Identifier: GPL-2.0-only */
/* A rule that a KVM can't enforce, as members of a JSON object. */
#ifndef REGPIN_TOOL_UNFIT_JSON_H
#define REGPIN_TOOL_UNFIT_JSON_H

#include "base/json.h"
#include "unfit.h"
#include "which_kvm.h"

/* "register", "rule" and "where", as events have them. */
void json_rule_place(struct json *json, const struct regpin_policy *policy,
		     const struct rule *rule);

/* All of @unfits: an array of objects with the members of json_unfit(). */
void json_unfits(struct json *json, const char *name,
		 const struct regpin_policy *policy,
		 const struct unfits *unfits);

/* Prints the whole output of a command on a policy that @kvm refuses. */
void json_refused_policy(const struct regpin_policy *policy,
			 const struct which_kvm *kvm,
			 const struct unfits *unfits);

/* The members of json_rule_place(), how the rule is handled, and @why it can't be enforced. */
void json_unfit(struct json *json, const struct regpin_policy *policy,
		enum fitted fitted, const struct rule *rule, const char *why);

#endif
