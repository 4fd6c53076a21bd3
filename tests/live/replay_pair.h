/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two VMs that differ only in which code performs a WRMSR. In the first VM, KVM performs it
 * for the guest. In the second one, the WRMSR exits, and regpin performs it, or the host
 * for comparison.
 */
#ifndef REGPIN_TESTS_LIVE_REPLAY_PAIR_H
#define REGPIN_TESTS_LIVE_REPLAY_PAIR_H

#include "tiny.h"

#define MAX_VALUES	400
#define MAX_OTHERS	200

struct values {
	unsigned int nr;
	uint64_t list[MAX_VALUES];
};

/**
 * struct variant - how a guest differs from the usual one
 * @name: for the test's output
 * @modes: bits 1 << enum tiny_mode in which it can run
 * @concerns: the registers that it tests; NULL for all
 * @spoil: changes the CPUID that KVM offers; NULL: it is not changed
 * @no_cpuid: the guest gets no CPUID
 * @lmce: the guest gets LMCE, by KVM_X86_SETUP_MCE
 * @from_starts: these registers are written from several old values, too
 */
struct variant {
	const char *name;
	unsigned int modes;
	bool (*concerns)(uint32_t index);
	void (*spoil)(struct kvm_cpuid2 *cpuid);
	bool no_cpuid, lmce, from_starts;
};

/* All other MSRs whose values are stable, in the form of KVM_GET_MSRS. */
struct others {
	struct kvm_msrs header;
	struct kvm_msr_entry entries[MAX_OTHERS];
};

/**
 * struct pair - both VMs, one vCPU each
 * @by_host: the second VM is under no policy; its writes are KVM_SET_MSRS
 * @aux: AUX_* bits: the features by which the guest has TSC_AUX, if KVM has it at all
 */
struct pair {
	struct tiny_vm plain_vm, ours_vm;
	struct tiny_vcpu plain, ours;
	bool by_host;
	unsigned int aux;
	struct others list;
	char where[160];
};

/* The results of one write that guest and VMM see, and its other effects. */
struct seen {
	int wrote, read;
	uint64_t value, host;
	uint32_t aux;
	uint64_t rest;
};

/* The number of differences that guest and VMM saw, and of accepted writes. */
struct outcome {
	unsigned int nr, taken, different, left_out;
};

/*
 * Without @policy the second VM's writes are the host's. Returns NULL, or the reason
 * why not.
 */
const char *pair_open(struct pair *pair, const struct variant *variant,
		      enum tiny_mode mode, const struct regpin_policy *policy);
void pair_close(struct pair *pair);

/* Does the guest have the register? TSC_AUX depends on CPUID, too. */
bool pair_has(struct pair *pair, uint32_t index);

/* Writes all of @values, each after @start if it is not NULL. */
struct outcome pair_compare(struct pair *pair, uint32_t index,
			    const struct values *values, const uint64_t *start);

/* All single bits, on and off from @base, extremes, addresses, random numbers. */
void values_all(struct values *values, uint64_t base);

/* All single bits and extremes. */
void values_few(struct values *values, uint64_t base);

#endif
