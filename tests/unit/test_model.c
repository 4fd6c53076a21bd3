// SPDX-License-Identifier: GPL-2.0-only
/* The model of KVM's filter, compared with KVM's documented rules one by one. */
#include "cm.h"
#include "lib/judge/model.h"
#include "lib/policy/policy.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>


#define RW	(KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE)

static uint8_t none[KVM_MSR_FILTER_MAX_BITMAP_SIZE];
static uint8_t all[KVM_MSR_FILTER_MAX_BITMAP_SIZE];

static bool reads(const struct kvm_msr_filter *filter, uint32_t index)
{
	return model_filter_allows(filter, index, ACCESS_READ);
}

static bool writes(const struct kvm_msr_filter *filter, uint32_t index)
{
	return model_filter_allows(filter, index, ACCESS_WRITE);
}

static struct kvm_msr_filter one_range(uint32_t flags, uint32_t base,
				       uint32_t nmsrs, uint8_t *bitmap)
{
	struct kvm_msr_filter filter = { 0 };

	filter.ranges[3].flags = flags;
	filter.ranges[3].base = base;
	filter.ranges[3].nmsrs = nmsrs;
	filter.ranges[3].bitmap = bitmap;
	return filter;
}

/* Rule 2: the first range that covers index and access wins. */
static void test_first_wins(void **context)
{
	struct kvm_msr_filter filter = one_range(RW, 0x100, 16, none);

	filter.ranges[1] = one_range(KVM_MSR_FILTER_READ, 0x104, 4,
				     all).ranges[3];
	assert_false(reads(&filter, 0x103));
	assert_true(reads(&filter, 0x104));
	assert_true(reads(&filter, 0x107));
	assert_false(reads(&filter, 0x108));
	assert_false(writes(&filter, 0x104));
	/* The same range after that one has no effect. */
	filter.ranges[7] = filter.ranges[1];
	filter.ranges[1].nmsrs = 0;
	assert_false(reads(&filter, 0x104));
}

/* Rule 3: 1 allows, 0 denies, no match: the default. */
static void test_bits_and_default(void **context)
{
	uint8_t bitmap[8] = { 0x5a, 0x80 };
	struct kvm_msr_filter filter = one_range(RW, 0x40, 16, bitmap);

	for (uint32_t i = 0; i < 16; i++)
		assert_int_equal(reads(&filter, 0x40 + i),
				 (bitmap[i / 8] >> (i % 8)) & 1);
	assert_true(reads(&filter, 0x3f));
	assert_true(writes(&filter, 0x50));
	filter.flags = KVM_MSR_FILTER_DEFAULT_DENY;
	assert_false(reads(&filter, 0x3f));
	assert_false(writes(&filter, 0x50));
	assert_true(writes(&filter, 0x4f));
}

/* Rule 4: empty ranges are skipped unread; all empty means no filter. */
static void test_empty(void **context)
{
	struct kvm_msr_filter filter = one_range(0xff, 0, 0, NULL);

	assert_int_equal(model_filter_check(&filter), 0);
	assert_true(reads(&filter, 0));
	assert_true(writes(&filter, 0xffffffff));
	filter.flags = KVM_MSR_FILTER_DEFAULT_DENY;
	assert_int_equal(model_filter_check(&filter), -EINVAL);
}

/* Rules 5 and 6, and what KVM's documentation states of them. */
static void test_check(void **context)
{
	static const struct {
		uint32_t flags, range_flags, nmsrs;
		bool bitmap;
		int ret;
	} rows[] = {
		{ 0, RW, 1, true, 0 },
		{ 1, RW, 1, true, 0 },
		{ 2, RW, 1, true, -EINVAL },
		{ 0x80000000, RW, 1, true, -EINVAL },
		{ 0, 0, 1, true, -EINVAL },
		{ 0, 4, 1, true, -EINVAL },
		{ 0, 7, 1, true, -EINVAL },
		{ 0, 1, 12288, true, 0 },
		{ 0, 2, 12289, true, -EINVAL },
		{ 0, 2, 0x80000000, true, -EINVAL },
		/*
		 * nmsrs + 7 wraps: this was once accepted, and then memory was read
		 * beyond the bitmap
		 */
		{ 0, RW, 0xfffffff8, true, -EINVAL },
		{ 0, RW, 0xfffffff9, true, -EINVAL },
		{ 0, RW, 0xffffffff, true, -EINVAL },
		{ 0, RW, 1, false, -EFAULT },
		{ 0, 0, 1, false, -EINVAL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct kvm_msr_filter filter =
			one_range(rows[i].range_flags, 0x10, rows[i].nmsrs,
				  rows[i].bitmap ? all : NULL);

		filter.flags = rows[i].flags;
		assert_int_equal(model_filter_check(&filter), rows[i].ret);
	}
}

/* Rule 7: a range that reaches 2^32 matches nothing. */
static void test_wrap(void **context)
{
	struct kvm_msr_filter filter = one_range(RW, 0xfffffff0, 16, none);

	assert_true(reads(&filter, 0xfffffff0));
	assert_true(reads(&filter, 0xffffffff));
	filter.ranges[3].nmsrs = 32;
	assert_true(reads(&filter, 0xffffffff));
	assert_true(reads(&filter, 5));
	filter.ranges[3].nmsrs = 15;
	assert_false(reads(&filter, 0xfffffff0));
	assert_false(reads(&filter, 0xfffffffe));
	assert_true(reads(&filter, 0xffffffff));
}

/* Rule 8: x2APIC is never filtered. */
static void test_x2apic(void **context)
{
	struct kvm_msr_filter filter = one_range(RW, 0x7f0, 0x200, none);

	filter.flags = KVM_MSR_FILTER_DEFAULT_DENY;
	assert_false(writes(&filter, 0x7ff));
	for (uint32_t i = 0x800; i <= 0x8ff; i++)
		assert_true(reads(&filter, i) && writes(&filter, i));
	assert_false(reads(&filter, 0x900));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_wins),
		cmocka_unit_test(test_bits_and_default),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_x2apic),
	};

	memset(all, 0xff, sizeof(all));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
