// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two VMs do the same writes: in one KVM performs the guest's WRMSR, in the other it
 * exits and regpin performs it. The guest must not be able to distinguish them.
 *
 *	test_live_replay [NAME ...]: only these registers
 */
#include <inttypes.h>
#include <string.h>

#include "../build_policy.h"
#include "lib/policy/policy.h"
#include "lib/policy/registers.h"
#include "replay_pair.h"
#include "tap.h"

#define IN(mode)	(1u << (mode))
#define UNPAGED		(IN(TINY_REAL) | IN(TINY_PROTECTED))
#define EVERYWHERE	(IN(TINY_MODE_MAX) - 1)

enum word { EAX, ECX, EDX };

static void cpuid_change(struct kvm_cpuid2 *cpuid, uint32_t function,
			 enum word word, uint32_t clear, uint32_t set)
{
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *e = &cpuid->entries[i];
		__u32 *at = word == EAX ? &e->eax : word == ECX ? &e->ecx :
								  &e->edx;

		if (e->function == function && !e->index)
			*at = (*at & ~clear) | set;
	}
}

static void poor(struct kvm_cpuid2 *cpuid)
{
	cpuid_change(cpuid, 0x80000001, EDX, 1u << 20 | 1u << 25 | 1u << 29, 0);
}

static void no_nx(struct kvm_cpuid2 *cpuid)
{
	cpuid_change(cpuid, 0x80000001, EDX, 1u << 20, 0);
}

static void no_ffxsr(struct kvm_cpuid2 *cpuid)
{
	cpuid_change(cpuid, 0x80000001, EDX, 1u << 25, 0);
}

static void no_lm(struct kvm_cpuid2 *cpuid)
{
	cpuid_change(cpuid, 0x80000001, EDX, 1u << 29, 0);
}

/*
 * More bits than KVM may offer: TCE and AutoIBRS, which it accepts if the host's CPU
 * has them.
 */
static void rich(struct kvm_cpuid2 *cpuid)
{
	cpuid_change(cpuid, 0x80000001, ECX, 0, 1u << 17);
	cpuid_change(cpuid, 0x80000021, EAX, 0, 1u << 8);
}

static void no_aux(struct kvm_cpuid2 *cpuid)
{
	cpuid_change(cpuid, 0x80000001, EDX, 1u << 27, 0);
	cpuid_change(cpuid, 7, ECX, 1u << 22, 0);
}

static void only_rdtscp(struct kvm_cpuid2 *cpuid)
{
	cpuid_change(cpuid, 7, ECX, 1u << 22, 0);
	cpuid_change(cpuid, 0x80000001, EDX, 0, 1u << 27);
}

/* Only if KVM offers it. */
static void only_rdpid(struct kvm_cpuid2 *cpuid)
{
	cpuid_change(cpuid, 0x80000001, EDX, 1u << 27, 0);
}

static void bits36(struct kvm_cpuid2 *cpuid)
{
	cpuid_change(cpuid, 0x80000008, EAX, 0xff, 36);
}

static void bits_unsaid(struct kvm_cpuid2 *cpuid)
{
	cpuid_change(cpuid, 0x80000000, EAX, ~0u, 0x80000007);
}

static void no_mtrr(struct kvm_cpuid2 *cpuid)
{
	cpuid_change(cpuid, 1, EDX, 1u << 12, 0);
}

/* Only if KVM offers it; otherwise this guest is like the others. */
static void with_vmx(struct kvm_cpuid2 *cpuid)
{
	cpuid_change(cpuid, 1, ECX, 0, 1u << 5);
}

static bool is_feature_control(uint32_t index)
{
	return index == MSR_FEATURE_CONTROL;
}

static bool is_efer(uint32_t index)
{
	return index == MSR_EFER;
}

static bool is_tsc_aux(uint32_t index)
{
	return index == MSR_TSC_AUX;
}

static bool is_mtrr(uint32_t index)
{
	return index - MSR_MTRR_PHYSBASE0 < 0x70 || index == 0x2ff;
}

static bool is_variable_mtrr(uint32_t index)
{
	return index == MSR_MTRR_PHYSBASE0 || index == MSR_MTRR_PHYSMASK7;
}

