// SPDX-License-Identifier: GPL-2.0-only
/*
 * `when`: the guest's CPU, which conditions hold for it, and which rules are then in
 * force.
 */
#include "../build_policy.h"
#include "cm.h"
#include "lib/policy/guest.h"
#include "lib/policy/policy.h"
#include "lib/policy/when.h"

#include <linux/kvm.h>


static void make_guest(struct guest *guest, const char *vendor, uint32_t eax)
{
	struct {
		struct kvm_cpuid2 header;
		struct kvm_cpuid_entry2 entries[2];
	} cpuid = { .header.nent = 2 };

	memcpy(&cpuid.entries[0].ebx, vendor, 4);
	memcpy(&cpuid.entries[0].edx, vendor + 4, 4);
	memcpy(&cpuid.entries[0].ecx, vendor + 8, 4);
	cpuid.entries[1].function = 1;
	cpuid.entries[1].eax = eax;
	guest_from_cpuid(guest, &cpuid.header);
}

static void test_signature(void **context)
{
	static const struct {
		uint32_t eax;
		unsigned int family, model;
	} rows[] = {
		{ 0x00a20f12, 0x19, 0x21 },	/* Zen 3 */
		{ 0x00800f82, 0x17, 0x08 },	/* Zen+ */
		{ 0x00b40f40, 0x1a, 0x44 },	/* Zen 5 */
		{ 0x000306a9, 6, 0x3a },	/* Ivy Bridge */
		{ 0x000c0652, 6, 0xc5 },
		{ 0x00000f29, 0xf, 2 },		/* Pentium 4 */
		{ 0x00000543, 5, 4 },		/* this family has no extended model */
		{ 0x0ff00583, 5, 8 },		/* so its value there is ignored */
		{ 0x0fffffff, 0x10e, 0xff },
		{ 0, 0, 0 },
	};
	struct guest guest = { 0 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		make_guest(&guest, "AuthenticAMD", rows[i].eax);
		assert_true(guest.known);
		assert_int_equal(guest.family, rows[i].family);
		assert_int_equal(guest.model, rows[i].model);
		assert_memory_equal(guest.vendor, "AuthenticAMD", 12);
	}
	guest_from_cpuid(&guest, NULL);
	assert_false(guest.known);
}

static struct when make_when(const char *vendor, unsigned int f0,
			     unsigned int f1, unsigned int m0, unsigned int m1)
{
	struct when when = { .line = 1, .column = 1 };

	if (vendor)
		memcpy(when.vendor, vendor, WHEN_VENDOR);
	if (f1) {
		when.families[0] = (struct span){ (uint16_t)f0, (uint16_t)f1 };
		when.nr_families = 1;
	}
	if (m1) {
		when.models[0] = (struct span){ (uint16_t)m0, (uint16_t)m1 };
		when.nr_models = 1;
	}
	return when;
}

static void test_holds(void **context)
{
	static const char amd[] = "AuthenticAMD", intel[] = "GenuineIntel";
	const struct {
		struct when when;
		bool holds;
	} rows[] = {
		{ make_when(amd, 0, 0, 0, 0), true },
		{ make_when(intel, 0, 0, 0, 0), false },
		{ make_when(NULL, 0x19, 0x19, 0, 0), true },
		{ make_when(NULL, 0x17, 0x18, 0, 0), false },
		{ make_when(NULL, 0x1a, 0x20, 0, 0), false },
		{ make_when(NULL, 0, 0, 0x21, 0x21), true },
		{ make_when(NULL, 0, 0, 0, 0x20), false },
		{ make_when(amd, 0x17, 0x1a, 0x20, 0x2f), true },
		{ make_when(amd, 0x17, 0x1a, 0x22, 0x2f), false },
		{ make_when(intel, 0x17, 0x1a, 0x20, 0x2f), false },
	};
	struct guest guest = { 0 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		make_guest(&guest, amd, 0x00a20f12);
		assert_true(when_valid(&rows[i].when));
		assert_int_equal(when_matches(&rows[i].when, &guest),
				 rows[i].holds);
		guest_from_cpuid(&guest, NULL);
		assert_false(when_matches(&rows[i].when, &guest));
	}
}

