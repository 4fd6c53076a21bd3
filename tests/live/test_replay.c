// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two VMs do the same writes: in one KVM performs the guest's WRMSR, in the
 * other it is deflected and we perform it. The guest must not see which.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>

#include "../build_policy.h"
#include "tap.h"
#include "tiny.h"
#include "vm.h"

#define MAX_VALUES	400

enum cpuid { CPUID_HOST, CPUID_POOR, CPUID_NONE, CPUID_MAX };

static const char *const cpuid_names[CPUID_MAX] = {
	[CPUID_HOST] = "all of the host's CPUID",
	[CPUID_POOR] = "CPUID without LM, NX and FFXSR",
	[CPUID_NONE] = "no CPUID",
};

struct values {
	unsigned int nr;
	uint64_t list[MAX_VALUES];
};

static const uint64_t edges[] = {
	0, ALL, 0x00007fffffffffff, 0x0000800000000000, 0xffff7fffffffffff,
	0xffff800000000000, 0x00ffffffffffffff, 0x0100000000000000,
	0xfeffffffffffffff, 0xff00000000000000, 0xff7fffffffffffff,
	0xffffffff81000000, 0xffffffff82a00080, 0x7fffffff, 0x80000000,
	0xffffffff, 0x100000000, 0x0007040600070406, 0x0606060606060606,
	0x0007010600070106, 0x0505050505050505, 0x0404040404040404,
	0x0202020202020202, 0x0303030303030303, 0x0000000000000002,
	0x0300000000000000, 0x0800000000000000, 0x0707070707070707,
	0x0023001000000000, 0x47700, 0x257fd5,
	/* EFER: sensible and less sensible combinations */
	0xd01, 0xd00, 0x501, 0x500, 0x901, 0x101, 0x401, 0x100, 0x400, 0xc00,
	0x1d01, 0x4d01, 0x8d01, 0x5d01, 0x200d01, 0x2d01, 0x3d01, 0x20d01,
	0x40d01, 0xd03, 0xd09, 0x800, 0x801, 0xffff, 0xd00000d01,
};

static void add_value(struct values *values, uint64_t value)
{
	if (values->nr < MAX_VALUES)
		values->list[values->nr++] = value;
}

static void make_values(struct values *values, uint64_t base)
{
	uint64_t seed = 0x5eed;

	values->nr = 0;
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
		add_value(values, edges[i]);
	for (unsigned int i = 0; i < 64; i++) {
		add_value(values, 1ull << i);
		add_value(values, base ^ (1ull << i));
	}
	for (unsigned int i = 0; i < 8; i++)
		add_value(values, 0x0007040600070406 ^ ((uint64_t)i << (i * 8)));
	for (unsigned int i = 0; i < 30; i++)
		add_value(values, random64(&seed));
	/* Likelier to be taken: few bits, sign-extended, or small. */
	for (unsigned int i = 0; i < 30; i++)
		add_value(values, (uint64_t)((int64_t)random64(&seed) >>
					     (i % 2 ? 17 : 8)));
}

/* What the guest and the VMM see of one write. */
struct seen {
	int wrote, read;
	uint64_t value, host;
};

static struct seen do_write(struct tiny_vcpu *vcpu, uint32_t index,
			    uint64_t value)
{
	struct seen seen = { 0 };

	seen.wrote = tiny_wrmsr(vcpu, index, value);
	seen.read = tiny_rdmsr(vcpu, index, &seen.value);
	tiny_get_msr(vcpu, index, &seen.host);
	return seen;
}

/*
 * On SVM KVM keeps the low half of SYSENTER_ESP and SYSENTER_EIP for guests that
 * are not Intel's: their other half means nothing there (SYSENTER is #UD in long
 * mode). A guest that writes them past KVM may read that half back, and after a
 * replay reads 0.
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

static bool same(const struct seen *a, const struct seen *b, uint64_t bits)
{
	return a->wrote == b->wrote && a->read == b->read &&
	       !((a->value ^ b->value) & bits) &&
	       !((a->host ^ b->host) & bits);
}

/*
 * In the lab the guest's own WRMSR is QEMU TCG's, which takes non-canonical
 * addresses (real CPUs and KVM don't) and keeps 16 bits of SYSENTER_CS.
 */
static bool tcg_differs(uint32_t index, uint64_t value)
{
	if (!getenv("TINY_TCG"))
		return false;
	if (index == MSR_LSTAR || index == MSR_CSTAR)
		return value + (1ull << 47) >= 1ull << 48;
	return index == MSR_SYSENTER_CS && value > 0xffff;
}

