/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The events of violations. */
#ifndef REGPIN_LIB_VIOLATION_H
#define REGPIN_LIB_VIOLATION_H

#include "lib/judge/judge.h"
#include "types.h"

/**
 * struct judged - an access that was judged, as it was then
 * @policy: the rules
 * @state: the vCPU's state before the access
 * @access: the access
 * @verdict: what judge() made of it
 */
struct judged {
	const struct regpin_policy *policy;
	const struct judge_state *state;
	const struct access *access;
	const struct verdict *verdict;
};

/*
 * Makes the event of an access that a rule has something against, by what is known before
 * anything is done about it. @proposed is what was written, @unread what is not known.
 */
void violation_make(struct regpin_vcpu *vcpu, const struct judged *judged,
		    uint32_t type, uint64_t proposed, unsigned int unread,
		    struct regpin_event *event);

/*
 * Sends @event, which violation_make() made of @judged; and where the access happens, or
 * may be allowed, one like it for each other rule that let it happen.
 */
void violation_send(struct regpin_vcpu *vcpu, const struct judged *judged,
		    struct regpin_event *event);

#endif
