// SPDX-License-Identifier: GPL-2.0-only
/* What the CPUID of a simulated guest says. */
#include <string.h>

#include "guest.h"
#include "vm.h"

#include "sim.h"

/* SDM volume 2, "CPUID", leaf 1: family and model, the way back. */
static uint32_t signature(const struct guest *guest)
{
	uint32_t family = guest->family, model = guest->model;
	uint32_t more = family > 0xf ? family - 0xf : 0;

	return more << 20 | (family - more) << 8 | model >> 4 << 16 |
	       (model & 0xf) << 4;
}

/*
 * A guest that has all of what replay.c looks for, as KVM refuses nothing unless it is
 * told to; but SVM only if the policy lets it have that.
 */
int sim_set_cpuid(const struct sim *sim, struct sim_vcpu *vcpu)
{
	const struct guest *guest = sim->guest;
	struct {
		struct kvm_cpuid2 header;
		struct kvm_cpuid_entry2 entries[6];
	} cpuid = {
		.header.nent = 4,
		.entries = {
			/* SYSCALL, NX, FFXSR, RDTSCP, long mode; TCE */
			{ .function = 0x80000001,
			  .edx = 1u << 11 | 1u << 20 | 1u << 25 | 1u << 27 |
				 1u << 29, .ecx = 1u << 17 },
			/* Automatic IBRS */
			{ .function = 0x80000021, .eax = 1u << 8 },
			/* The widest addresses that there are */
			{ .function = 0x80000000, .eax = 0x80000021 },
			{ .function = 0x80000008, .eax = 52 },
		},
	};

	if (sim->policy->flags & POLICY_ACCEPT_NESTED)
		cpuid.entries[0].ecx |= 1u << 2;
	if (guest) {
		cpuid.header.nent = 6;
		memcpy(&cpuid.entries[4].ebx, guest->vendor, 4);
		memcpy(&cpuid.entries[4].edx, guest->vendor + 4, 4);
		memcpy(&cpuid.entries[4].ecx, guest->vendor + 8, 4);
		cpuid.entries[5].function = 1;
		cpuid.entries[5].eax = signature(guest);
	}
	return regpin_vcpu_set_cpuid(vcpu->regpin, &cpuid.header);
}
