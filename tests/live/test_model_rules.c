// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's MSR filter, rule by rule, on the KVM of this host: the basis of
 * lib/judge/model.c and lib/judge/msr_filter.c. Where possible, the model is compared,
 * too.
 */
#include <linux/kvm.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/judge/model.h"
#include "lib/policy/policy.h"
#include "lib/policy/registers.h"
#include "msr_probe.h"

#define RW		(KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE)
#define BITMAP		KVM_MSR_FILTER_MAX_BITMAP_SIZE
#define NOBODYS		0x4b4d5300u	/* no CPU and no hypervisor has it */
#define KERNEL_GS_BASE	0xc0000102u

static uint8_t none[BITMAP], all[BITMAP];
static struct tiny_vm vm;
static struct tiny_vcpu vcpu;

static int set(const struct kvm_msr_filter *filter)
{
	return ioctl(vm.fd, KVM_X86_SET_MSR_FILTER, filter) ? -errno : 0;
}

/* KVM and the model agree on a filter. */
static bool both(const struct kvm_msr_filter *filter, int ret)
{
	int kvm = set(filter), model = model_filter_check(filter);

	if (kvm != ret || model != ret)
		printf("# KVM %d, the model %d, expected %d\n", kvm, model,
		       ret);
	return kvm == ret && model == ret;
}

static struct kvm_msr_filter filter_of(uint32_t flags, uint32_t base,
				       uint32_t nmsrs, uint8_t *bitmap)
{
	return (struct kvm_msr_filter){
		.ranges[5] = { .flags = flags, .base = base, .nmsrs = nmsrs,
			       .bitmap = bitmap },
	};
}

/* Do KVM and the model allow the guest's access? */
static bool is(const struct kvm_msr_filter *filter, uint32_t index,
	       unsigned int access, bool allowed)
{
	bool kvm = probe(&vcpu, index, access) != PROBE_EXIT;
	bool model = model_filter_allows(filter, index, access);

	if (kvm != allowed || model != allowed)
		printf("# %s 0x%x: KVM %d, the model %d, expected %d\n",
		       access == ACCESS_READ ? "read" : "write", index, kvm,
		       model, allowed);
	return kvm == allowed && model == allowed;
}

static bool reads(const struct kvm_msr_filter *filter, uint32_t index)
{
	return is(filter, index, ACCESS_READ, true) &&
	       is(filter, index, ACCESS_WRITE, false);
}

static bool free_of(const struct kvm_msr_filter *filter, uint32_t index)
{
	return is(filter, index, ACCESS_READ, true) &&
	       is(filter, index, ACCESS_WRITE, true);
}

static bool shut(const struct kvm_msr_filter *filter, uint32_t index)
{
	return is(filter, index, ACCESS_READ, false) &&
	       is(filter, index, ACCESS_WRITE, false);
}

/* Rule 1. */
static void test_replaced(void)
{
	struct kvm_msr_filter cs = filter_of(RW, 0x174, 1, none);
	struct kvm_msr_filter pat = filter_of(RW, 0x277, 1, none);
	struct tiny_vcpu late;

	ok(both(&cs, 0) && shut(&cs, 0x174) && both(&pat, 0) &&
	   shut(&pat, 0x277) && free_of(&pat, 0x174),
	   "1: a new filter replaces the old one completely");
	cs.flags = 2;
	ok(both(&cs, -EINVAL) && shut(&pat, 0x277) && free_of(&pat, 0x174),
	   "1: a refused filter leaves the old one in force");
	tiny_vcpu_new(&vm, &late, 1, TINY_LONG);
	ok(probe(&late, 0x277, ACCESS_READ) == PROBE_EXIT,
	   "1: the filter applies to a vCPU that is created later");
	tiny_vcpu_free(&late);
	ok(ioctl(vm.fd, KVM_X86_SET_MSR_FILTER, NULL) && errno == EFAULT &&
	   shut(&pat, 0x277), "1: a NULL filter is EFAULT, and the old one stays");
}

/* Reads PAT, which is free, and SYSENTER_CS, which must be magic, forever. */
#define MAGIC	0x5ecae7u
static const uint8_t watcher[] = {
	0xb9, 0x77, 0x02, 0x00, 0x00,		/* 1: mov $0x277, %ecx */
	0x0f, 0x32,				/* rdmsr */
	0xb9, 0x74, 0x01, 0x00, 0x00,		/* mov $0x174, %ecx */
	0x0f, 0x32,				/* rdmsr */
	0x3d, 0xe7, 0xca, 0x5e, 0x00,		/* cmp $MAGIC, %eax */
	0x74, 0xeb,				/* je 1b */
	0xf4,					/* hlt */
};

