// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any bytes as a policy: no crash, and an accepted policy is valid for the blob and for
 * KVM. Built with -fsanitize=fuzzer, or with corpus_main.c as a test that runs a
 * corpus.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/judge/msr_filter.h"
#include "lib/policy/blob.h"
#include "lib/policy/rule_notes.h"
#include "policy/policy_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(x)	do { if (!(x)) abort(); } while (0)

static struct regpin_policy policy, again;
static struct problems problems;
static struct msr_filter filter;
static char blob[BLOB_MAX_SIZE];

static void check_problems(void)
{
	unsigned int errors = 0;

	REQUIRE(problems.nr <= MAX_PROBLEMS);
	for (unsigned int i = 0; i < problems.nr; i++) {
		const struct problem *problem = &problems.list[i];

		REQUIRE(memchr(problem->text, 0, sizeof(problem->text)));
		REQUIRE(problem->text[0] && !strchr(problem->text, '\n'));
		REQUIRE(!problem->line == !problem->column);
		errors += !problem->warning;
	}
	REQUIRE(problems.overflow ? problems.errors >= errors :
				    problems.errors == errors);
}

/* An accepted policy must survive the blob, and fit into a filter. */
static void check_policy(void)
{
	size_t size = blob_seal(&policy, blob);

	REQUIRE(policy.nr_rules && policy.nr_rules <= POLICY_MAX_RULES);
	for (uint32_t i = 1; i < policy.nr_rules; i++)
		REQUIRE(rule_is_wide(&policy.rules[i]) ||
			policy.rules[i - 1].kind < policy.rules[i].kind ||
			(policy.rules[i - 1].kind == policy.rules[i].kind &&
			 policy.rules[i - 1].index <= policy.rules[i].index));
	REQUIRE(size <= sizeof(blob));
	REQUIRE(blob_open(blob, size, &again) == 0);
	/* The bytes after the rules are ignored. */
	REQUIRE(memcmp(&policy, &again,
		       offsetof(struct regpin_policy, reach)) == 0);
	for (uint32_t i = 0; i < policy.nr_rules; i++)
		policy.rules[i].flags &= (uint16_t)~RULE_NOTES;
	REQUIRE(memcmp(policy.rules, again.rules,
		       policy.nr_rules * sizeof(policy.rules[0])) == 0);
	/* The widest policies are slow, and all of one kind. */
	if (policy.nr_rules < 32)
		REQUIRE(filter_build(&policy, NULL, &filter) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int ret = policy_text_read("fuzz", (const char *)data, size, &policy,
				   &problems);

	REQUIRE(ret == (problems.errors ? -22 : 0));
	check_problems();
	if (!ret)
		check_policy();
	return 0;
}
