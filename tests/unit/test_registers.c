// SPDX-License-Identifier: GPL-2.0-only
/* The table of registers: the register of an index, and the register of a name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/policy/register_index.h"
#include "lib/policy/register_names.h"
#include "lib/policy/registers.h"

/* Walks over all rows and members. */
static const struct regpin_register *slow_find(uint32_t index)
{
	for (unsigned int i = 0; i < regpin_nr_registers; i++) {
		const struct regpin_register *reg = &regpin_registers[i];

		for (uint32_t n = 0; reg->kind == REGPIN_MSR && n < reg->count;
		     n++)
			if (reg->index + n * reg->stride == index)
				return reg;
	}
	return NULL;
}

/* Each member, and the indexes before and after it. */
static void by_index(void **state)
{
	for (unsigned int i = 0; i < regpin_nr_registers; i++) {
		const struct regpin_register *reg = &regpin_registers[i];

		if (reg->kind != REGPIN_MSR)
			continue;
		for (uint32_t n = 0; n < reg->count; n++)
			for (uint32_t d = 0; d < 3; d++) {
				uint32_t index = reg->index + n * reg->stride +
						 d - 1;
				const struct regpin_register *found =
					register_find(REGPIN_MSR, index);

				assert_ptr_equal(found, slow_find(index));
				if (d == 1)
					assert_ptr_equal(found, reg);
			}
	}
	assert_null(register_find(REGPIN_MSR, UINT32_MAX));
	/* A bank of AMD's has sixteen numbers, the eighth of which is unused. */
	assert_null(register_find(REGPIN_MSR, 0xc0002017));
	assert_string_equal(register_find(REGPIN_MSR, 0xc0002016)->name,
			    "MCA_SYND_");
}

/* Compares register_within() with a walk over the members. */
static void within(void **state)
{
	for (unsigned int i = 0; i < regpin_nr_names; i++) {
		const struct regpin_register *reg = &regpin_registers[i];

		if (reg->kind != REGPIN_MSR || reg->count == 1)
			continue;
		for (uint32_t first = reg->index ? reg->index - 1 : 0;
		     first <= register_last(reg) + 1; first++)
			for (uint32_t last = first;
			     last < first + 2u * reg->stride; last++) {
				bool any = false;

				for (uint32_t at = first; at <= last; at++)
					any |= register_has(reg, at);
				if (register_within(reg, first, last) != any)
					fail_msg("%s: 0x%x-0x%x", reg->name,
						 first, last);
			}
	}
}

static void assert_named(const char *text, const struct regpin_register *reg,
			 uint32_t index, bool whole)
{
	struct register_named named;

	if (!register_by_name(text, &named))
		fail_msg("%s is not a name", text);
	if (named.reg != reg || named.index != index || named.whole != whole)
		fail_msg("%s is %s at 0x%x", text, named.reg->name,
			 named.index);
}

/* Every name that is printed is also accepted, with MSR_ in front as well. */
static void round_trip(void **state)
{
	char name[REGISTER_TITLE_MAX];

	for (unsigned int i = 0; i < regpin_nr_names; i++) {
		const struct regpin_register *reg = &regpin_registers[i];

		for (uint32_t n = 0; n < reg->count; n++) {
			uint32_t index = reg->index + n * reg->stride;

			register_title(name, reg, index);
			assert_named(name, reg, index, false);
		}
		if (reg->count > 1)
			assert_named(register_whole(name, reg), reg,
				     reg->index, true);
	}
}