/* Two conditions are apart only if no guest can meet both. */
static void test_apart(void **context)
{
	const struct when all[] = {
		make_when("AuthenticAMD", 0, 0, 0, 0),
		make_when("GenuineIntel", 0, 0, 0, 0),
		make_when(NULL, 6, 6, 0, 0), make_when(NULL, 0x19, 0x1a, 0, 0),
		make_when(NULL, 0x1a, 0x1b, 0, 0),
		make_when(NULL, 0, 0, 1, 5), make_when(NULL, 0, 0, 6, 9),
		make_when("GenuineIntel", 6, 6, 5, 6),
	};
	const size_t nr = sizeof(all) / sizeof(all[0]);
	static const struct {
		const char *vendor;
		uint16_t family, model;
	} some[] = {
		{ "AuthenticAMD", 0x19, 1 }, { "AuthenticAMD", 0x1a, 6 },
		{ "AuthenticAMD", 6, 5 }, { "AuthenticAMD", 0x1b, 9 },
		{ "GenuineIntel", 6, 5 }, { "GenuineIntel", 6, 6 },
		{ "GenuineIntel", 0x1a, 5 }, { "GenuineIntel", 0x1b, 6 },
		{ "GenuineIntel", 0x19, 1 },
	};

	for (size_t i = 0; i < nr; i++)
		for (size_t j = 0; j < nr; j++) {
			bool both = false;

			for (size_t k = 0; k < 9; k++) {
				struct guest guest = {
					.known = true,
					.family = some[k].family,
					.model = some[k].model,
				};

				memcpy(guest.vendor, some[k].vendor, 12);
				both |= when_matches(&all[i], &guest) &&
					when_matches(&all[j], &guest);
			}
			if (when_apart(&all[i], &all[j]) == both)
				fail_msg("%zu and %zu", i, j);
			assert_int_equal(when_same(&all[i], &all[j]), i == j);
		}
}

static void test_resolve(void **context)
{
	static struct regpin_policy to;
	static uint16_t numbers[POLICY_MAX_RULES];
	struct regpin_policy *policy = new_policy(ARM_START);

	policy->nr_whens = 2;
	policy->whens[0] = make_when("AuthenticAMD", 0, 0, 0, 0);
	policy->whens[1] = make_when("GenuineIntel", 0, 0, 0, 0);
	for (uint16_t i = 0; i < 6; i++) {
		add_deny(policy, 0x100 + i, 1, ACCESS_READ, REGPIN_GP);
		policy->rules[i].when = i % 3;
	}
	add_wide(policy, RULE_UNKNOWN, REGPIN_DROP, 0, 0);
	assert_int_equal(finish_policy(policy), 0);
	policy_resolve(policy, 2, &to, numbers);
	assert_int_equal(to.nr_rules, 5);
	assert_true(to.sorted && !to.nr_whens);
	for (uint32_t i = 0; i < to.nr_rules; i++) {
		assert_int_not_equal(policy->rules[numbers[i]].when, 1);
		assert_int_equal(to.rules[i].index,
				 policy->rules[numbers[i]].index);
		assert_int_equal(to.rules[i].when, 0);
	}
	assert_non_null(policy_wide(&to, RULE_UNKNOWN));
	policy_resolve(policy, 0, &to, numbers);
	assert_int_equal(to.nr_rules, 3);
	policy_resolve(policy, 3, &to, numbers);
	assert_int_equal(to.nr_rules, 7);
	free(policy);
}

static void test_valid(void **context)
{
	struct when when = make_when("AuthenticAMD", 1, 2, 3, 4);

	assert_true(when_valid(&when));
#define BAD(field, bad) \
	do { \
		when = make_when("AuthenticAMD", 1, 2, 3, 4); \
		when.field = bad; \
		assert_false(when_valid(&when)); \
	} while (0)
	BAD(vendor[3], 0);
	BAD(vendor[0], 0);
	BAD(vendor[11], (char)0x80);
	BAD(vendor[5], '\n');
	BAD(nr_families, 0);
	BAD(nr_families, WHEN_SPANS + 1);
	BAD(nr_models, 255);
	BAD(families[0].last, 0);
	BAD(families[0].last, WHEN_MAX_FAMILY + 1);
	BAD(models[0].last, WHEN_MAX_MODEL + 1);
	BAD(models[1].last, 1);
	BAD(pad[0], 1);
	BAD(pad[1], 1);
	when = make_when(NULL, 0, 0, 0, 0);
	assert_false(when_valid(&when));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signature),
		cmocka_unit_test(test_holds),
		cmocka_unit_test(test_apart),
		cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
