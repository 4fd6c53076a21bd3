/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Performing a deflected WRMSR for the guest. KVM does not do it, and
 * KVM_SET_MSRS writes as the host, for whom guest-only checks are skipped. So
 * each register that can be replayed has a validator of what the guest itself
 * could have written, and the live tests compare both, result by result.
 */
#ifndef REGPIN_LIB_REPLAY_H
#define REGPIN_LIB_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

struct kvm_cpuid2;

/* Either instruction reads TSC_AUX, and gives a guest that register. */
#define AUX_RDTSCP	(1u << 0)
#define AUX_RDPID	(1u << 1)

/* Bits of IA32_FEATURE_CONTROL; SDM volume 4, table 2-2. */
#define FEATURE_LOCK		(1ull << 0)
#define FEATURE_VMX		(1ull << 1 | 1ull << 2)
#define FEATURE_SGX_LC		(1ull << 17)
#define FEATURE_SGX		(1ull << 18)
#define FEATURE_LMCE		(1ull << 20)

/**
 * struct guest - what the validators need to know of the guest
 * @efer_forbidden: bits of EFER that its CPUID does not offer
 * @sysenter: bits of SYSENTER_ESP and SYSENTER_EIP that this KVM keeps for this
 *	guest: all, or the low half (AMD guests on SVM)
 * @sysenter_cs: the same for SYSENTER_CS: VMX has room for the low half
 * @linear_bits: how many bits its linear addresses have, where the CPU itself
 *	refuses other values of SYSENTER_ESP and SYSENTER_EIP (VMX: KVM does not
 *	intercept them); 0 where KVM makes them canonical
 * @gpa_reserved: bits that no guest physical address of its has
 * @feature_control: bits of IA32_FEATURE_CONTROL that its CPUID offers; 0 where KVM
 *	does not have that register
 * @lmce: KVM_X86_SETUP_MCE gave it LMCE, the last time that it mattered
 * @tsc_aux: what CPUID offers that comes with TSC_AUX: AUX_* bits
 * @svm: CPUID offers SVM
 * @vmx: CPUID offers VMX
 * @fred: CPUID offers FRED
 * @known: CPUID says whose CPU it is: @vendor, @family and @model
 */
struct guest {
	uint64_t efer_forbidden;
	uint64_t sysenter, sysenter_cs;
	uint8_t linear_bits;
	uint64_t gpa_reserved;
	uint64_t feature_control;
	uint8_t tsc_aux;
	bool svm, vmx, fred, known, lmce;
	char vendor[12];
	uint16_t family, model;
};

/*
 * Reads @cpuid, as given to KVM_SET_CPUID2; NULL is a guest without CPUID. What was
 * found out otherwise, @sysenter, @sysenter_cs and @linear_bits, stays.
 */
void guest_from_cpuid(struct guest *guest, const struct kvm_cpuid2 *cpuid);

/* The linear addresses' width that @cpuid tells, at least 48. */
uint8_t linear_bits_from_cpuid(const struct kvm_cpuid2 *cpuid);

/* What a guest's write of @new_value leaves in the register: some bits ignore it. */
uint64_t replay_effective(const struct guest *guest, uint32_t index,
			  uint64_t old_value, uint64_t new_value);

/* Is it an MSR at all, for guests on this KVM? */
bool replay_known(const struct guest *guest, uint32_t index);

/* Could the guest itself read the register? KVM_GET_MSRS reads as the host. */
bool replay_readable(const struct guest *guest, uint32_t index);

/* Does KVM keep @value as it is? If not, only KVM knows what it keeps. */
bool replay_kept(uint32_t index, uint64_t value);

/*
 * Could the guest itself have written @new_value, as far as KVM_SET_MSRS would
 * not refuse it anyway? @paging is the guest's CR0.PG.
 */
bool replay_valid(const struct guest *guest, uint32_t index, bool paging,
		  uint64_t old_value, uint64_t new_value);

/* Does replay_valid() for this write depend on CR0.PG? */
bool replay_needs_paging(uint32_t index, uint64_t old_value,
			 uint64_t new_value);

/* And on whether the guest has LMCE? */
bool replay_needs_lmce(uint32_t index, uint64_t new_value);

#endif
