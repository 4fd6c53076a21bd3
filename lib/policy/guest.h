/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The features that a guest's CPUID offers. */
#ifndef REGPIN_LIB_GUEST_H
#define REGPIN_LIB_GUEST_H

#include <stdbool.h>
#include <stdint.h>

struct kvm_cpuid2;

/* Instructions that read TSC_AUX: a guest with either of them has the register. */
#define AUX_RDTSCP	(1u << 0)
#define AUX_RDPID	(1u << 1)

/* Bits of IA32_FEATURE_CONTROL; SDM volume 4, table 2-2. */
#define FEATURE_LOCK		(1ull << 0)
#define FEATURE_VMX		(1ull << 1 | 1ull << 2)
#define FEATURE_SGX_LC		(1ull << 17)
#define FEATURE_SGX		(1ull << 18)
#define FEATURE_LMCE		(1ull << 20)

/**
 * struct guest - what the validators in replay.c need to know of a guest
 * @efer_forbidden: bits of EFER that its CPUID does not offer
 * @sysenter: bits of SYSENTER_ESP and SYSENTER_EIP that this KVM keeps for this
 *	guest: all, or the low half (AMD guests on SVM)
 * @sysenter_cs: the same for SYSENTER_CS: VMX keeps the low half only
 * @linear_bits: width of its linear addresses, in bits, if the CPU itself refuses
 *	other values of SYSENTER_ESP and SYSENTER_EIP (VMX: KVM does not intercept
 *	them); 0 if KVM makes the values canonical
 * @gpa_reserved: bits that are 0 in each of its guest physical addresses
 * @feature_control: bits of IA32_FEATURE_CONTROL that its CPUID offers; 0 if KVM
 *	does not have that register
 * @tsc_aux: AUX_*: the instructions that CPUID offers and that read TSC_AUX
 * @svm: CPUID offers SVM
 * @vmx: CPUID offers VMX
 * @fred: CPUID offers FRED
 * @known: CPUID has a leaf 0, so @vendor, @family and @model are valid
 * @lmce: KVM_X86_SETUP_MCE gave it LMCE; read when a write depends on it, see
 *	replay_needs_lmce()
 * @vendor: of the CPU, as in CPUID leaf 0, without a NUL
 * @family: of the CPU, with the extended family
 * @model: of the CPU, with the extended model
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
 * Fills @guest from @cpuid, as given to KVM_SET_CPUID2; NULL is a guest without CPUID.
 * @sysenter, @sysenter_cs and @linear_bits keep their values: CPUID does not have them.
 */
void guest_from_cpuid(struct guest *guest, const struct kvm_cpuid2 *cpuid);

/* The width of linear addresses by @cpuid, in bits, at least 48. */
uint8_t linear_bits_from_cpuid(const struct kvm_cpuid2 *cpuid);

#endif
