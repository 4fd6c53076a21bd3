// SPDX-License-Identifier: GPL-2.0-only
/*
 * lib/model.c against the KVM that runs here: random filters, and what the guest
 * gets; filters that KVM should refuse.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "../random_filter.h"
#include "model.h"
#include "tap.h"
#include "tiny.h"

#define FILTERS		60
#define BROKEN		2000
#define TSC_DEADLINE	0x6e0

static void want_filter_exits(struct tiny_vm *vm)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_X86_USER_SPACE_MSR,
		.args = { KVM_MSR_EXIT_REASON_FILTER },
	};

	if (ioctl(vm->fd, KVM_ENABLE_CAP, &cap)) {
		printf("Bail out! KVM_CAP_X86_USER_SPACE_MSR\n");
		exit(1);
	}
}

/* Does KVM let the guest through to MSR @index? What comes then is its own. */
static bool kvm_allows(struct tiny_vcpu *vcpu, uint32_t index,
		       unsigned int access)
{
	struct kvm_run *run = vcpu->run;
	uint64_t value = 0;
	bool filtered;

	if (access == ACCESS_WRITE)
		tiny_get_msr(vcpu, index, &value);
	tiny_prepare(vcpu, access == ACCESS_WRITE ? TINY_WRMSR : TINY_RDMSR,
		     index, value);
	if (tiny_run(vcpu)) {
		printf("Bail out! KVM_RUN\n");
		exit(1);
	}
	filtered = (run->exit_reason == KVM_EXIT_X86_RDMSR ||
		    run->exit_reason == KVM_EXIT_X86_WRMSR) &&
		   run->msr.reason == KVM_MSR_EXIT_REASON_FILTER &&
		   run->msr.index == index;
	if (filtered) {
		run->msr.error = 1;
		tiny_run(vcpu);
	}
	return !filtered;
}

static unsigned int compare_one(struct tiny_vcpu *vcpu,
				const struct kvm_msr_filter *filter,
				uint32_t index, unsigned int access)
{
	bool model, kvm;

	/* Taken before the filter on some hosts: policies can't have it. */
	if (index == TSC_DEADLINE && access == ACCESS_WRITE)
		return 0;
	model = model_filter_allows(filter, index, access);
	kvm = kvm_allows(vcpu, index, access);
	if (model != kvm)
		printf("# %s 0x%x: the model %s, KVM %s\n",
		       access == ACCESS_READ ? "read" : "write", index,
		       model ? "allows" : "denies", kvm ? "allows" : "denies");
	return model != kvm;
}

static unsigned int compare_filter(struct tiny_vcpu *vcpu, uint64_t *seed,
				   const struct kvm_msr_filter *filter,
				   unsigned int *probes)
{
	struct indices indices = { 0 };
	unsigned int wrong = 0;

	if (ioctl(vcpu->vm->fd, KVM_X86_SET_MSR_FILTER, filter)) {
		printf("# KVM refuses a good filter: %s\n", strerror(errno));
		return 1;
	}
	indices_of(&indices, seed, filter);
	for (unsigned int i = 0; i < indices.nr; i++) {
		wrong += compare_one(vcpu, filter, indices.list[i],
				     ACCESS_READ);
		wrong += compare_one(vcpu, filter, indices.list[i],
				     ACCESS_WRITE);
	}
	*probes += 2 * indices.nr;
	return wrong;
}

static void test_random(struct tiny_vcpu *vcpu, unsigned int ranges)
{
	static struct random_filter filter;
	unsigned int wrong = 0, probes = 0;
	uint64_t seed = 0xf117e4 + ranges;

	for (int i = 0; i < FILTERS; i++) {
		random_filter(&filter, &seed, ranges);
		wrong += compare_filter(vcpu, &seed, &filter.filter, &probes);
	}
	ok(!wrong, "%d filters of up to %u ranges: %u accesses as modelled",
	   FILTERS, ranges, probes);
}

/* The rules of kvm-msr-filter.md that a random filter may miss. */
static void test_written(struct tiny_vcpu *vcpu)
{
	static uint8_t none[KVM_MSR_FILTER_MAX_BITMAP_SIZE];
	static uint8_t all[KVM_MSR_FILTER_MAX_BITMAP_SIZE];
	struct kvm_msr_filter overlap = {
		.ranges = { { .flags = KVM_MSR_FILTER_WRITE, .nmsrs = 8,
			      .base = 0x174, .bitmap = none },
			    { .flags = KVM_MSR_FILTER_READ, .nmsrs = 4,
			      .base = 0x176, .bitmap = all },
			    { .flags = 3, .nmsrs = 100, .base = 0x170,
			      .bitmap = none } },
	};
	struct kvm_msr_filter wrap = {
		.ranges = { { .flags = 3, .nmsrs = 16, .base = 0xfffffff0,
			      .bitmap = none },
			    { .flags = 3, .nmsrs = 20, .base = 0xfffffff8,
			      .bitmap = none } },
	};
	struct kvm_msr_filter x2apic = {
		.ranges = { { .flags = 3, .nmsrs = 0x1000, .base = 0,
			      .bitmap = none } },
	};
	struct kvm_msr_filter last = {
		.ranges = { { .flags = 3, .nmsrs = 15, .base = 0xfffffff0,
			      .bitmap = none } },
	};
	struct kvm_msr_filter off = { 0 };
	unsigned int probes = 0;
	uint64_t seed = 1;

	memset(all, 0xff, sizeof(all));
	ok(!compare_filter(vcpu, &seed, &overlap, &probes), "overlaps");
	ok(!compare_filter(vcpu, &seed, &wrap, &probes), "wrap at 2^32");
	ok(!compare_filter(vcpu, &seed, &last, &probes), "up to 0xfffffffe");
	ok(!compare_filter(vcpu, &seed, &x2apic, &probes), "x2APIC");
	ok(!compare_filter(vcpu, &seed, &off, &probes), "an empty filter");
}

/* Makes one thing about a filter questionable. */
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

int main(void)
{
	static const unsigned int ranges[] = { 0, 1, 2, 6, 16 };
	const char *why_not = tiny_why_not();
	struct tiny_vcpu vcpu;
	struct tiny_vm vm;

	if (why_not)
		tap_skip_all(why_not);
	tiny_vm_new(&vm);
	want_filter_exits(&vm);
	tiny_vcpu_new(&vm, &vcpu, 0, TINY_LONG);
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		test_random(&vcpu, ranges[i]);
	test_written(&vcpu);
	test_refused(&vcpu);
	tiny_vcpu_free(&vcpu);
	tiny_vm_free(&vm);
	return tap_done();
}
