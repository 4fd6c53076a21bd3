// SPDX-License-Identifier: GPL-2.0-only
/* The guest must not be able to distinguish the two VMs. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "../build_policy.h"
#include "lib/policy/check_name.h"
#include "lib/policy/guest.h"
#include "lib/policy/registers.h"
#include "replay_pair.h"
#include "tiny_run.h"

#define MSR_TSC			0x10u
#define MSR_TSC_DEADLINE	0x6e0u

static const uint64_t edges[] = {
	0, ALL, 0x00007fffffffffff, 0x0000800000000000, 0xffff7fffffffffff,
	0xffff800000000000, 0x00ffffffffffffff, 0x0100000000000000,
	0xfeffffffffffffff, 0xff00000000000000, 0xff7fffffffffffff,
	0xffffffff81000000, 0xffffffff82a00080, 0x7fffffff, 0x80000000,
	0xffffffff, 0x100000000, 0x0007040600070406, 0x0606060606060606,
	0x0007010600070106, 0x0505050505050505, 0x0404040404040404,
	0x0202020202020202, 0x0303030303030303, 0x0000000000000002,
	0x0300000000000000, 0x0800000000000000, 0x0707070707070707,
	0x0101010101010101, 0x0023001000000000, 0x47700, 0x257fd5,
	/* MTRRs: a base, masks for 36 to 52 bits of address, the default type */
	0xc0000000, 0xc0000006, 0xc0000106, 0xfc0000800, 0xfff000000800,
	0xfffff00000800, 0x1fffff00000800, 0xc06, 0xc00, 0xc02, 0x1c06, 0x806,
	/* MISC_ENABLE as CPUs have it, and without its read-only bits */
	0x1800, 0x1801, 0x1881, 0x850089, 0x851889, 0x400851889, 0x41801,
	/* FEATURE_CONTROL: as firmware leaves it, and values that no guest has */
	0x5, 0x7, 0x3, 0x6, 0x100005, 0x100001, 0x60005, 0x40001, 0x160007,
	0xff07,
	/* SPEC_CTRL */
	0x1, 0x4, 0x405, 0x4ff,
	/* EFER: sensible and less sensible combinations */
	0xd01, 0xd00, 0x501, 0x500, 0x901, 0x101, 0x401, 0x100, 0x400, 0xc00,
	0x1d01, 0x4d01, 0x8d01, 0x5d01, 0x200d01, 0x2d01, 0x3d01, 0x20d01,
	0x40d01, 0xd03, 0xd09, 0x800, 0x801, 0xffff, 0xd00000d01,
};

static void add_value(struct values *values, uint64_t value)
{
	if (values->nr == MAX_VALUES)
		abort();
	values->list[values->nr++] = value;
}

void values_few(struct values *values, uint64_t base)
{
	values->nr = 0;
	add_value(values, 0);
	add_value(values, ALL);
	add_value(values, base);
	for (unsigned int i = 0; i < 64; i++)
		add_value(values, base ^ (1ull << i));
}

void values_all(struct values *values, uint64_t base)
{
	uint64_t seed = 0x5eed;

	values_few(values, base);
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
		add_value(values, edges[i]);
	for (unsigned int i = 0; i < 64; i++)
		add_value(values, 1ull << i);
	for (unsigned int i = 0; i < 8; i++)
		add_value(values, 0x0007040600070406 ^ ((uint64_t)i << (i * 8)));
	for (unsigned int i = 0; i < 30; i++)
		add_value(values, random64(&seed));
	/* Values that are more likely to be accepted: few bits, sign-extended, or small. */
	for (unsigned int i = 0; i < 30; i++)
		add_value(values, (uint64_t)((int64_t)random64(&seed) >>
					     (i % 2 ? 17 : 8)));
}

/*
 * All MSRs that KVM lists and reads, except those that a register under test changes
 * itself.
 */
static void list_others(struct pair *pair)
{
	struct {
		struct kvm_msr_list header;
		uint32_t indices[1000];
	} list = { .header.nmsrs = 1000 };
	struct others *others = &pair->list;

	if (ioctl(pair->plain_vm.kvm, KVM_GET_MSR_INDEX_LIST, &list))
		abort();
	/* KVM has these, but does not list them. */
	for (uint32_t i = MSR_MTRR_PHYSBASE0; i <= MSR_MTRR_PHYSMASK7; i++)
		list.header.indices[list.header.nmsrs++] = i;
	list.header.indices[list.header.nmsrs++] = 0x2ff;
	for (uint32_t i = 0; i < list.header.nmsrs; i++) {
		uint32_t index = list.header.indices[i];
		uint64_t value;

		if (index == MSR_TSC || index == MSR_TSC_DEADLINE ||
		    index - 0x40000000u < 0x1000 ||
		    tiny_get_msr(&pair->plain, index, &value) ||
		    tiny_get_msr(&pair->ours, index, &value))
			continue;
		if (others->header.nmsrs == MAX_OTHERS)
			abort();
		others->entries[others->header.nmsrs++].index = index;
	}
}

