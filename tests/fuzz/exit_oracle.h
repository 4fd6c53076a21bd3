/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What must come of a guest's access under a policy, by the toy KVM and by the man
 * page: not by what lib/ does.
 */
#ifndef REGPIN_TESTS_FUZZ_EXIT_ORACLE_H
#define REGPIN_TESTS_FUZZ_EXIT_ORACLE_H

#include "../judge_walk.h"
#include "toy_kvm.h"

/**
 * struct attempt - a guest's access, and all that its outcome depends on
 * @policy: the whole one that it is judged by
 * @hold: which of its conditions do
 * @vmm: the VMM's own filter, or NULL
 * @vmm_mask: and its reasons
 * @state: the vCPU's, before it
 * @access: of values that take part in what rules say
 * @vcpu: the registers before it
 * @proposed: what is written
 * @nested: by a guest of the guest's
 * @ticket: what was answered, if it was held for this very access; else
 *	REGPIN_ACTION_MAX
 */
struct attempt {
	const struct regpin_policy *policy;
	uint64_t hold;
	const struct kvm_msr_filter *vmm;
	uint64_t vmm_mask;
	struct state state;
	struct access access;
	struct toy_vcpu vcpu;
	uint64_t proposed;
	bool nested;
	unsigned int ticket;
};

enum outcome {
	OUT_DONE,	/* the guest goes on behind the instruction */
	OUT_GP,
	OUT_HELD,	/* before it, till somebody answers */
	OUT_STOPPED,
	OUT_AGAIN,	/* before it, and tries at once again */
	OUT_VMM,	/* the exit is the VMM's */
	OUT_FOREIGN,	/* the same, and none that regpin could know anything of */
};

#define EXPECTED_MAX	64

/**
 * struct expected - what must come of it
 * @outcome: how it ends
 * @ticket: by an answer, which is used up
 * @reason: of an exit that is the VMM's
 * @value: what a read gives, or the write that the VMM is shown
 * @vcpu: the registers afterwards
 * @nr: how many events there are
 * @rules: the rule of each, of the whole policy
 * @actions: and what it says was done
 * @bits: and which bits violated it, 0: some
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

/* By a filter: what MSR @index would hold after the host's write of @value, or @value. */
uint64_t oracle_effective(const struct toy_vcpu *vcpu, uint32_t index,
			  uint64_t value);

/* For what has KVM to exit, for it? */
uint64_t oracle_reasons(const struct regpin_policy *policy);

/* Does the policy want to see this access? */
bool oracle_wants(const struct attempt *attempt);

/* KVM made an exit of it, for @reason, which may be none that KVM has. */
void oracle_exit(const struct attempt *attempt, uint32_t reason,
		 struct expected *to);

/* KVM did it itself, so it has to be one that the policy has nothing against. */
void oracle_free(const struct attempt *attempt, struct expected *to);

/* Is it a value that the policy gives for this read, whatever the register holds? */
bool oracle_gives(const struct attempt *attempt, uint64_t value);

#endif
