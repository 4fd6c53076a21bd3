/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a guest's CPUID offers it. */
#ifndef REGPIN_LIB_GUEST_H
#define REGPIN_LIB_GUEST_H

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

#endif