static void change_cpuid(struct tiny_vm *vm, const struct variant *variant)
{
	if (variant->spoil)
		variant->spoil(vm->cpuid);
	if (!variant->no_cpuid)
		return;
	free(vm->cpuid);
	vm->cpuid = NULL;
}

static uint32_t cpuid_word(const struct tiny_vm *vm, uint32_t function, bool edx)
{
	for (uint32_t i = 0; vm->cpuid && i < vm->cpuid->nent; i++) {
		const struct kvm_cpuid_entry2 *e = &vm->cpuid->entries[i];

		if (e->function == function && !e->index)
			return edx ? e->edx : e->ecx;
	}
	return 0;
}

/* AUX_* bits */
static unsigned int aux_of(const struct tiny_vm *vm)
{
	return (cpuid_word(vm, 0x80000001, true) & 1u << 27 ? AUX_RDTSCP : 0) |
	       (cpuid_word(vm, 7, false) & 1u << 22 ? AUX_RDPID : 0);
}

#define MCG_CTL_P	(1ull << 8)
#define MCG_LMCE_P	(1ull << 27)

static bool set_up_lmce(struct tiny_vcpu *vcpu)
{
	uint64_t cap = 10 | MCG_CTL_P | MCG_LMCE_P;

	return !ioctl(vcpu->fd, KVM_X86_SETUP_MCE, &cap);
}

const char *pair_open(struct pair *pair, const struct variant *variant,
		      enum tiny_mode mode, const struct regpin_policy *policy)
{
	static const uint8_t rdtscp[] = { 0x0f, 0x01, 0xf9, 0xf4 };
	const char *why = mode == TINY_LONG5 ? tiny_no_la57() : NULL;
	uint64_t value;

	memset(pair, 0, sizeof(*pair));
	if (why)
		return why;
	pair->by_host = !policy;
	tiny_vm_new(&pair->plain_vm);
	tiny_vm_new(&pair->ours_vm);
	pair->aux = aux_of(&pair->plain_vm);
	change_cpuid(&pair->plain_vm, variant);
	change_cpuid(&pair->ours_vm, variant);
	if (policy)
		tiny_vm_attach(&pair->ours_vm, policy, NULL, NULL);
	tiny_vcpu_new(&pair->plain_vm, &pair->plain, 0, mode);
	tiny_vcpu_new(&pair->ours_vm, &pair->ours, 0, mode);
	memcpy(pair->plain_vm.memory + TINY_CODE, rdtscp, sizeof(rdtscp));
	memcpy(pair->ours_vm.memory + TINY_CODE, rdtscp, sizeof(rdtscp));
	/* CPUID bits beyond those that KVM offers give the guest nothing. */
	pair->aux &= tiny_get_msr(&pair->plain, MSR_TSC_AUX, &value) ?
			     0 : aux_of(&pair->plain_vm);
	snprintf(pair->where, sizeof(pair->where), "%s, %s",
		 tiny_mode_names[mode], variant->name);
	if (variant->lmce &&
	    !(set_up_lmce(&pair->plain) && set_up_lmce(&pair->ours))) {
		pair_close(pair);
		return "this KVM offers no LMCE";
	}
	list_others(pair);
	return NULL;
}

void pair_close(struct pair *pair)
{
	tiny_vcpu_free(&pair->plain);
	tiny_vcpu_free(&pair->ours);
	tiny_vm_free(&pair->plain_vm);
	tiny_vm_free(&pair->ours_vm);
}

bool pair_has(struct pair *pair, uint32_t index)
{
	uint64_t value;

	/* The guest reads it, because KVM may have the register for the host only, as 0. */
	return !tiny_rdmsr(&pair->plain, index, &value) &&
	       (index != MSR_TSC_AUX || pair->aux);
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
	return (hash ^ value) * 0x100000001b3ull + (value >> 32);
}

/*
 * On SVM KVM keeps the low half of SYSENTER_ESP and SYSENTER_EIP for guests whose CPU
 * is not Intel's: the other half has no meaning there (SYSENTER is #UD in long mode). A
 * guest that writes them without regpin may read that half back, and reads 0 after a
 * replay.
 */
static uint64_t kept_bits(struct tiny_vcpu *vcpu, uint32_t index)
{
	uint64_t old = 0, seen = 0;

	if (index != MSR_SYSENTER_ESP && index != MSR_SYSENTER_EIP)
		return ~0ull;
	tiny_get_msr(vcpu, MSR_SYSENTER_EIP, &old);
	tiny_set_msr(vcpu, MSR_SYSENTER_EIP, ~0ull << 40);
	tiny_get_msr(vcpu, MSR_SYSENTER_EIP, &seen);
	tiny_set_msr(vcpu, MSR_SYSENTER_EIP, old);
	return seen ? ~0ull : 0xffffffffull;
}

