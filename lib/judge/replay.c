// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The values that a guest could have written itself. Follows set_efer() and
 * __kvm_set_msr() in arch/x86/kvm/x86.c. Checks that KVM also makes for the host's writes
 * are left to KVM_SET_MSRS, which sets nothing if they fail. docs/replay.md lists for each
 * register what is checked where, and the KVMs on which both were compared.
 */
#include <linux/kvm.h>
#include <stddef.h>
#include <string.h>

#include "lib/policy/registers.h"
#include "replay.h"

/* SDM volume 3, "Variable Range MTRRs": the reserved bits below the address. */
#define MTRR_BASE_RESERVED	0xf00ull
#define MTRR_MASK_RESERVED	0x7ffull

uint64_t replay_effective(const struct guest *guest, uint32_t index,
			  uint64_t old_value, uint64_t new_value)
{
	switch (index) {
	case MSR_EFER:
		/* LMA follows CR0.PG and LME; a write to it is ignored. */
		return (new_value & ~EFER_LMA) | (old_value & EFER_LMA);
	case MSR_SYSENTER_ESP:
	case MSR_SYSENTER_EIP:
		return new_value & guest->sysenter;
	case MSR_SYSENTER_CS:
		return new_value & guest->sysenter_cs;
	case MSR_TSC_AUX:
		/* AMD ignores the other half; on other CPUs KVM refuses the value. */
		return (uint32_t)new_value;
	default:
		return new_value;
	}
}

bool replay_known(const struct guest *guest, uint32_t index)
{
	/* Not an MSR: the number by which the VMM accesses the guest's SSP. */
	if (index == MSR_KVM_GUEST_SSP)
		return false;
	return index != MSR_FEATURE_CONTROL || guest->feature_control;
}

bool replay_readable(const struct guest *guest, uint32_t index)
{
	if (!replay_known(guest, index))
		return false;
	return index != MSR_TSC_AUX || guest->tsc_aux;
}

static bool canonical(uint64_t value, unsigned int bits)
{
	return value + (1ull << (bits - 1)) < 1ull << bits;
}

bool replay_kept(uint32_t index, uint64_t value)
{
	/* An address that is canonical with 4 levels of paging is so with 5 as well. */
	if (index == MSR_SYSENTER_ESP || index == MSR_SYSENTER_EIP)
		return canonical(value, 48);
	return true;
}

bool replay_needs_paging(uint32_t index, uint64_t old_value,
			 uint64_t new_value)
{
	return index == MSR_EFER && (old_value ^ new_value) & EFER_LME;
}

bool replay_needs_lmce(uint32_t index, uint64_t new_value)
{
	return index == MSR_FEATURE_CONTROL && new_value & FEATURE_LMCE;
}

static bool efer_valid(const struct guest *guest, bool paging,
		       uint64_t old_value, uint64_t new_value)
{
	if (new_value & guest->efer_forbidden)
		return false;
	return !(paging && (old_value ^ new_value) & EFER_LME);
}

/*
 * KVM checks the values of MTRRs for the host's writes as well, but an older KVM then
 * queues a #GP of its own. With the #GP of our answer after it, the guest would get a
 * double fault.
 */
static bool mtrr_valid(const struct guest *guest, uint32_t index,
		       uint64_t value)
{
	bool mask = (index - MSR_MTRR_PHYSBASE0) % 2;

	return !(value & (guest->gpa_reserved | (mask ? MTRR_MASK_RESERVED :
							MTRR_BASE_RESERVED)));
}

/* As is_vmx_feature_control_msr_valid(), which lets the host write any bit at any time. */
static bool feature_control_valid(const struct guest *guest, uint64_t old_value,
				  uint64_t new_value)
{
	uint64_t valid = guest->feature_control |
			 (guest->lmce ? FEATURE_LMCE : 0);

	return !(old_value & FEATURE_LOCK) && !(new_value & ~valid);
}

bool replay_valid(const struct guest *guest, uint32_t index, bool paging,
		  uint64_t old_value, uint64_t new_value)
{
	if (!replay_known(guest, index))
		return false;
	switch (index) {
	case MSR_EFER:
		return efer_valid(guest, paging, old_value, new_value);
	case MSR_MTRR_PHYSBASE0 ... MSR_MTRR_PHYSMASK7:
		return mtrr_valid(guest, index, new_value);
	case MSR_TSC_AUX:
		return guest->tsc_aux;
	case MSR_SYSENTER_ESP:
	case MSR_SYSENTER_EIP:
		return !guest->linear_bits ||
		       canonical(new_value, guest->linear_bits);
	case MSR_FEATURE_CONTROL:
		return feature_control_valid(guest, old_value, new_value);
	default:
		return true;
	}
}