static const struct variant variants[] = {
	{ .name = "all of the host's CPUID", .modes = EVERYWHERE,
	  .from_starts = true },
	{ .name = "CPUID without LM, NX and FFXSR", .modes = UNPAGED,
	  .spoil = poor },
	{ .name = "no CPUID", .modes = UNPAGED, .no_cpuid = true },
	{ .name = "CPUID without NX", .modes = EVERYWHERE, .spoil = no_nx,
	  .concerns = is_efer },
	{ .name = "CPUID without FFXSR", .modes = EVERYWHERE,
	  .spoil = no_ffxsr, .concerns = is_efer },
	{ .name = "CPUID without LM", .modes = UNPAGED, .spoil = no_lm,
	  .concerns = is_efer },
	{ .name = "CPUID with TCE and AutoIBRS", .modes = EVERYWHERE,
	  .spoil = rich, .concerns = is_efer },
	{ .name = "CPUID without RDTSCP and RDPID", .modes = EVERYWHERE,
	  .spoil = no_aux, .concerns = is_tsc_aux },
	{ .name = "RDTSCP without RDPID", .modes = EVERYWHERE,
	  .spoil = only_rdtscp, .concerns = is_tsc_aux, .from_starts = true },
	{ .name = "CPUID without RDTSCP", .modes = EVERYWHERE,
	  .spoil = only_rdpid, .concerns = is_tsc_aux },
	{ .name = "36 address bits", .modes = UNPAGED | IN(TINY_LONG),
	  .spoil = bits36, .concerns = is_variable_mtrr },
	{ .name = "CPUID without leaf 0x80000008", .modes = IN(TINY_PROTECTED),
	  .spoil = bits_unsaid, .concerns = is_variable_mtrr },
	{ .name = "CPUID without MTRR", .modes = IN(TINY_PROTECTED),
	  .spoil = no_mtrr, .concerns = is_mtrr },
	{ .name = "CPUID with VMX", .modes = EVERYWHERE, .spoil = with_vmx,
	  .concerns = is_feature_control, .from_starts = true },
	{ .name = "CPUID with VMX, and LMCE", .modes = UNPAGED,
	  .spoil = with_vmx, .concerns = is_feature_control, .lmce = true,
	  .from_starts = true },
	{ .name = "LMCE", .modes = IN(TINY_LONG), .lmce = true,
	  .concerns = is_feature_control, .from_starts = true },
	{ .name = "no CPUID, but LMCE", .modes = IN(TINY_PROTECTED),
	  .no_cpuid = true, .lmce = true, .concerns = is_feature_control,
	  .from_starts = true },
};

/* Old values from which each write is made: they show which bits lock. */
static const struct {
	uint32_t index;
	uint64_t old;
} starts[] = {
	{ MSR_EFER, 0x801 },
	{ MSR_EFER, 0x1 },
	{ MSR_STAR, 0x0023001000000000 },
	{ MSR_LSTAR, 0xffffffff81000000 },
	{ MSR_CSTAR, 0xffffffff81001000 },
	{ MSR_SFMASK, 0x257fd5 },
	{ MSR_SYSENTER_CS, 0x10 },
	{ MSR_SYSENTER_ESP, 0x7fff0000 },
	{ MSR_SYSENTER_EIP, 0xffffffff81002000 },
	{ MSR_PAT, 0x0007010600070106 },
	{ MSR_TSC_AUX, 0xffffffff },
	{ MSR_TSC_AUX, 0 },
	{ MSR_FEATURE_CONTROL, 0 },
	{ MSR_FEATURE_CONTROL, 0x6 },
	{ MSR_FEATURE_CONTROL, 0x160006 },
	{ MSR_FEATURE_CONTROL, 0x5 },
	{ MSR_FEATURE_CONTROL, 0x1 },
	{ MSR_MTRR_PHYSBASE0, 0xc0000006 },
	{ MSR_MTRR_PHYSMASK7, 0xfc0000800 },
	{ 0x250, 0x0606060606060606 },
	{ 0x2ff, 0xc06 },
};

static const char *name_of(uint32_t index)
{
	return regpin_register_name(REGPIN_MSR, index);
}

/* There are many MTRRs, and KVM has the same code for each kind: see values_few(). */
static bool one_of_many(uint32_t index)
{
	return is_mtrr(index) && index != MSR_MTRR_PHYSBASE0 &&
	       index != MSR_MTRR_PHYSMASK7 && index != 0x250 && index != 0x2ff;
}

static char *const *only;	/* ends with NULL; NULL for all */

static bool wanted(uint32_t index)
{
	for (char *const *name = only; name && *name; name++)
		if (!strcmp(*name, name_of(index)))
			return true;
	return !only;
}

