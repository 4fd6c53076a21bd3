/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Detects what cannot be stopped: changed control registers, and missed deadlines. */
#ifndef REGPIN_LIB_DETECT_H
#define REGPIN_LIB_DETECT_H

#include "types.h"

/* Polls the control registers, on a KVM that cannot filter them. */
void detect_poll(struct regpin_vcpu *vcpu, const struct regpin_policy *policy);

/* Carries out the answer to HOLD_DETECTED: restores the bits that were found if @back. */
void detect_apply_answer(struct regpin_vcpu *vcpu, bool back);

/*
 * Checks how long the vCPU has run. A vCPU that does not arm beside armed ones misses the
 * deadline of the policy; the set-up of a vCPU that does not finish it is ended, and its
 * registers are pinned as they are. If both apply to a vCPU, decides which of the two
 * happens.
 */
void detect_check_time(struct regpin_vcpu *vcpu,
		       const struct regpin_policy *policy);

#endif