static atomic_bool swapped;

#define SWAPS	300

/* Two filters that agree only on these two MSRs. */
static void *swap(void *arg)
{
	struct kvm_msr_filter one = filter_of(RW, 0x174, 1, none);
	struct kvm_msr_filter two = filter_of(KVM_MSR_FILTER_READ, 0x200, 0x100,
					      all);
	int *refused = arg;

	two.flags = KVM_MSR_FILTER_DEFAULT_DENY;
	for (int i = 0; i < SWAPS; i++) {
		*refused += set(i % 2 ? &one : &two) != 0;
		usleep(200);
	}
	atomic_store(&swapped, true);
	return NULL;
}

static void test_atomic(void)
{
	struct kvm_msr_filter one = filter_of(RW, 0x174, 1, none);
	unsigned int exits = 0, other = 0;
	pthread_t thread;
	int refused = 0;

	memcpy(vm.memory + TINY_CODE, watcher, sizeof(watcher));
	tiny_prepare(&vcpu, TINY_CODE, 0, 0);
	if (set(&one) || pthread_create(&thread, NULL, swap, &refused)) {
		printf("Bail out! no thread\n");
		exit(1);
	}
	while (!atomic_load(&swapped) && !other) {
		other += tiny_run(&vcpu) != 0 ||
			 probe_exit(&vcpu, 0x174, ACCESS_READ) != PROBE_EXIT;
		vcpu.run->msr.error = 0;
		vcpu.run->msr.data = MAGIC;
		exits++;
	}
	pthread_join(thread, NULL);
	ok(!other && !refused && exits > SWAPS,
	   "1: in %d swaps a running vCPU meets the old or the new filter, in %u exits",
	   SWAPS, exits);
	/* No exit is left pending. */
	vcpu.run->immediate_exit = 1;
	tiny_run(&vcpu);
	vcpu.run->immediate_exit = 0;
}

/* Rule 2. */
static void test_first_wins(void)
{
	struct kvm_msr_filter f = filter_of(RW, 0x170, 16, none);
	struct seventeen {
		uint32_t flags;
		struct kvm_msr_filter_range ranges[17];
	} more = { .flags = 0 };

	f.ranges[2] = filter_of(RW, 0x174, 1, all).ranges[5];
	ok(both(&f, 0) && free_of(&f, 0x174) && shut(&f, 0x175),
	   "2: the first range that matches wins");
	f.ranges[9] = f.ranges[2];
	f.ranges[2].nmsrs = 0;
	ok(both(&f, 0) && shut(&f, 0x174), "2: a second matching range has no effect");
	f.ranges[2] = filter_of(KVM_MSR_FILTER_READ, 0x174, 1, all).ranges[5];
	ok(both(&f, 0) && reads(&f, 0x174),
	   "2: the range must match the kind of access, too");
	memset(&f, 0, sizeof(f));
	for (uint32_t i = 0; i < 16; i++)
		f.ranges[i] = filter_of(KVM_MSR_FILTER_WRITE, 0x200 + i, 1,
					none).ranges[5];
	ok(both(&f, 0) && reads(&f, 0x200) && reads(&f, 0x20f) &&
	   free_of(&f, 0x277), "2: all of 16 ranges count");
	ok(KVM_MSR_FILTER_MAX_RANGES == 16 &&
	   ioctl(vm.fd, _IOW(KVMIO, 0xc6, struct seventeen), &more) == -1 &&
	   errno == ENOTTY && reads(&f, 0x20f), "2: a filter has no room for 17 ranges");
}

