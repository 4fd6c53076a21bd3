/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The expected effect of a guest's access under a policy, derived from the toy KVM and
 * the man page, not from the code in lib/.
 */
#ifndef REGPIN_TESTS_FUZZ_EXIT_ORACLE_H
#define REGPIN_TESTS_FUZZ_EXIT_ORACLE_H

#include "../judge_walk.h"
#include "toy_kvm.h"

/**
 * struct attempt - a guest's access, and everything that its outcome depends on
 * @policy: the whole policy that judges it
 * @hold: which of its conditions hold
 * @vmm: the VMM's own filter, or NULL
 * @vmm_mask: the VMM's reasons
 * @state: of the vCPU, before the access
 * @access: the access, with the values that rules compare
 * @vcpu: the registers before the access
 * @proposed: the value written
 * @nested: by a nested guest
 * @ticket: the answer, if this very access was held; otherwise REGPIN_ACTION_MAX
 */
struct attempt {
	const struct regpin_policy *policy;
	uint64_t hold;
	const struct kvm_msr_filter *vmm;
	uint64_t vmm_mask;
	struct judge_state state;
	struct access access;
	struct toy_vcpu vcpu;
	uint64_t proposed;
	bool nested;
	unsigned int ticket;
};

enum outcome {
	OUT_DONE,	/* the guest continues after the instruction */
	OUT_GP,
	OUT_HELD,	/* RIP stays before the instruction, until an answer comes */
	OUT_STOPPED,
	OUT_AGAIN,	/* RIP stays before the instruction, and the guest retries at once */
	OUT_VMM,	/* the exit is the VMM's */
	OUT_FOREIGN,	/* the same, for an exit that regpin does not know */
};

#define EXPECTED_MAX	64

/**
 * struct expected - the expected effect of an access
 * @outcome: how the access ends
 * @ticket: it ends by an answer, which is used up
 * @reason: of an exit to the VMM
 * @value: the result of a read, or the write that the VMM gets
 * @vcpu: the registers afterwards
 * @nr: the number of events
 * @rules: the rule of each event, in the whole policy
 * @actions: the action in each event
 * @bits: the bits in each event, 0: some
 */
struct expected {
	enum outcome outcome;
	bool ticket;
	uint32_t reason;
	uint64_t value;
	struct toy_vcpu vcpu;
	unsigned int nr;
	const struct rule *rules[EXPECTED_MAX];
	uint8_t actions[EXPECTED_MAX];
	uint64_t bits[EXPECTED_MAX];
};

/*
 * The value of MSR @index after the host's write of @value, as far as a filter knows;
 * or @value.
 */
uint64_t oracle_effective(const struct toy_vcpu *vcpu, uint32_t index,
			  uint64_t value);

/* Which reasons must KVM exit for? */
uint64_t oracle_reasons(const struct regpin_policy *policy);

/* Must this access exit for the policy? */
bool oracle_wants(const struct attempt *attempt);

/* KVM made an exit of the access, for @reason, which may be unknown to KVM. */
void oracle_exit(const struct attempt *attempt, uint32_t reason,
		 struct expected *to);

/* KVM did the access itself, so the policy must allow it. */
void oracle_free(const struct attempt *attempt, struct expected *to);

/* Is it a value that the policy gives for this read, whatever the register's value? */
bool oracle_gives(const struct attempt *attempt, uint64_t value);

#endif
