/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking, where nothing can be stopped. */
#ifndef REGPIN_LIB_DETECT_H
#define REGPIN_LIB_DETECT_H

#include "types.h"

/* The control registers are looked at where KVM can't filter them. */
void detect_poll(struct regpin_vcpu *vcpu, const struct regpin_policy *policy);

/* What was found is accepted, or put @back. */
void detect_apply_answer(struct regpin_vcpu *vcpu, bool back);

/*
 * What time does to a vCPU that does not come up: one that does not arm beside armed
 * ones meets the deadline; one whose syscall set-up does not end is pinned as it is.
 * Which of them, where it is either.
 */
void detect_check_time(struct regpin_vcpu *vcpu,
		       const struct regpin_policy *policy);

#endif
