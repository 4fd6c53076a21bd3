/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The events of violations. */
#ifndef REGPIN_LIB_VIOLATION_H
#define REGPIN_LIB_VIOLATION_H

#include "lib/judge/judge.h"
#include "types.h"

/**
 * struct judged - what a verdict came from
 * @policy: the rules
 * @state: the vCPU's state before the access
 * @access: the access
 * @rule: the rule that decided
 * @let: what of the value that was written the verdict lets through
 */
struct judged {
	const struct regpin_policy *policy;
	const struct state *state;
	const struct access *access;
	const struct rule *rule;
	uint64_t let;
};

/*
 * Sends @event, which is a verdict's; and where the access happens, or may
 * be allowed, one like it for each other rule that let it happen.
 */
void vcpu_tell(struct regpin_vcpu *vcpu, const struct judged *judged,
	       struct regpin_event *event);

/* Makes the event of an access and its verdict; @proposed is what was written. */
void vcpu_access(struct regpin_vcpu *vcpu, const struct regpin_policy *policy,
		 uint32_t type, const struct access *access,
		 const struct verdict *verdict, uint64_t proposed,
		 struct regpin_event *event);

#endif