static const struct {
	const char *text;
	uint32_t index;
} spellings[] = {
	{ "MSR_IA32_LSTAR", 0xc0000082 }, { "msr_ia32_efer", 0xc0000080 },
	{ "MSR_PAT", 0x277 }, { "MSR_IA32_PAT", 0x277 },
	{ "IA32_MC0_CTL", 0x400 }, { "MSR_IA32_MC31_MISC", 0x47f },
	{ "MSR_IA32_MCx_STATUS(4)", 0x411 }, { "IA32_MC3_CTL2", 0x283 },
	{ "IA32_MTRR_PHYSBASE9", 0x212 }, { "MTRRphysMask_MSR(2)", 0x205 },
	{ "IA32_SGXLEPUBKEYHASH2", 0x8e }, { "IA32_RTIT_ADDR2_B", 0x585 },
	{ "IA32_X2APIC_ISR7", 0x817 }, { "IA32_PERFEVTSEL0", 0x186 },
	{ "MSR_SANDY_BRIDGE_PKG_C3_RESIDENCY", 0x3f8 },
	{ "MSR_ATOM_PKG_C2_RESIDENCY", 0x3f8 },
	{ "MSR_PKG_C2_RESIDENCY", 0x60d },
	{ "MSR_K8_TOP_MEM1", 0xc001001a }, { "SMM_BASE", 0xc0010111 },
	{ "IA32_SMBASE", 0x9e }, { "MSR_LASTBRANCH_3_FROM_IP", 0x683 },
	{ "MSR_CORE2_LASTBRANCH_3_FROM_IP", 0x43 },
	/* Linux's name means the full-width counter, the manual's name the other one. */
	{ "MSR_IA32_PMC0", 0x4c1 }, { "IA32_PMC0", 0xc1 },
	{ "MSR_AMD_PERF_CTL", 0xc0010062 }, { "MSR_IA32_PERF_CTL", 0x199 },
	{ "MSR_AMD_PPIN", 0xc00102f1 }, { "AMD64_PPIN", 0xc00102f1 },
	{ "MSR_PPIN", 0x4f }, { "HV_X64_MSR_STIMER2_COUNT", 0x400000b5 },
	{ "MSR_AMD64_SMCA_MC5_IPID", 0xc0002055 },
	{ "MSR_HASWELL_E_C17_PMON_CTR3", 0xf1b },
	{ "MSR_P6_PERFCTR(1)", 0xc2 }, { "MSR_RTIT_ADDR_B(3)", 0x587 },
	{ "PERF_CTL3", 0xc0010206 }, { "MSR_F15H_PERF_CTR5", 0xc001020b },
};

static void names(void **state)
{
	struct register_named named;

	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		if (!register_by_name(spellings[i].text, &named))
			fail_msg("%s is not a name", spellings[i].text);
		if (named.index != spellings[i].index)
			fail_msg("%s is at 0x%x", spellings[i].text,
				 named.index);
		assert_false(named.whole);
	}
	assert_true(register_by_name("IA32_MCi_CTL", &named) && named.whole);
	assert_true(register_by_name("IA32_MC#_CTL", &named) && named.whole);
	assert_true(register_by_name("IA32_PMC", &named) && named.whole);
}

static void no_names(void **state)
{
	static const char *const texts[] = {
		"", "_", "MSR_", "IA32_", "MSR_IA32_", "IA32_MC32_CTL",
		"IA32_MC00_CTL", "IA32_MC_1_CTL", "IA32_MC0_CTLX", "EFER0",
		"IA32_PMC8", "IA32_PMC-1", "IA32_PMC4294967296", "IA32_PMCi",
		"MTRRphysBase10", "IA32_MC0_FOO", "P4_CRU_ESCR6",
		"IA32_PMC(8)", "IA32_PMC(1", "IA32_PMC()", "(1)", "IA32_PMC(1)0",
		"IA32_L3_QOS_MASK_1(2)",
		/* Names of another vendor's or another model's registers. */
		"AMD64_FEATURE_CONTROL", "MSR_INTEL_HWCR", "K8_MISC_ENABLE",
		"HV_EFER", "KVM_LSTAR", "MSR_AMD64_KVM_STEAL_TIME",
	};
	struct register_named named;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (register_by_name(texts[i], &named))
			fail_msg("%s is %s", texts[i], named.reg->name);
}

static void assert_meant(const char *text, const char *name)
{
	const struct regpin_register *rows[2];
	unsigned int nr = register_by_words(text, rows, 2);

	if (nr != (name ? 1 : 0) || (name && strcmp(rows[0]->name, name) != 0))
		fail_msg("%s: %u, %s", text, nr, nr ? rows[0]->name : "-");
}

