// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control for test_replay.c: the registers that are not replayed, and the reason. A
 * host's write of a register differs from the guest's where KVM checks something for
 * guests only. These are the registers of which docs/replay.md states that, and those
 * that regpin checks in KVM's stead. If they did not differ here, that comparison could
 * not detect anything.
 */
#include <inttypes.h>

#include "../build_policy.h"
#include "lib/policy/registers.h"
#include "replay_pair.h"
#include "tap.h"
#include "tiny_run.h"

#define MSR_TSC_ADJUST	0x3bu
#define MSR_TSC		0x10u

static void no_aux(struct kvm_cpuid2 *cpuid)
{
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *e = &cpuid->entries[i];

		if (e->function == 0x80000001)
			e->edx &= ~(1u << 27);
		if (e->function == 7 && !e->index)
			e->ecx &= ~(1u << 22);
	}
}

static const struct variant no_cpuid = { .name = "no CPUID", .no_cpuid = true };
static const struct variant without_aux = { .name = "no RDTSCP and RDPID",
					    .spoil = no_aux };

/* Registers that the host may write, and this guest may not, or not fully. */
static const struct {
	uint32_t index;
	const struct variant *variant;
} rows[] = {
	{ MSR_EFER, &no_cpuid },
	{ MSR_TSC_AUX, &without_aux },
	{ 0x34, &no_cpuid },		/* SMI_COUNT */
	{ 0x3a, &no_cpuid },		/* FEATURE_CONTROL */
	{ 0x48, &no_cpuid },		/* SPEC_CTRL */
	{ 0x8b, &no_cpuid },		/* BIOS_SIGN_ID */
	{ 0x10a, &no_cpuid },		/* ARCH_CAPABILITIES */
	{ 0x345, &no_cpuid },		/* PERF_CAPABILITIES */
	{ 0x6a2, &no_cpuid },		/* S_CET */
	{ 0x6a4, &no_cpuid },		/* PL0_SSP */
	{ 0xda0, &no_cpuid },		/* XSS */
	{ 0xc001011f, &no_cpuid },	/* VIRT_SPEC_CTRL */
};

/* Does the host's write have any effect, so that KVM has the register? */
static bool host_writes(struct tiny_vcpu *vcpu, uint32_t index)
{
	uint64_t old, now;

	if (tiny_get_msr(vcpu, index, &old))
		return false;
	for (unsigned int bit = 0; bit < 64; bit++)
		if (!tiny_set_msr(vcpu, index, old ^ (1ull << bit)) &&
		    !tiny_get_msr(vcpu, index, &now) && now != old)
			return !tiny_set_msr(vcpu, index, old);
	return false;
}

static const char *name_of(uint32_t index)
{
	return regpin_register_name(REGPIN_MSR, index);
}

static void differs(uint32_t index, const struct variant *variant)
{
	static struct pair pair;
	struct values values;
	struct outcome out;
	uint64_t base = 0;

	if (pair_open(&pair, variant, TINY_REAL, NULL))
		abort();
	tiny_get_msr(&pair.plain, index, &base);
	values_all(&values, base);
	if (!host_writes(&pair.ours, index)) {
		tap_skip(name_of(index), "this KVM cannot write it");
	} else {
		out = pair_compare(&pair, index, &values, NULL);
		ok(out.different,
		   "%s: the host's write differs from the guest's, for %u of %u values",
		   name_of(index), out.different, out.nr);
	}
	pair_close(&pair);
}

/*
 * KVM refuses SPEC_CTRL to a guest without its CPUID bits, and that is all that can be
 * compared. It is not replayed because newer CPUs of AMD let all guests write it
 * without KVM.
 */
static void test_spec_ctrl(void)
{
	static const struct variant all = { .name = "all" };
	const uint32_t index = 0x48;
	static struct pair pair;
	struct values values;
	struct outcome out;
	uint64_t base = 0;

	if (pair_open(&pair, &all, TINY_LONG, NULL))
		abort();
	values_all(&values, 0);
	if (getenv("TINY_TCG")) {
		tap_skip("IA32_SPEC_CTRL with its CPUID bits",
			 "this emulator lacks it, and drops the guest's writes");
	} else if (tiny_rdmsr(&pair.plain, index, &base) ||
		   !host_writes(&pair.ours, index)) {
		tap_skip("IA32_SPEC_CTRL with its CPUID bits",
			 "this guest lacks it");
	} else {
		out = pair_compare(&pair, index, &values, NULL);
		ok(!out.different && out.taken && out.taken < out.nr,
		   "IA32_SPEC_CTRL with its CPUID bits: the same for %u values, %u of them accepted",
		   out.nr, out.taken);
	}
	pair_close(&pair);
}

/* A guest moves its TSC by this register, a host does not. */
static void test_tsc_adjust(void)
{
	static const struct variant all = { .name = "all" };
	const uint64_t jump = 1ull << 50;
	uint64_t guest = 0, host = 0;
	static struct pair pair;

	if (pair_open(&pair, &all, TINY_REAL, NULL))
		abort();
	if (tiny_wrmsr(&pair.plain, MSR_TSC_ADJUST, jump) ||
	    tiny_set_msr(&pair.ours, MSR_TSC_ADJUST, jump)) {
		tap_skip("TSC_ADJUST", "this KVM cannot write it");
	} else {
		tiny_rdmsr(&pair.plain, MSR_TSC, &guest);
		tiny_rdmsr(&pair.ours, MSR_TSC, &host);
		if (guest < jump)
			tap_skip("TSC_ADJUST", "this KVM only stores it");
		else
			ok(host < jump,
			   "TSC_ADJUST: the guest's write moves the TSC, the host's does not: 0x%" PRIx64 ", 0x%" PRIx64,
			   guest, host);
	}
	pair_close(&pair);
}

/*
 * MISC_ENABLE: depending on its version KVM refuses to change the read-only bits, or
 * accepts it. No check by regpin could be correct for both.
 */
static void test_misc_enable(void)
{
	static const uint64_t bits[] = { 1u << 11, 1u << 12, 1u << 7 };
	static struct pair pair;
	unsigned int refused = 0;
	uint64_t old = 0, now = 0;

	if (pair_open(&pair, &no_cpuid, TINY_REAL, NULL))
		abort();
	if (!tiny_get_msr(&pair.plain, 0x1a0, &old)) {
		for (int i = 0; i < 3; i++) {
			if (tiny_wrmsr(&pair.plain, 0x1a0, old ^ bits[i]) ||
			    tiny_get_msr(&pair.plain, 0x1a0, &now) ||
			    now == old)
				refused++;
			tiny_set_msr(&pair.plain, 0x1a0, old);
		}
		ok(refused == 0 || refused == 3,
		   "MISC_ENABLE: this KVM withholds %u of BTS_UNAVAIL, PEBS_UNAVAIL and EMON from the guest, reset to 0x%" PRIx64,
		   refused, old);
	} else {
		tap_skip("MISC_ENABLE", "this KVM lacks them");
	}
	pair_close(&pair);
}

int main(void)
{
	const char *why_not = tiny_why_not();

	if (why_not)
		tap_skip_all(why_not);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].index == MSR_EFER && tiny_no_unpaged_lme())
			tap_skip("EFER", tiny_no_unpaged_lme());
		else
			differs(rows[i].index, rows[i].variant);
	}
	test_spec_ctrl();
	test_tsc_adjust();
	test_misc_enable();
	return tap_done();
}
