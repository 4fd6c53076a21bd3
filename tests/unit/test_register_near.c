// SPDX-License-Identifier: GPL-2.0-only
/* Which registers are proposed for an unknown name. */
#include "cm.h"
#include "lib/policy/register_names.h"
#include "lib/policy/registers.h"
#include "policy/register_near.h"
#include "policy/register_unknown.h"
#include "policy/register_unknown.h"
#include "policy/register_near.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>


static char names[MEANT_MAX][REGISTER_TITLE_MAX];

static void proposed(void **state)
{
	static const struct {
		const char *text, *name;
	} rows[] = {
		{ "EFERR", "EFER" }, { "EFFER", "EFER" }, { "EFRE", "EFER" },
		{ "LSTRA", "LSTAR" }, { "lstarr", "LSTAR" }, { "LSTR", "LSTAR" },
		{ "MSR_IA32_LSTAT", "LSTAR" }, { "SYSENTR-EIP", "SYSENTER_EIP" },
		{ "IA32_FEATRUE_CONTORL", "IA32_FEATURE_CONTROL" },
		{ "IA32_MC4_STATSU", "IA32_MC4_STATUS" },
		{ "IA32_MCi_STATSU", "IA32_MCi_STATUS" },
		{ "MSR_AMD64_OSVW_STATSU", "OSVW_STATUS" },
		{ "TOP_MEN2", "TOP_MEM2" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned int nr = register_near(rows[i].text, names);

		if (nr != 1 || strcmp(names[0], rows[i].name) != 0)
			fail_msg("%s: %u, %s", rows[i].text, nr,
				 nr ? names[0] : "-");
	}
	assert_int_equal(register_near("EPERF", names), 3);
}

/* These names are too far from all registers, or nearer to another one by accident. */
static void not_proposed(void **state)
{
	static const char *const texts[] = {
		"", "_", "MSR_", "-", "OCK", "PAR", "TSX", "gibberish",
		"SMM_BASIS", "IA32_PMC8", "IA32_MC32_CTL", "M4C_CTL",
		"MSR_IA32_UCODE_REF", "IA32_TSC_AUKS", "LSTAR_LSTAR", "XLSTARX",
		"IA32_DEFERRED",
	};
	char text[300];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (register_near(texts[i], names))
			fail_msg("%s: %s", texts[i], names[0]);
	memset(text, 'A', sizeof(text));
	text[sizeof(text) - 1] = 0;
	assert_int_equal(register_near(text, names), 0);
	memset(text, '1', sizeof(text) - 1);
	assert_int_equal(register_near(text, names), 0);
}

/* The length of the word to which the character @at of @name belongs. */
static size_t word_length(const char *name, const char *at)
{
	while (at > name && at[-1] != '_')
		at--;
	return strcspn(at, "_");
}

static bool proposes(const char *text, const struct regpin_register *reg)
{
	unsigned int nr = register_near(text, names);
	struct register_named named;

	/* With so many candidates none is proposed. */
	if (nr > MEANT_MAX)
		return true;
	for (unsigned int i = 0; i < nr; i++)
		if (register_by_name(names[i], &named) && named.reg == reg)
			return true;
	return false;
}

#define EACH	11	/* a sample of the registers, as all of them take too long */

/* Many names, each with one letter missing, are still names, or the name is proposed. */
static void each_letter(void **state)
{
	struct register_named named;
	char name[REGISTER_TITLE_MAX], text[REGISTER_TITLE_MAX];
	unsigned int tried = 0;

	for (unsigned int i = 0; i < regpin_nr_names; i += EACH) {
		const struct regpin_register *reg = &regpin_registers[i];
		const char *core;

		register_title(name, reg, reg->index);
		core = register_core(name);
		for (const char *at = core; *at; at++) {
			if (!isalpha((unsigned char)*at) ||
			    word_length(core, at) < 4)
				continue;
			snprintf(text, sizeof(text), "%.*s%s", (int)(at - core),
				 core, at + 1);
			if (register_by_name(text, &named) ||
			    !register_by_name(name, &named) || named.reg != reg)
				continue;
			tried++;
			if (!proposes(text, reg))
				fail_msg("%s does not propose %s", text, name);
		}
	}
	assert_true(tried > 500);
}

/* The message in policies, in traces and on the command line. */
static void message(void **state)
{
	char why[REGISTER_UNKNOWN_MAX];

	register_unknown(why, sizeof(why), "EPERF");
	assert_string_equal(why, "there is no register 'EPERF'; did you mean 'IA32_MPERF', 'IA32_APERF' or 'PPERF'? An MSR without a name is written as its index, for example 0x10a");
	register_unknown(why, sizeof(why), "SMM_BASIS");
	assert_string_equal(why, "there is no register 'SMM_BASIS'. An MSR without a name is written as its index, for example 0x10a");
	/* A name of several words may have several mistakes. */
	register_unknown(why, sizeof(why), "EFER_MSR");
	assert_non_null(strstr(why, "did you mean 'EFER'?"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(proposed), cmocka_unit_test(not_proposed),
		cmocka_unit_test(each_letter), cmocka_unit_test(message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