/* Everything else that the write could have changed: other MSRs and control registers. */
static uint64_t see_rest(struct pair *pair, struct tiny_vcpu *vcpu,
			 uint32_t index)
{
	struct others others = pair->list;
	struct kvm_sregs sregs;
	uint64_t hash;
	int nr = ioctl(vcpu->fd, KVM_GET_MSRS, &others);

	tiny_get_sregs(vcpu, &sregs);
	hash = mix(mix(mix(sregs.cr0, sregs.cr4), sregs.efer), sregs.apic_base);
	hash = mix(hash, (uint64_t)nr);
	for (int i = 0; i < nr; i++) {
		uint32_t other = others.entries[i].index;
		uint64_t value = others.entries[i].data;

		if (other == MSR_SYSENTER_ESP || other == MSR_SYSENTER_EIP)
			value = (uint32_t)value;
		if (other != index)
			hash = mix(hash, value);
	}
	return hash;
}

static uint32_t run_rdtscp(struct tiny_vcpu *vcpu)
{
	struct kvm_regs regs = { 0 };

	tiny_prepare(vcpu, TINY_CODE, 0, 0);
	if (tiny_run(vcpu) || ioctl(vcpu->fd, KVM_GET_REGS, &regs))
		return 0xdead;
	return (uint32_t)regs.rcx;
}

static struct seen do_write(struct pair *pair, struct tiny_vcpu *vcpu,
			    uint32_t index, uint64_t value)
{
	struct seen seen = { 0 };

	if (pair->by_host && vcpu == &pair->ours)
		seen.wrote = tiny_set_msr(vcpu, index, value) ? TINY_GP : 0;
	else
		seen.wrote = tiny_wrmsr(vcpu, index, value);
	seen.read = tiny_rdmsr(vcpu, index, &seen.value);
	tiny_get_msr(vcpu, index, &seen.host);
	if (index == MSR_TSC_AUX && pair->aux & AUX_RDTSCP)
		seen.aux = run_rdtscp(vcpu);
	seen.rest = see_rest(pair, vcpu, index);
	return seen;
}

static bool same(const struct seen *a, const struct seen *b, uint64_t bits)
{
	return a->wrote == b->wrote && a->read == b->read &&
	       a->aux == b->aux && a->rest == b->rest &&
	       !((a->value ^ b->value) & bits) &&
	       !((a->host ^ b->host) & bits);
}

/*
 * In the lab the guest's own WRMSR is executed by QEMU's TCG, which accepts
 * non-canonical addresses (real CPUs and KVM do not) and keeps 16 bits of SYSENTER_CS.
 */
static bool tcg_differs(uint32_t index, uint64_t value)
{
	if (!getenv("TINY_TCG"))
		return false;
	if (index == MSR_LSTAR || index == MSR_CSTAR)
		return value + (1ull << 47) >= 1ull << 48;
	return index == MSR_SYSENTER_CS && value > 0xffff;
}

/* Both VMs get the same old value; EFER's is set with the mode's other registers. */
static bool set_start(struct pair *pair, uint32_t index, const uint64_t *start)
{
	if (index == MSR_EFER) {
		tiny_set_mode(&pair->plain, pair->plain.mode, start ? *start : 0);
		tiny_set_mode(&pair->ours, pair->ours.mode, start ? *start : 0);
		return true;
	}
	return !start || (!tiny_set_msr(&pair->plain, index, *start) &&
			  !tiny_set_msr(&pair->ours, index, *start));
}

struct outcome pair_compare(struct pair *pair, uint32_t index,
			    const struct values *values, const uint64_t *start)
{
	uint64_t bits = kept_bits(&pair->plain, index);
	struct outcome out = { 0 };

	for (unsigned int i = 0; i < values->nr; i++) {
		uint64_t value = values->list[i];
		struct seen a, b;

		if (tcg_differs(index, value) ||
		    !set_start(pair, index, start)) {
			out.left_out++;
			continue;
		}
		a = do_write(pair, &pair->plain, index, value);
		b = do_write(pair, &pair->ours, index, value);
		out.nr++;
		out.taken += a.wrote == 0;
		if (same(&a, &b, bits))
			continue;
		out.different++;
		if (pair->by_host)
			continue;
		printf("# 0x%x := 0x%" PRIx64 ": guest %d %d 0x%" PRIx64
		       " 0x%" PRIx64 " %x, replayed %d %d 0x%" PRIx64
		       " 0x%" PRIx64 " %x%s\n", index, value, a.wrote, a.read,
		       a.value, a.host, a.aux, b.wrote, b.read, b.value,
		       b.host, b.aux, a.rest == b.rest ? "" : ", and the rest");
	}
	return out;
}
