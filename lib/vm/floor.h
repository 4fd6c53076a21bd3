/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a vCPU must have that comes up beside armed ones.
 */
#ifndef REGPIN_LIB_FLOOR_H
#define REGPIN_LIB_FLOOR_H

#include "lib/kvm/regs.h"
#include "lib/kvm/uapi.h"
#include "lib/policy/guest.h"
#include "types.h"

/* Is the vCPU in SMM, or in a guest of its own guest? KVM shows other registers then. */
static inline bool floor_in_smm_or_l2(const struct regpin_vcpu *vcpu)
{
	return vcpu->io.run->flags & KVM_RUN_X86_SMM || vcpu_runs_l2(&vcpu->io, &vcpu->guest);
}

/* Is the vCPU the first one, and asked what it has? Then its pinned bits are looked at. */
bool floor_is_queried(struct regpin_vcpu *vcpu);

/* If so, it answers. */
void floor_answer_query(struct regpin_vcpu *vcpu);

/* The vCPU has, or had until its INIT, @had. If it is the first one, this stays known. */
void floor_note_protections(struct regpin_vcpu *vcpu,
			    const struct protections *had);

/*
 * It is about to execute its first instruction after an INIT. What it will be measured
 * by is asked now: the first one may be gone by what it does.
 */
void floor_query_first(struct regpin_vcpu *vcpu);

/* Does it come up beside armed ones, and has yet to arm? */
bool floor_applies(struct regpin_vcpu *vcpu);

/*
 * It arms by what it is, @lstar, and not by what it does: does it have what is
 * required?
 */
void floor_check(struct regpin_vcpu *vcpu, uint64_t lstar);

/* What the judge needs to know about @vcpu for @access. */
struct judge_state floor_judge_state(struct regpin_vcpu *vcpu,
				     const struct access *access);

#endif