static void compare_register(struct tiny_vcpu *plain, struct tiny_vcpu *ours,
			     uint32_t index, const char *where)
{
	unsigned int different = 0, taken = 0, left_out = 0;
	struct values values;
	uint64_t base = 0, bits = kept_bits(plain, index);

	tiny_get_msr(plain, index, &base);
	make_values(&values, base);
	for (unsigned int i = 0; i < values.nr; i++) {
		uint64_t value = values.list[i];
		struct seen a, b;

		if (tcg_differs(index, value)) {
			left_out++;
			continue;
		}
		if (index == MSR_EFER) {
			tiny_set_mode(plain, plain->mode, 0);
			tiny_set_mode(ours, ours->mode, 0);
		}
		a = do_write(plain, index, value);
		b = do_write(ours, index, value);
		taken += a.wrote == 0;
		if (same(&a, &b, bits))
			continue;
		different++;
		printf("# 0x%x := 0x%" PRIx64 ": guest %d %d 0x%" PRIx64
		       " 0x%" PRIx64 ", replayed %d %d 0x%" PRIx64
		       " 0x%" PRIx64 "\n", index, value, a.wrote, a.read,
		       a.value, a.host, b.wrote, b.read, b.value, b.host);
	}
	ok(!different && taken, "%s%s: %u values, %u of them taken, in %s",
	   regpin_register_name(REGPIN_MSR, index),
	   bits == ~0ull ? "" : " (low half)", values.nr - left_out, taken,
	   where);
}

static void spoil_cpuid(struct kvm_cpuid2 *cpuid)
{
	for (uint32_t i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == 0x80000001)
			cpuid->entries[i].edx &=
				~(1u << 20 | 1u << 25 | 1u << 29);
}

static void set_cpuid(struct tiny_vm *vm, enum cpuid cpuid)
{
	if (cpuid == CPUID_POOR)
		spoil_cpuid(vm->cpuid);
	if (cpuid != CPUID_NONE)
		return;
	free(vm->cpuid);
	vm->cpuid = NULL;
}

static void compare(const struct regpin_policy *policy, enum tiny_mode mode,
		    enum cpuid cpuid)
{
	struct tiny_vm plain_vm, ours_vm;
	struct tiny_vcpu plain, ours;
	char where[120];

	tiny_vm_new(&plain_vm);
	if (mode == TINY_LONG5 && !tiny_has_la57(&plain_vm)) {
		tap_skip(tiny_mode_names[mode], "this KVM offers no LA57");
		tiny_vm_free(&plain_vm);
		return;
	}
	tiny_vm_new(&ours_vm);
	set_cpuid(&plain_vm, cpuid);
	set_cpuid(&ours_vm, cpuid);
	tiny_vm_attach(&ours_vm, policy, NULL, NULL);
	tiny_vcpu_new(&plain_vm, &plain, 0, mode);
	tiny_vcpu_new(&ours_vm, &ours, 0, mode);
	snprintf(where, sizeof(where), "%s, %s", tiny_mode_names[mode],
		 cpuid_names[cpuid]);
	for (int i = 0; i < NR_REPLAY; i++) {
		if (replay_registers[i] == MSR_EFER && mode < TINY_LONG &&
		    tiny_no_unpaged_lme())
			tap_skip(where, tiny_no_unpaged_lme());
		else
			compare_register(&plain, &ours, replay_registers[i],
					 where);
	}
	tiny_vcpu_free(&plain);
	tiny_vcpu_free(&ours);
	tiny_vm_free(&plain_vm);
	tiny_vm_free(&ours_vm);
}

int main(void)
{
	struct regpin_policy *policy = new_policy(ARM_START);
	const char *why_not = tiny_why_not();

	if (why_not)
		tap_skip_all(why_not);
	/* Every write violates these, and is performed all the same. */
	for (int i = 0; i < NR_REPLAY; i++)
		add_deny(policy, replay_registers[i], 1, ACCESS_WRITE,
			 REGPIN_REPORT);
	ok(!finish_policy(policy), "the policy is valid");
	for (int mode = 0; mode < TINY_MODE_MAX; mode++)
		compare(policy, (enum tiny_mode)mode, CPUID_HOST);
	for (int mode = 0; mode < TINY_LONG; mode++) {
		compare(policy, (enum tiny_mode)mode, CPUID_POOR);
		compare(policy, (enum tiny_mode)mode, CPUID_NONE);
	}
	free(policy);
	return tap_done();
}
