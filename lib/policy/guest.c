// SPDX-License-Identifier: LGPL-2.1-or-later
/* The features that a guest's CPUID offers. */
#include <linux/kvm.h>
#include <string.h>

#include "guest.h"
#include "registers.h"

#define EFER_TCE	(1ull << 15)

/* APM volume 3, "CPUID Fn8000_0001": feature bits that unlock bits of EFER. */
static const struct {
	uint32_t function;
	bool in_edx, in_ecx;
	uint8_t bit;
	uint64_t efer;
} efer_features[] = {
	{ 0x80000001, true, false, 20, EFER_NXE },
	{ 0x80000001, true, false, 25, EFER_FFXSR },
	{ 0x80000001, true, false, 29, EFER_LME | EFER_LMA },
	{ 0x80000001, false, true, 2, EFER_SVME },
	{ 0x80000001, false, true, 17, EFER_TCE },
	{ 0x80000021, false, false, 8, EFER_AIBRSE },
};

#define NR_FEATURES (sizeof(efer_features) / sizeof(efer_features[0]))

/* As vmx_vcpu_after_set_cpuid(); SDM volume 2, "CPUID": leaf 1, leaf 7. */
static uint64_t feature_control_of(const struct kvm_cpuid_entry2 *e)
{
	if (e->function == 1)
		return e->ecx & (1u << 5) ? FEATURE_VMX : 0;
	if (e->function != 7 || e->index)
		return 0;
	return (e->ebx & (1u << 2) ? FEATURE_SGX : 0) |
	       (e->ecx & (1u << 30) ? FEATURE_SGX_LC : 0);
}

/* SDM volume 2, "CPUID": leaf 1 EAX; APM volume 3, "CPUID Fn0000_0001_EAX". */
static void read_signature(struct guest *guest, uint32_t eax)
{
	uint32_t family = eax >> 8 & 0xf, model = eax >> 4 & 0xf;

	if (family == 0x6 || family == 0xf)
		model |= eax >> 12 & 0xf0;
	if (family == 0xf)
		family += eax >> 20 & 0xff;
	guest->family = (uint16_t)family;
	guest->model = (uint16_t)model;
}

static void read_vendor(struct guest *guest, const struct kvm_cpuid_entry2 *e)
{
	const uint32_t words[3] = { e->ebx, e->edx, e->ecx };

	memcpy(guest->vendor, words, sizeof(guest->vendor));
	guest->known = true;
}

static void read_entry(struct guest *guest, const struct kvm_cpuid_entry2 *e)
{
	for (size_t i = 0; i < NR_FEATURES; i++) {
		uint32_t word = efer_features[i].in_edx ? e->edx :
				efer_features[i].in_ecx ? e->ecx : e->eax;

		if (e->function == efer_features[i].function &&
		    word & (1u << efer_features[i].bit))
			guest->efer_forbidden &= ~efer_features[i].efer;
	}
	if (e->function == 0)
		read_vendor(guest, e);
	if (e->function == 1)
		read_signature(guest, e->eax);
	if (e->function == 0x80000001 && e->ecx & (1u << 2))
		guest->svm = true;
	/* RDTSCP; leaf 7 ECX.RDPID */
	if (e->function == 0x80000001 && e->edx & (1u << 27))
		guest->tsc_aux |= AUX_RDTSCP;
	if (e->function == 7 && !e->index && e->ecx & (1u << 22))
		guest->tsc_aux |= AUX_RDPID;
	guest->feature_control |= feature_control_of(e);
	/* SDM volume 2, "CPUID": leaf 1 ECX.VMX; leaf 7 subleaf 1 EAX.FRED. */
	if (e->function == 1 && e->ecx & (1u << 5))
		guest->vmx = true;
	if (e->function == 7 && e->index == 1 && e->eax & (1u << 17))
		guest->fred = true;
}

/* The first entry for @function, or NULL. KVM takes the first as well. */
static const struct kvm_cpuid_entry2 *find_entry(const struct kvm_cpuid2 *cpuid,
						 uint32_t function)
{
	for (uint32_t i = 0; cpuid && i < cpuid->nent; i++)
		if (cpuid->entries[i].function == function)
			return &cpuid->entries[i];
	return NULL;
}

/* As cpuid_query_maxphyaddr(): 36 bits, unless leaf 0x80000008 has another number. */
static uint64_t reserved_gpa_bits(const struct kvm_cpuid2 *cpuid)
{
	const struct kvm_cpuid_entry2 *last = find_entry(cpuid, 0x80000000);
	const struct kvm_cpuid_entry2 *size = find_entry(cpuid, 0x80000008);
	uint32_t width = 36;

	if (last && last->eax >= 0x80000008 && size)
		width = size->eax & 0xff;
	return width > 63 ? 0 : ~0ull << width;
}

uint8_t linear_bits_from_cpuid(const struct kvm_cpuid2 *cpuid)
{
	const struct kvm_cpuid_entry2 *size = find_entry(cpuid, 0x80000008);
	uint32_t bits = size ? size->eax >> 8 & 0xff : 0;

	return bits > 48 && bits < 64 ? (uint8_t)bits : 48;
}

void guest_from_cpuid(struct guest *guest, const struct kvm_cpuid2 *cpuid)
{
	uint64_t sysenter = guest->sysenter, cs = guest->sysenter_cs;

	*guest = (struct guest){ .sysenter = sysenter ? sysenter : ~0ull,
				 .sysenter_cs = cs ? cs : ~0ull,
				 .linear_bits = guest->linear_bits,
				 .feature_control = FEATURE_LOCK };
	for (size_t i = 0; i < NR_FEATURES; i++)
		guest->efer_forbidden |= efer_features[i].efer;
	for (uint32_t i = 0; cpuid && i < cpuid->nent; i++)
		read_entry(guest, &cpuid->entries[i]);
	guest->gpa_reserved = reserved_gpa_bits(cpuid);
}
