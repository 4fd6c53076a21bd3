// SPDX-License-Identifier: GPL-2.0-only
/*
 * A policy and a VMM's own MSR filter from the input: the filter for KVM denies an
 * access exactly where one of the two does, or the MSRs without room are named.
 *
 * Input: two bytes for the settings; a byte with the number of rules, and ten bytes for
 * each; a byte with the number of the VMM's ranges and its default, and ten bytes for
 * each, followed by its bitmap's bytes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/judge/model.h"
#include "lib/judge/msr_filter.h"
#include "lib/judge/overflow.h"
#include "lib/policy/blob.h"
#include "lib/policy/policy.h"
#include "lib/policy/policy_check.h"
#include "lib/policy/policy_sort.h"
#include "lib/policy/registers.h"
#include "lib/policy/windows.h"
#include "lib/ring.h"
#include "random_merge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(x)	do { if (!(x)) abort(); } while (0)
#define MAX_RULES	12
#define BITMAP_BYTES	24	/* from the input, which is repeated after its end */

static struct input {
	const uint8_t *at, *end;
} in;

static struct regpin_policy policy;
static struct problems problems;
static struct random_filter vmm;
static struct msr_filter copy, merged;

static uint8_t next(void)
{
	return in.at < in.end ? *in.at++ : 0;
}

static uint32_t next32(void)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++)
		value = value << 8 | next();
	return value;
}

/* The windows end at 40 places of 2^32, so the fuzzer gets these from a table. */
static uint32_t next_base(void)
{
	uint32_t value = next32();
	uint8_t how = next();

	if (how & 0x80)
		return value;
	return filter_windows[how % FILTER_NR_WINDOWS] +
	       (how & 0x40 ? FILTER_WINDOW : 0) + value % 64 - 32;
}

static void make_rule(void)
{
	struct rule rule = {
		.kind = REGPIN_MSR, .type = next() % (RULE_DEFAULT + 1),
		.action = 1 + next() % (REGPIN_ACTION_MAX - 1),
		.access = 1 + next() % 3, .mask = ALL, .count = 1,
	};
	uint32_t nr = policy.nr_rules;
	struct rule before[MAX_RULES];

	rule.index = next() & 1 ? MSR_EFER + next() % 5 : next_base();
	if (rule.type >= RULE_DENY)
		rule.count = next() & 1 ? next32() % (FILTER_WINDOW + 1) :
					  1u + next() % 8;
	if (rule_is_wide(&rule)) {
		rule.index = 0;
		rule.count = 0;
	} else if (rule.type == RULE_VALUE) {
		rule.access = ACCESS_READ;
		rule.action = REGPIN_GP;
	} else if (rule.type < RULE_DENY) {
		rule.access = ACCESS_WRITE;
	} else if (rule.type == RULE_REPORT) {
		rule.action = REGPIN_REPORT;
	}
	if (rule.type == RULE_REQUIRE)
		rule.mask = EFER_NXE;
	memcpy(before, policy.rules, nr * sizeof(rule));
	policy_add(&policy, &rule);
	memset(&problems, 0, offsetof(struct problems, list));
	if (!policy_check(&policy, &problems))
		return;
	memcpy(policy.rules, before, nr * sizeof(rule));
	policy.nr_rules = nr;
	policy_sort(&policy);
}

static void make_policy(void)
{
	uint8_t settings = next(), rules;

	policy.nr_rules = 0;
	policy_sort(&policy);
	policy.arming = settings % ARM_MAX;
	policy.settings = (struct settings)SETTINGS_DEFAULT;
	policy.settings.request_msr =
		policy.arming == ARM_REQUEST ? 0x4b4d5300u + next() : 0;
	rules = next() % (MAX_RULES + 1);
	while (rules--)
		make_rule();
}

/* Makes filters that KVM would refuse, too. Returns what KVM would. */
static int make_vmm(void)
{
	unsigned int ranges = next() % 17;

	memset(&vmm.filter, 0, sizeof(vmm.filter));
	vmm.filter.flags = next() & 0x80 ? next() : next() & 1;
	for (unsigned int i = 0; i < ranges; i++) {
		struct kvm_msr_filter_range *range = &vmm.filter.ranges[i];
		uint8_t how = next(), bytes[BITMAP_BYTES];

		range->base = next_base();
		range->nmsrs = how & 1 ? next() : next32() % (FILTER_WINDOW + 2);
		range->flags = how & 0x80 ? next() : 1 + how / 2 % 3;
		range->bitmap = how & 0x40 && !(next() % 32) ? NULL :
							       vmm.bitmaps[i];
		for (int b = 0; b < BITMAP_BYTES; b++)
			bytes[b] = b && b >= how % 8 * 4 ? bytes[b / 2] :
							   next();
		for (size_t b = 0; b < sizeof(vmm.bitmaps[i]); b++)
			vmm.bitmaps[i][b] = bytes[b % BITMAP_BYTES];
	}
	return model_filter_check(&vmm.filter);
}

static void check_merged(const struct kvm_msr_filter *filter)
{
	static struct indices indices;
	uint64_t seed = 1 + next32();

	merge_indices(&indices, &seed, &policy, filter);
	for (unsigned int i = 0; i < indices.nr; i++)
		for (unsigned int access = ACCESS_READ; access <= ACCESS_WRITE;
		     access++)
			REQUIRE(model_filter_allows(&merged.filter,
						    indices.list[i], access) ==
				merge_allows(&policy, filter, indices.list[i],
					     access));
}

static void check_overflow(void)
{
	char text[2048];

	REQUIRE(merged.overflow.nr && merged.overflow.nr <= MAX_OVERFLOW);
	REQUIRE(!merged.overflow.more);
	/* The policy's MSRs had room when it passed the checks. */
	for (uint32_t i = 0; i < merged.overflow.nr; i++)
		REQUIRE(merged.overflow.list[i].vmm &&
			merged.overflow.list[i].nmsrs);
	overflow_text(text, sizeof(text), &merged.overflow);
	REQUIRE(strlen(text) < sizeof(text) - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char blob[BLOB_MAX_SIZE];
	static struct regpin_policy opened;
	const struct kvm_msr_filter *filter = NULL;
	int ret, err;

	in = (struct input){ data, data + size };
	make_policy();
	err = make_vmm();
	ret = filter_copy(&copy, &vmm.filter);
	REQUIRE(ret == err);
	if (!ret)
		filter = &copy.filter;
	/* A policy reaches the VMM's process only as a blob. */
	REQUIRE(!blob_open(blob, blob_seal(&policy, blob), &opened));
	policy.nr_rules = opened.nr_rules;
	memcpy(policy.rules, opened.rules,
	       opened.nr_rules * sizeof(struct rule));
	policy_sort(&policy);
	ret = filter_build(&policy, filter, &merged);
	REQUIRE(!ret || (ret == -E2BIG && filter));
	if (ret) {
		check_overflow();
		return 0;
	}
	REQUIRE(!merged.overflow.nr);
	REQUIRE(!model_filter_check(&merged.filter));
	check_merged(filter);
	return 0;
}
