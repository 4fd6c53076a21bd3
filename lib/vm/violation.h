/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The events of violations. */
#ifndef REGPIN_LIB_VIOLATION_H
#define REGPIN_LIB_VIOLATION_H

#include "lib/judge/judge.h"
#include "types.h"

/**
 * struct judged - an access and its verdict
 * @policy: the policy by which it was judged
 * @state: the vCPU's state before the access; only violation_send() needs it
 * @access: the access
 * @verdict: the verdict
 *
 * Not pointers, because each exit that is judged would have to store them.
 */
struct judged {
	const struct regpin_policy *policy;
	struct judge_state state;
	struct access access;
	struct verdict verdict;
};

/*
 * Makes the event of a violation, with what is known before the action is carried out.
 * @proposed is the value that was written; @unread lists which values are not known.
 */
void violation_make(struct regpin_vcpu *vcpu, const struct judged *judged,
		    uint32_t type, uint64_t proposed, unsigned int unread,
		    struct regpin_event *event);

/*
 * Sends @event, which violation_make() made from @judged. If the access happens, or an
 * answer may allow it, sends one more event for each other rule that it violates.
 */
void violation_send(struct regpin_vcpu *vcpu, const struct judged *judged,
		    struct regpin_event *event);

#endif