/* Rule 3. */
static void test_bits(void)
{
	static uint8_t bitmap[24];
	struct kvm_msr_filter f = filter_of(RW, 0x200, 160, bitmap);
	bool good = true;

	bitmap[0] = 0x01;
	bitmap[7] = 0x80;
	bitmap[8] = 0x01;
	bitmap[19] = 0x80;
	good &= both(&f, 0);
	for (uint32_t i = 0; i < 16; i++)
		good &= is(&f, 0x200 + i, ACCESS_READ, i == 0);
	good &= free_of(&f, 0x23f) && free_of(&f, 0x240) &&
		shut(&f, 0x23e) && shut(&f, 0x241);
	ok(good, "3: a bit of 1 allows, a bit of 0 denies");
	ok(free_of(&f, 0x29f) && shut(&f, 0x29e) && free_of(&f, 0x2a0) &&
	   free_of(&f, 0x1ff), "3: outside of the range the default allows");
	f.flags = KVM_MSR_FILTER_DEFAULT_DENY;
	ok(both(&f, 0) && shut(&f, 0x2a0) && shut(&f, 0x1ff) &&
	   shut(&f, MSR_EFER) && free_of(&f, 0x29f),
	   "3: outside of the range a default of deny denies");
	f.ranges[5].flags = KVM_MSR_FILTER_READ;
	ok(both(&f, 0) && reads(&f, 0x200) && shut(&f, 0x201),
	   "3: a default of deny applies to accesses that the range does not cover");
	bitmap[0] = 0;
	ok(probe(&vcpu, 0x200, ACCESS_READ) != PROBE_EXIT,
	   "3: the bitmap is copied, so a later write to it has no effect");
}

/* Rule 4. */
static void test_empty(void)
{
	struct kvm_msr_filter f = filter_of(RW, 0x174, 1, none);
	struct kvm_msr_filter off = { 0 };

	f.ranges[0] = (struct kvm_msr_filter_range){
		.flags = 0xffffffff, .base = 0x277, .bitmap = (uint8_t *)1 };
	ok(both(&f, 0) && shut(&f, 0x174) && free_of(&f, 0x277),
	   "4: an empty range is skipped with all its errors");
	off.flags = KVM_MSR_FILTER_DEFAULT_DENY;
	ok(both(&off, -EINVAL) && shut(&f, 0x174),
	   "4: deny by default without a range is EINVAL");
	off.flags = KVM_MSR_FILTER_DEFAULT_ALLOW;
	ok(both(&off, 0) && free_of(&off, 0x174) && free_of(&off, MSR_EFER),
	   "4: allow without a range turns filtering off");
}

/* Rule 5. */
static void test_flags(void)
{
	struct kvm_msr_filter f = filter_of(RW, 0x174, 1, none);
	unsigned int bad = 0;

	for (uint32_t bit = 1; bit < 32; bit++) {
		f.flags = 1u << bit;
		bad += !both(&f, -EINVAL);
		f.flags |= KVM_MSR_FILTER_DEFAULT_DENY;
		bad += !both(&f, -EINVAL);
	}
	ok(!bad, "5: an unknown flag of the filter is EINVAL");
	f.flags = bad = 0;
	for (uint32_t bit = 2; bit < 32; bit++) {
		f.ranges[5].flags = 1u << bit;
		bad += !both(&f, -EINVAL);
		f.ranges[5].flags |= RW;
		bad += !both(&f, -EINVAL);
	}
	ok(!bad, "5: an unknown flag of a range is EINVAL");
	f.ranges[5].flags = 0;
	ok(both(&f, -EINVAL), "5: a range for neither reads nor writes is EINVAL");
}

/* Rule 6. */
static void test_size(void)
{
	struct kvm_msr_filter f = filter_of(RW, 0xc0000000, BITMAP * 8, none);

	ok(BITMAP == 0x600 && both(&f, 0) && shut(&f, 0xc0000000) &&
	   shut(&f, 0xc0002fff) && free_of(&f, 0xc0003000),
	   "6: a bitmap of 0x600 bytes is accepted");
	f.ranges[5].nmsrs++;
	ok(both(&f, -EINVAL), "6: one MSR more is EINVAL");
	f.ranges[5].nmsrs = 0xffffffff;
	ok(both(&f, -EINVAL), "6: the largest number of MSRs is EINVAL");
	f = filter_of(RW, 0x174, 1, NULL);
	ok(both(&f, -EFAULT), "6: a missing bitmap is EFAULT");
}

/* Rule 7. */
static void test_wrap(void)
{
	struct kvm_msr_filter f = filter_of(RW, 0xfffffff0, 15, none);

	ok(both(&f, 0) && shut(&f, 0xfffffff0) && shut(&f, 0xfffffffe) &&
	   free_of(&f, 0xffffffff), "7: a range up to 0xfffffffe matches");
	f.ranges[5].nmsrs = 16;
	ok(both(&f, 0) && free_of(&f, 0xfffffff0) && free_of(&f, 0xffffffff),
	   "7: a range that reaches 2^32 matches nothing");
	f.ranges[5].nmsrs = 0x180;
	ok(both(&f, 0) && free_of(&f, 0xfffffff0) && free_of(&f, 0) &&
	   free_of(&f, 0x16f), "7: a range beyond 2^32 matches neither there nor at 0");
	f.ranges[5].bitmap = all;
	f.flags = KVM_MSR_FILTER_DEFAULT_DENY;
	ok(both(&f, 0) && shut(&f, 0xfffffff0) && shut(&f, 0xffffffff),
	   "7: such a range does not allow anything, either");
}

