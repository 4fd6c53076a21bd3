// SPDX-License-Identifier: GPL-2.0-only
/* The CPUID of a simulated guest, and accesses that KVM refuses because of it. */
#include <string.h>

#include "lib/judge/replay.h"
#include "lib/policy/policy.h"
#include "lib/policy/registers.h"
#include "policy/which_guest.h"
#include "sim_cpuid.h"

/* Encodes family and model as in leaf 1: SDM volume 2, "CPUID". */
static uint32_t signature(const struct guest *guest)
{
	uint32_t family = guest->family, model = guest->model;
	uint32_t more = family > 0xf ? family - 0xf : 0;

	return more << 20 | (family - more) << 8 | model >> 4 << 16 |
	       (model & 0xf) << 4;
}

bool sim_is_amd(const struct guest *guest)
{
	return guest && (!memcmp(guest->vendor, "AuthenticAMD", 12) ||
			 !memcmp(guest->vendor, "HygonGenuine", 12));
}

bool sim_is_intel(const struct guest *guest)
{
	return guest && !memcmp(guest->vendor, "GenuineIntel", 12);
}

/*
 * The CPUID of a guest with all features that replay.c checks, because this KVM refuses only
 * the accesses that a trace marks; but with SVM and VMX only if the policy accepts these.
 */
int sim_set_cpuid(struct sim *sim, struct sim_vcpu *vcpu)
{
	const struct guest *guest = sim->guest;
	struct {
		struct kvm_cpuid2 header;
		struct kvm_cpuid_entry2 entries[7];
	} cpuid = {
		.header.nent = 6,
		.entries = {
			/* SYSCALL, NX, FFXSR, RDTSCP, long mode; TCE */
			{ .function = 0x80000001,
			  .edx = 1u << 11 | 1u << 20 | 1u << 25 | 1u << 27 |
				 1u << 29, .ecx = 1u << 17 },
			/* Automatic IBRS */
			{ .function = 0x80000021, .eax = 1u << 8 },
			/* The widest possible addresses */
			{ .function = 0x80000000, .eax = 0x80000021 },
			{ .function = 0x80000008, .eax = 52 },
			/* Family and model, VMX; SGX, SGX_LC; the vendor */
			{ .function = 1 },
			{ .function = 7, .ebx = 1u << 2, .ecx = 1u << 30 },
			{ .function = 0 },
		},
	};
	int err;

	if (sim->policy->flags & POLICY_ACCEPT_NESTED) {
		cpuid.entries[0].ecx |= 1u << 2;
		cpuid.entries[4].ecx |= sim_is_amd(guest) ? 0 : 1u << 5;
	}
	sim->kvm.efer_reserved = ~sim_named_bits(REGPIN_MSR, MSR_EFER);
	/* Bits other than these (FFXSR, TCE, automatic IBRS, SVM) exist on AMD only. */
	if (sim_is_intel(guest)) {
		sim->kvm.efer_reserved = ~(EFER_SCE | EFER_LME | EFER_LMA |
					   EFER_NXE);
		cpuid.entries[0].edx &= ~(1u << 25);
		cpuid.entries[0].ecx = 0;
		cpuid.entries[1].eax = 0;
	}
	if (guest) {
		cpuid.header.nent = 7;
		memcpy(&cpuid.entries[6].ebx, guest->vendor, 4);
		memcpy(&cpuid.entries[6].edx, guest->vendor + 4, 4);
		memcpy(&cpuid.entries[6].ecx, guest->vendor + 8, 4);
		cpuid.entries[4].eax = signature(guest);
	}
	err = regpin_vcpu_set_cpuid(vcpu->regpin, &cpuid.header);
	/* AMD's CPUs have no IA32_FEATURE_CONTROL. */
	if (sim_is_amd(guest))
		vcpu->regpin->guest.feature_control = 0;
	return err;
}


/*
 * KVM accepts the same values of EFER and IA32_FEATURE_CONTROL with and without a filter.
 * They are checked as in Linux 6.12 (set_efer(), and kvm_intel's
 * is_vmx_feature_control_msr_valid()), with the code that performs the accesses that a filter
 * forwards. kvm_amd does not know the latter MSR.
 */
bool sim_refuses(const struct sim *sim, const struct sim_vcpu *vcpu,
		 const struct trace_line *line, struct trace_line *ret)
{
	bool paging = vcpu->crs[REGPIN_CR0 - REGPIN_CR0] & CR0_PG;
	struct guest guest = vcpu->regpin->guest;

	if (line->index != MSR_FEATURE_CONTROL && line->index != MSR_EFER)
		return false;
	guest.lmce = sim_get_msr(vcpu, MSR_MCG_CAP) & MCG_LMCE_P;
	*ret = *line;
	if (!replay_known(&guest, line->index))
		ret->refusal = TRACE_UNKNOWN;
	else if (line->op == TRACE_WRMSR &&
		 ((line->index == MSR_EFER &&
		   line->value & sim->kvm.efer_reserved) ||
		  !replay_valid(&guest, line->index, paging,
				sim_get_msr(vcpu, line->index), line->value)))
		ret->refusal = TRACE_INVALID;
	return ret->refusal;
}
