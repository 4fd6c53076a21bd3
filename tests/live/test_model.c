// SPDX-License-Identifier: GPL-2.0-only
/*
 * lib/judge/model.c compared with the KVM of this host: random filters and their effect
 * on the guest, and filters that KVM should refuse. test_model_rules.c and
 * test_model_exits.c test each rule separately.
 *
 *	test_live_model [FILTERS [SEED]]
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "../random_merge.h"
#include "lib/judge/model.h"
#include "lib/policy/check_name.h"
#include "msr_probe.h"

#define FILTERS		2000u
#define ACCESSES	50u
#define BROKEN		2000

static unsigned int compare_one(struct tiny_vcpu *vcpu,
				const struct kvm_msr_filter *filter,
				uint32_t index, unsigned int access)
{
	bool model = model_filter_allows(filter, index, access);
	bool kvm = probe(vcpu, index, access) != PROBE_EXIT;

	if (model != kvm)
		printf("# %s 0x%x: the model %s, KVM %s\n",
		       access == ACCESS_READ ? "read" : "write", index,
		       model ? "allows" : "denies", kvm ? "allows" : "denies");
	return model != kvm;
}

/* The numbers of allowed and of denied accesses: only one of the two would prove little. */
struct tally {
	unsigned int allowed, denied, wrong;
};

static void compare_filter(struct tiny_vcpu *vcpu, uint64_t *seed,
			   const struct kvm_msr_filter *filter,
			   struct tally *tally)
{
	static const struct regpin_policy no_policy;
	static struct indices indices;

	if (ioctl(vcpu->vm->fd, KVM_X86_SET_MSR_FILTER, filter)) {
		printf("# KVM refuses a good filter: %s\n", strerror(errno));
		tally->wrong++;
		return;
	}
	merge_indices(&indices, seed, &no_policy, filter);
	for (unsigned int i = 0; i < ACCESSES; i++) {
		uint32_t index = indices.list[pick(seed, indices.nr)];
		unsigned int access = 1 + pick(seed, 2);

		/* Some hosts handle it before the filter, so policies cannot name it. */
		if (index == MSR_TSC_DEADLINE && access == ACCESS_WRITE)
			access = ACCESS_READ;
		if (model_filter_allows(filter, index, access))
			tally->allowed++;
		else
			tally->denied++;
		tally->wrong += compare_one(vcpu, filter, index, access);
	}
}

static void test_random(struct tiny_vcpu *vcpu, unsigned int filters,
			uint64_t seed)
{
	static struct random_filter filter;
	struct tally tally = { 0 };

	for (unsigned int i = 0; i < filters; i++) {
		merge_vmm(&filter, &seed, i % 17);
		compare_filter(vcpu, &seed, &filter.filter, &tally);
	}
	ok(!tally.wrong, "%u filters x %u accesses: %u differences", filters,
	   ACCESSES, tally.wrong);
	ok(tally.allowed + tally.denied == filters * ACCESSES &&
	   tally.allowed > filters * ACCESSES / 5 &&
	   tally.denied > filters * ACCESSES / 5,
	   "%u of them allowed, %u denied", tally.allowed, tally.denied);
}

/* Changes one part of a filter, so that KVM may refuse it. */
static void spoil(struct random_filter *filter, uint64_t *seed)
{
	static const uint32_t counts[] = {
		0, 12287, 12288, 12289, 12290, 12352, 0x7fffffff, 0x80000000,
		0xfffffff8, 0xfffffff9, 0xffffffc0, 0xffffffc1, 0xffffffff,
	};
	struct kvm_msr_filter_range *range =
		&filter->filter.ranges[random64(seed) % 16];

	switch (random64(seed) % 6) {
	case 0:
		filter->filter.flags ^= 1u << (random64(seed) % 32);
		break;
	case 1:
		range->flags = 0;
		break;
	case 2:
		range->flags ^= 1u << (random64(seed) % 32);
		break;
	case 3:
		range->nmsrs = counts[random64(seed) % 13];
		range->flags = 3;
		range->bitmap = filter->bitmaps[0];
		break;
	case 4:
		for (int i = 0; i < KVM_MSR_FILTER_MAX_RANGES; i++)
			filter->filter.ranges[i].nmsrs = 0;
		break;
	default:
		range->bitmap = NULL;
	}
}

static void test_refused(struct tiny_vcpu *vcpu)
{
	static struct random_filter filter;
	unsigned int wrong = 0, refused = 0;
	uint64_t seed = 0xbad;

	for (int i = 0; i < BROKEN; i++) {
		int model, kvm;

		random_filter(&filter, &seed, 1 + i % 4);
		spoil(&filter, &seed);
		if (i % 3 == 0)
			spoil(&filter, &seed);
		model = model_filter_check(&filter.filter);
		kvm = ioctl(vcpu->vm->fd, KVM_X86_SET_MSR_FILTER,
			    &filter.filter) ? -errno : 0;
		refused += kvm != 0;
		if (model == kvm)
			continue;
		wrong++;
		printf("# filter %d: the model %d, KVM %d\n", i, model, kvm);
	}
	ok(!wrong && refused > BROKEN / 10 && refused < BROKEN,
	   "%d spoilt filters, KVM refuses %u of them, as modelled", BROKEN,
	   refused);
}

int main(int argc, char **argv)
{
	unsigned int filters = argc > 1 ? (unsigned int)atoi(argv[1]) : FILTERS;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 0xf117e4;
	const char *why_not = tiny_why_not();
	struct tiny_vcpu vcpu;
	struct tiny_vm vm;

	if (why_not)
		tap_skip_all(why_not);
	tiny_vm_new(&vm);
	probe_reasons(&vm, KVM_MSR_EXIT_REASON_FILTER);
	tiny_vcpu_new(&vm, &vcpu, 0, TINY_LONG);
	test_random(&vcpu, filters, seed);
	test_refused(&vcpu);
	tiny_vcpu_free(&vcpu);
	tiny_vm_free(&vm);
	return tap_done();
}