/* Rule 8. */
static void test_x2apic(void)
{
	struct kvm_msr_filter f = filter_of(RW, 0x7f0, 0x120, none);

	f.flags = KVM_MSR_FILTER_DEFAULT_DENY;
	ok(both(&f, 0) && free_of(&f, 0x800) && free_of(&f, 0x830) &&
	   free_of(&f, 0x8ff), "8: the x2APIC's MSRs are never filtered");
	ok(shut(&f, 0x7ff) && shut(&f, 0x900),
	   "8: the MSRs next to the x2APIC's are filtered");
}

/* Rule 9. */
static void test_before_kvm(void)
{
	struct kvm_msr_filter f = filter_of(RW, NOBODYS, 1, none);
	struct kvm_msr_filter gs = filter_of(RW, KERNEL_GS_BASE, 1, none);
	static const uint8_t swapgs[] = { 0x0f, 0x01, 0xf8, 0xf4 };
	uint64_t value = 1;

	ok(both(&f, 0) && shut(&f, NOBODYS),
	   "9: the filter applies to MSRs that KVM does not have");
	ok(both(&gs, 0) && shut(&gs, KERNEL_GS_BASE),
	   "9: the filter applies to an MSR that is passed through without it");
	memcpy(vm.memory + TINY_CODE, swapgs, sizeof(swapgs));
	tiny_prepare(&vcpu, TINY_CODE, 0, 0);
	ok(!tiny_run(&vcpu) && !tiny_outcome(&vcpu, TINY_CODE),
	   "9: SWAPGS, which changes it as well, is not filtered");
	ok(!tiny_set_msr(&vcpu, KERNEL_GS_BASE, 0x1234) &&
	   !tiny_get_msr(&vcpu, KERNEL_GS_BASE, &value) && value == 0x1234 &&
	   !tiny_set_msr(&vcpu, KERNEL_GS_BASE, 0),
	   "9: the host's accesses are not filtered");
	memset(&f, 0, sizeof(f));
	ok(both(&f, 0) && free_of(&f, KERNEL_GS_BASE),
	   "9: without the filter the guest can access the MSR again");
}

/* How much of a bitmap KVM reads. */
static void test_pad(void)
{
	const uint32_t nmsrs[] = { 1, 8, 9, 63, 64, 65, 12281, 12288 };
	long page = sysconf(_SC_PAGESIZE);
	uint8_t *pages = mmap(NULL, (size_t)page * 2, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int bad = 0;

	if (pages == MAP_FAILED || mprotect(pages + page, (size_t)page,
					    PROT_NONE)) {
		printf("Bail out! no memory\n");
		exit(1);
	}
	memset(pages, 0xff, (size_t)page);
	for (size_t i = 0; i < sizeof(nmsrs) / sizeof(nmsrs[0]); i++) {
		uint32_t longs = (nmsrs[i] + 63) / 64 * 8;
		struct kvm_msr_filter f =
			filter_of(RW, 0xc0000000, nmsrs[i],
				  pages + page - longs);

		bad += set(&f) != 0;
		f.ranges[5].bitmap++;
		bad += set(&f) != -EFAULT;
	}
	ok(!bad, "a bitmap is read in whole longs, and not beyond the last one");
	munmap(pages, (size_t)page * 2);
}

int main(void)
{
	const char *why_not = tiny_why_not();

	if (why_not)
		tap_skip_all(why_not);
	memset(all, 0xff, sizeof(all));
	tiny_vm_new(&vm);
	probe_reasons(&vm, KVM_MSR_EXIT_REASON_FILTER);
	tiny_vcpu_new(&vm, &vcpu, 0, TINY_LONG);
	test_replaced();
	test_atomic();
	test_first_wins();
	test_bits();
	test_empty();
	test_flags();
	test_size();
	test_wrap();
	test_x2apic();
	test_before_kvm();
	test_pad();
	tiny_vcpu_free(&vcpu);
	tiny_vm_free(&vm);
	return tap_done();
}