/* Only whole words match: a name that merely looks like another register's does not. */
static void by_words(void **state)
{
	assert_meant("AMD64_FEATURE_CONTROL", "IA32_FEATURE_CONTROL");
	assert_meant("FEATURECONTROL", "IA32_FEATURE_CONTROL");
	assert_meant("TEMPERATURE", "TEMPERATURE_TARGET");
	assert_meant("LIMIT_POWER_PP0", "PP0_POWER_LIMIT");
	assert_meant("EFER_MSR", "EFER");
	assert_meant("IA32_PEBS_ENABLED", NULL);
	assert_meant("MSR_IA32_BASE_FOO", NULL);
	assert_meant("SMM_BASIS", NULL);
	assert_meant("MSR_IA32_LSTAT", NULL);
	assert_meant("", NULL);
	assert_meant("_", NULL);
}

static void index_texts(void **state)
{
	static const struct {
		const char *text, *plain;
	} rows[] = {
		{ "MSR 0x64e", "0x64e" }, { "msr 0x64E", "0x64e" },
		{ "MSR[0x10a]", "0x10a" }, { "64eh", "0x64e" },
		{ "C0000080H", "0xc0000080" }, { "MSR C0000080H", "0xc0000080" },
		{ "MSRs 0x600-0x64f", "0x600-0x64f" },
		{ "MSR 0x600..0x64f", "0x600-0x64f" },
		{ "MSRC001_0015", "0xc0010015" }, { "msr0000_001b", "0x1b" },
		/* These are not changed. */
		{ "MSRC001_001", NULL }, { "MSRC001_00155", NULL },
		{ "MSRC0010015_", NULL }, { "MSRX001_0015", NULL },
		{ "0x64e", NULL }, { "0X64e", NULL }, { "174", NULL },
		{ "MSR 174", NULL }, { "MSR c0010015", NULL }, { "MSR", NULL },
		{ "MSR ", NULL }, { "MSR 0x", NULL }, { "h", NULL },
		{ "MSR 0x123456789", NULL }, { "MSR_LSTAR", NULL },
		{ "MSR 0x10 0x11", NULL }, { "MSR 0x10-", NULL }, { "", NULL },
		{ "BRANCH", NULL },
	};
	char to[REGISTER_TITLE_MAX];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *got = register_index_text(to, rows[i].text);

		if (rows[i].plain)
			assert_string_equal(got, rows[i].plain);
		else
			assert_ptr_equal(got, rows[i].text);
	}
}

/* Each name of a member finds that member, and each name of a family finds the family. */
static void all_names(void **state)
{
	char name[REGISTER_TITLE_MAX];

	for (unsigned int i = 0; i < regpin_nr_names; i++) {
		const struct regpin_register *reg = &regpin_registers[i];

		for (uint32_t n = 0; n < reg->count; n += reg->count / 4 + 1) {
			uint32_t index = reg->index + n * reg->stride;

			for (unsigned int k = 0;
			     register_name(name, reg, index, k); k++)
				assert_named(name, reg, index, false);
		}
		for (unsigned int k = 0; reg->count > 1 &&
		     register_whole_name(name, reg, k); k++)
			assert_named(name, reg, reg->index, true);
	}
}

static void bits(void **state)
{
	const struct regpin_register *efer = register_find(REGPIN_MSR,
							   MSR_EFER);

	assert_int_equal(register_bit(efer, "AIBRSE"), EFER_AIBRSE);
	assert_int_equal(register_bit(efer, "autoibrs"), EFER_AIBRSE);
	assert_int_equal(register_bit(efer, "NX"), EFER_NXE);
	assert_int_equal(register_bit(efer, "N"), 0);
	assert_int_equal(register_bit(efer, ""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_index),
		cmocka_unit_test(within),
		cmocka_unit_test(round_trip),
		cmocka_unit_test(names),
		cmocka_unit_test(no_names),
		cmocka_unit_test(by_words),
		cmocka_unit_test(index_texts),
		cmocka_unit_test(all_names),
		cmocka_unit_test(bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