/* Has this guest any register to test? */
static bool any_wanted(const struct variant *variant)
{
	for (unsigned int i = 0; i < regpin_nr_registers; i++) {
		const struct regpin_register *reg = &regpin_registers[i];

		if (reg->replay && wanted(reg->index) &&
		    (!variant->concerns || variant->concerns(reg->index)))
			return true;
	}
	return false;
}

static void compare_register(struct pair *pair, uint32_t index)
{
	struct values values;
	struct outcome out;
	uint64_t base = 0;

	tiny_get_msr(&pair->plain, index, &base);
	if (one_of_many(index))
		values_few(&values, base);
	else
		values_all(&values, base);
	out = pair_compare(pair, index, &values, NULL);
	ok(!out.different && out.nr && !out.taken == !pair_has(pair, index),
	   "%s: %u values, %u of them accepted, in %s%s", name_of(index), out.nr,
	   out.taken, pair->where,
	   pair_has(pair, index) ? "" : ": this guest does not have it");
}

static bool is_locked(uint32_t index, uint64_t old)
{
	return is_feature_control(index) && old & 1;
}

static void compare_starts(struct pair *pair, const struct variant *variant)
{
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		uint32_t index = starts[i].index;
		struct values values;
		struct outcome out;

		if (!wanted(index) || !pair_has(pair, index) ||
		    (variant->concerns && !variant->concerns(index)) ||
		    (index == MSR_EFER && pair->plain.mode < TINY_LONG &&
		     tiny_no_unpaged_lme()))
			continue;
		/* set_start() adds what the mode needs. */
		values_few(&values, starts[i].old |
			   (index == MSR_EFER && pair->plain.mode >= TINY_LONG ?
				    EFER_LME | EFER_LMA : 0));
		out = pair_compare(pair, index, &values, &starts[i].old);
		ok(!out.different && out.nr &&
		   !out.taken == is_locked(index, starts[i].old),
		   "%s from 0x%" PRIx64 ": %u values, %u of them accepted, in %s",
		   name_of(index), starts[i].old, out.nr, out.taken,
		   pair->where);
	}
}

static void compare_all(struct pair *pair, const struct variant *variant)
{
	for (unsigned int i = 0; i < regpin_nr_registers; i++) {
		const struct regpin_register *reg = &regpin_registers[i];

		if (!reg->replay || !wanted(reg->index) ||
		    (variant->concerns ? !variant->concerns(reg->index) :
		     variant != variants && one_of_many(reg->index)))
			continue;
		if (reg->index == MSR_EFER && pair->plain.mode < TINY_LONG &&
		    tiny_no_unpaged_lme())
			tap_skip(pair->where, tiny_no_unpaged_lme());
		else
			compare_register(pair, reg->index);
	}
	if (variant->from_starts &&
	    (variant != variants || pair->plain.mode != TINY_PROTECTED))
		compare_starts(pair, variant);
}

/* Every access violates this policy, and is performed nevertheless. */
static struct regpin_policy *report_policy(unsigned int access)
{
	struct regpin_policy *policy = new_policy(ARM_START);

	for (unsigned int i = 0; i < regpin_nr_registers; i++)
		if (regpin_registers[i].replay)
			add_deny(policy, regpin_registers[i].index, 1, access,
				 REGPIN_REPORT);
	policy->flags |= POLICY_ACCEPT_NESTED;
	ok(!finish_policy(policy), "the policy is valid");
	return policy;
}

int main(int argc, char **argv)
{
	const char *why_not = tiny_why_not();
	struct regpin_policy *writes, *both;
	static struct pair pair;

	if (why_not)
		tap_skip_all(why_not);
	only = argc > 1 ? argv + 1 : NULL;
	writes = report_policy(ACCESS_WRITE);
	both = report_policy(ACCESS_READ | ACCESS_WRITE);
	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		for (int mode = 0; mode < TINY_MODE_MAX; mode++) {
			if (!(variants[i].modes & IN(mode)) ||
			    !any_wanted(&variants[i]))
				continue;
			/*
			 * The guest's reads are performed by regpin, too, except in the
			 * first VM.
			 */
			why_not = pair_open(&pair, &variants[i],
					    (enum tiny_mode)mode,
					    i ? both : writes);
			if (why_not) {
				tap_skip(tiny_mode_names[mode], why_not);
				continue;
			}
			compare_all(&pair, &variants[i]);
			pair_close(&pair);
		}
	}
	free(writes);
	free(both);
	return tap_done();
}
