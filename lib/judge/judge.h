/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The verdict on one access. Pure: no system call, no clock, no allocation, no
 * state but what is handed in. Everything that decides goes through here.
 */
#ifndef REGPIN_LIB_JUDGE_H
#define REGPIN_LIB_JUDGE_H

#include "lib/policy/policy.h"

/**
 * struct access - one attempt to read or write a register
 * @kind: enum regpin_kind
 * @write: a write; else a read
 * @index: MSR index
 * @old_value: what the register holds; verdicts on reads don't depend on it
 * @new_value: what it is to hold, with the bits that hardware ignores already
 *	replaced by the old ones; unused for reads
 */
struct access {
	uint8_t kind;
	bool write;
	uint32_t index;
	uint64_t old_value;
	uint64_t new_value;
};

/**
 * struct protections - the registers that `require` speaks of
 * @cr0: CR0
 * @cr4: CR4
 * @efer: EFER
 */
struct protections {
	uint64_t cr0, cr4, efer;
};

/**
 * struct judge_state - all else that a verdict may depend on
 * @armed: the pins of this vCPU hold
 * @setup_done: it has finished its syscall set-up
 * @once: what the register held when that was finished
 * @leftover: what MSRs hold is of an earlier life: the vCPU had an INIT, or another
 *	kernel took over in a window
 * @uniform_known: the VM's first armed vCPU has settled this register's value
 * @uniform: that value
 * @floor: the VM is armed and this vCPU is not: it comes up beside armed ones
 * @own: the vCPU's registers before the access; where @floor is set
 * @first: likewise those of the VM's first armed vCPU: what it hasn't got, the
 *	guest's CPU or kernel may not have, and nobody has to have
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
 * Is @access one at which the floor is looked at? @state->own is needed then. Those
 * are paging's going on, LSTAR, and what may take bits of CR0 or EFER away again.
 */
bool judge_needs_own(const struct access *access);

/* And does the verdict depend on CR4, too, so on the first vCPU's at this moment? */
bool judge_needs_first(const struct access *access);

/**
 * struct verdict - what is to happen; only judge() and judge_refused() write it
 * @action: enum regpin_action
 * @rule: the rule that was violated and decided, NULL if there is none
 * @answered: a read gets @value, which is a rule's and not the register's
 * @bits: what of the access violates @rule
 * @value: what the register is to hold afterwards
 */
struct verdict {
	uint8_t action;
	bool answered;
	const struct rule *rule;
	uint64_t bits;
	uint64_t value;
};

/* Judges @access. Fills @verdict whatever the arguments are. */
void judge(const struct regpin_policy *policy, const struct judge_state *state,
	   const struct access *access, struct verdict *verdict);

/* The bits of the write @access that violate @rule, a pin, whatever its action is. */
uint64_t judge_pin(const struct rule *rule, const struct judge_state *state,
		   const struct access *access);

/*
 * The next one of the rules that @access violates, each by itself and whatever the
 * verdict is, and its @bits of the access. RULE_REPORT is one of them only where no
 * other rule on a register is. @at begins at 0 and belongs to this function. Returns
 * NULL when there are no more.
 */
const struct rule *judge_next(const struct regpin_policy *policy,
			      const struct judge_state *state,
			      const struct access *access, uint32_t *at,
			      uint64_t *bits);

/*
 * The policy's default rule if it denies @access, an ACCESS_*, to MSR @index, of which
 * no other rule speaks. Else NULL.
 */
const struct rule *judge_default(const struct regpin_policy *policy,
				 uint32_t index, unsigned int access);

/*
 * Judges @access, to an MSR that KVM does not know (@type is RULE_UNKNOWN) or as KVM
 * refuses it (RULE_INVALID). REGPIN_ALLOW or REGPIN_REPORT: as without regpin, where
 * that is a #GP. REGPIN_DROP, or @answered: the instruction completes.
 */
void judge_refused(const struct regpin_policy *policy, enum rule_type type,
		   const struct access *access, struct verdict *verdict);

#endif
