/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The verdict on one access. Pure: no system call, no clock, no allocation, and no state
 * except the arguments. Every decision about an access is made here.
 */
#ifndef REGPIN_LIB_JUDGE_H
#define REGPIN_LIB_JUDGE_H

#include "lib/policy/policy.h"

/**
 * struct access - one attempt to read or write a register
 * @kind: enum regpin_kind
 * @write: true for a write, false for a read
 * @index: MSR index, 0 for control registers
 * @old_value: what the register holds; verdicts on reads don't depend on it
 * @new_value: what the write would leave in the register: bits that hardware ignores
 *	already have their old values; unused for reads
 */
struct access {
	uint8_t kind;
	bool write;
	uint32_t index;
	uint64_t old_value;
	uint64_t new_value;
};

/**
 * struct protections - the registers that `require` may name
 * @cr0: CR0
 * @cr4: CR4
 * @efer: EFER
 */
struct protections {
	uint64_t cr0, cr4, efer;
};

/**
 * struct judge_state - the state of VM and vCPU that a verdict may depend on
 * @armed: the pins of this vCPU hold
 * @setup_done: the vCPU has finished its syscall set-up
 * @uniform_known: the VM's first armed vCPU has settled this register's value
 * @leftover: MSRs hold values of an earlier kernel: the vCPU had an INIT, or another
 *	kernel took over in a window
 * @floor: the VM is armed and this vCPU is not: it is subject to the floor
 * @once: the value of the register when the set-up was finished
 * @uniform: the value that is settled if @uniform_known
 * @own: the vCPU's registers before the access; only valid if judge_needs_own() and @floor
 * @first: the registers of the VM's first armed vCPU; only valid if @floor. A bit that it
 *	lacks is not required of any vCPU, because this guest's CPU or kernel may not
 *	have the bit
 */
struct judge_state {
	bool armed;
	bool setup_done;
	bool uniform_known;
	bool leftover;
	bool floor;
	uint64_t once;
	uint64_t uniform;
	struct protections own, first;
};

/*
 * Is the floor checked at @access, so that the caller must fill in @state->own? It is
 * when the vCPU turns paging on or sets LSTAR, and when a write may clear bits of CR0 or
 * EFER again.
 */
bool judge_needs_own(const struct access *access);

/* Does the verdict also depend on CR4, so that @state->first must be up to date? */
bool judge_needs_first(const struct access *access);

/**
 * struct verdict - what is to happen; only judge() and judge_refused() write it
 * @action: enum regpin_action
 * @rule: the violated rule that decided, one of the policy's, or NULL
 * @answered: a read returns @value, which is from a rule and not from the register
 * @bits: the bits of the access that violate @rule
 * @value: what the register is to hold afterwards, or what the read returns
 */
struct verdict {
	uint8_t action;
	bool answered;
	const struct rule *rule;
	uint64_t bits;
	uint64_t value;
};

/* Judges @access. Always fills @verdict. */
void judge(const struct regpin_policy *policy, const struct judge_state *state,
	   const struct access *access, struct verdict *verdict);

/* The bits of @access, a write, that violate @rule, a pin, whatever its action is. */
uint64_t judge_pin(const struct rule *rule, const struct judge_state *state,
		   const struct access *access);

/*
 * Returns the next rule that @access violates by itself, whatever the verdict is, and
 * sets @bits to the bits of the access that violate it; NULL if there are no more.
 * RULE_REPORT is only returned if @access violates no other rule on a register. @at must
 * be 0 at the first call, and is for this function only.
 */
const struct rule *judge_next(const struct regpin_policy *policy,
			      const struct judge_state *state,
			      const struct access *access, uint32_t *at,
			      uint64_t *bits);

/*
 * The policy's default rule if it denies @access (ACCESS_*) to MSR @index, otherwise NULL.
 * The caller has found no rule that names this access.
 */
const struct rule *judge_default(const struct regpin_policy *policy,
				 uint32_t index, unsigned int access);

/*
 * Judges an access that KVM refuses, because it does not have the MSR (@type is
 * RULE_UNKNOWN) or for another reason (RULE_INVALID). After REGPIN_ALLOW and
 * REGPIN_REPORT the guest gets #GP, as without regpin; after REGPIN_DROP, or with
 * @answered, the instruction completes.
 */
void judge_refused(const struct regpin_policy *policy, enum rule_type type,
		   const struct access *access, struct verdict *verdict);

#endif
