/* SPDX-License-Identifier: GPL-2.0-only */
/* Random MSR filters, valid ones as VMMs might use them, and invalid ones. */
#ifndef REGPIN_TESTS_RANDOM_FILTER_H
#define REGPIN_TESTS_RANDOM_FILTER_H

#include <linux/kvm.h>

#include "build_policy.h"
#include "lib/policy/windows.h"

#define MAX_INDICES	1200

struct random_filter {
	struct kvm_msr_filter filter;
	/* Padding to whole longs after each bitmap, as KVM reads it. */
	uint8_t bitmaps[KVM_MSR_FILTER_MAX_RANGES]
		       [KVM_MSR_FILTER_MAX_BITMAP_SIZE];
};

struct indices {
	unsigned int nr;
	uint32_t list[MAX_INDICES];
};

/* An index near a place where a range or window ends. */
static inline uint32_t random_base(uint64_t *seed)
{
	static const uint32_t places[] = {
		0, 0x10, 0x174, 0x277, 0x7f0, 0x800, 0x8f0, 0x900, 0x2fe0,
		0x3000, 0x10000, 0x3ffffff0, 0x40000000, 0x40002ff0,
		0x4b564cf0, 0x4b564d00, 0x80000000, 0xbffffff0, 0xc0000000,
		0xc0000080, 0xc0000102, 0xc0002ff0, 0xc000fff0, 0xc0010000,
		0xc0010114, 0xc0012ff8, 0xfffffff0, 0xffffff00,
	};
	uint64_t random = random64(seed);

	if (random % 8 == 0)
		return (uint32_t)(random >> 16);
	return places[(random >> 8) % (sizeof(places) / sizeof(places[0]))] +
	       (uint32_t)(random >> 40) % 8;
}

static inline uint32_t random_count(uint64_t *seed)
{
	static const uint32_t most[] = { 1, 2, 9, 65, 300, 4097, 12288 };
	uint64_t random = random64(seed);

	return 1 + (uint32_t)(random >> 8) % most[random % 7];
}

/* A filter that KVM accepts, with up to @ranges ranges, not all of them used. */
static inline void random_filter(struct random_filter *to, uint64_t *seed,
				 unsigned int ranges)
{
	memset(to, 0, sizeof(*to));
	if (ranges && random64(seed) % 3 == 0)
		to->filter.flags = KVM_MSR_FILTER_DEFAULT_DENY;
	for (unsigned int i = 0; i < ranges; i++) {
		struct kvm_msr_filter_range *range =
			&to->filter.ranges[random64(seed) % 16];
		unsigned int at = (unsigned int)(range - to->filter.ranges);
		unsigned int fill = random64(seed) % 4;

		range->flags = 1 + random64(seed) % 3;
		range->base = random_base(seed);
		range->nmsrs = random_count(seed);
		range->bitmap = to->bitmaps[at];
		for (size_t b = 0; b < sizeof(to->bitmaps[at]); b++)
			to->bitmaps[at][b] = fill == 0 ? 0 :
					     fill == 1 ? 0xff :
					     (uint8_t)random64(seed);
	}
}

static inline void add_index(struct indices *to, uint64_t index)
{
	if (to->nr < MAX_INDICES)
		to->list[to->nr++] = (uint32_t)index;
}

/* The edges of ranges, windows and x2APIC, and some indexes in between. */
static inline void indices_of(struct indices *to, uint64_t *seed,
			      const struct kvm_msr_filter *filter)
{
	static const uint32_t edges[] = {
		0, 0x7ff, 0x800, 0x8ff, 0x900, 0xfffffffe, 0xffffffff,
	};

	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
		add_index(to, edges[i]);
	for (int i = 0; i < FILTER_NR_WINDOWS; i++) {
		add_index(to, (uint64_t)filter_windows[i] - 1);
		add_index(to, filter_windows[i]);
		add_index(to, filter_windows[i] + FILTER_WINDOW - 1);
		add_index(to, filter_windows[i] + FILTER_WINDOW);
	}
	for (int i = 0; filter && i < KVM_MSR_FILTER_MAX_RANGES; i++) {
		const struct kvm_msr_filter_range *range = &filter->ranges[i];

		if (!range->nmsrs)
			continue;
		add_index(to, (uint64_t)range->base - 1);
		add_index(to, range->base);
		add_index(to, (uint64_t)range->base + range->nmsrs - 1);
		add_index(to, (uint64_t)range->base + range->nmsrs);
		for (int j = 0; j < 8; j++)
			add_index(to, range->base +
				      random64(seed) % range->nmsrs);
	}
}

#endif
