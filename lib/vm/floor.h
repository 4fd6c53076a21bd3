/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The floor: the bits that a vCPU must have set when it starts beside armed ones. */
#ifndef REGPIN_LIB_FLOOR_H
#define REGPIN_LIB_FLOOR_H

#include "lib/kvm/regs.h"
#include "lib/kvm/uapi.h"
#include "lib/policy/guest.h"
#include "types.h"

/* Is the vCPU in SMM or in a nested guest? The registers are not the kernel's then. */
static inline bool floor_in_smm_or_l2(const struct regpin_vcpu *vcpu)
{
	return vcpu->io.run->flags & KVM_RUN_X86_SMM || vcpu_runs_l2(&vcpu->io, &vcpu->guest);
}

/*
 * Is the vCPU the first one, and does a query for its protections still wait for a reply?
 * If so, its control registers must be polled before it replies.
 */
bool floor_is_queried(struct regpin_vcpu *vcpu);

/* Replies to the query, if floor_is_queried(). */
void floor_answer_query(struct regpin_vcpu *vcpu);

/*
 * If the vCPU is the first one, notes the protections @had, which it has or had before its
 * INIT.
 */
void floor_note_protections(struct regpin_vcpu *vcpu,
			    const struct protections *had);

/*
 * The vCPU is about to execute its first instruction after an INIT. Queries the first vCPU
 * now: the code that runs on this one could make the first one go away.
 */
void floor_query_first(struct regpin_vcpu *vcpu);

/* Must the vCPU have the floor: is it not armed and set up, while others are? */
bool floor_applies(struct regpin_vcpu *vcpu);

/*
 * The vCPU arms because its LSTAR is @lstar, without a write that could be judged. Reports
 * the required bits that it lacks, and carries out the action of their rules.
 */
void floor_check(struct regpin_vcpu *vcpu, uint64_t lstar);

/* Fills in @state with the state of @vcpu that the judge needs for @access. */
void floor_judge_state(struct regpin_vcpu *vcpu, const struct access *access,
		       struct judge_state *state);

#endif
