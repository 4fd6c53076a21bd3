// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's MSR filter, rule by rule, on the KVM that runs here: what lib/judge/model.c and
 * lib/judge/msr_filter.c are built on. Where there is a choice, the model is asked, too.
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

/* KVM and the model say the same of a filter. */
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

/* Is the guest's access let through, by KVM and by the model? */
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
	   "1: a new filter replaces the whole old one");
	cs.flags = 2;
	ok(both(&cs, -EINVAL) && shut(&pat, 0x277) && free_of(&pat, 0x174),
	   "1: one that is refused leaves it in force");
	tiny_vcpu_new(&vm, &late, 1, TINY_LONG);
	ok(probe(&late, 0x277, ACCESS_READ) == PROBE_EXIT,
	   "1: a vCPU that is created later obeys it");
	tiny_vcpu_free(&late);
	ok(ioctl(vm.fd, KVM_X86_SET_MSR_FILTER, NULL) && errno == EFAULT &&
	   shut(&pat, 0x277), "1: without a filter: EFAULT, and the old one stays");
}

/* Reads PAT, which is free, and SYSENTER_CS, which must be magic, for ever. */
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

/* Two filters that have nothing in common but what they say of the two. */
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
	   "1: swapped %d times under a vCPU that runs: it meets the old or the new filter, in %u exits",
	   SWAPS, exits);
	/* Nothing of it is left pending. */
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
	ok(both(&f, 0) && shut(&f, 0x174), "2: a second one has no say");
	f.ranges[2] = filter_of(KVM_MSR_FILTER_READ, 0x174, 1, all).ranges[5];
	ok(both(&f, 0) && reads(&f, 0x174),
	   "2: it must match the kind of access, too");
	memset(&f, 0, sizeof(f));
	for (uint32_t i = 0; i < 16; i++)
		f.ranges[i] = filter_of(KVM_MSR_FILTER_WRITE, 0x200 + i, 1,
					none).ranges[5];
	ok(both(&f, 0) && reads(&f, 0x200) && reads(&f, 0x20f) &&
	   free_of(&f, 0x277), "2: all of 16 ranges count");
	ok(KVM_MSR_FILTER_MAX_RANGES == 16 &&
	   ioctl(vm.fd, _IOW(KVMIO, 0xc6, struct seventeen), &more) == -1 &&
	   errno == ENOTTY && reads(&f, 0x20f), "2: 17 ranges can't be said");
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
	ok(good, "3: a bit of 1 allows, one of 0 denies");
	ok(free_of(&f, 0x29f) && shut(&f, 0x29e) && free_of(&f, 0x2a0) &&
	   free_of(&f, 0x1ff), "3: beside the range the default allows");
	f.flags = KVM_MSR_FILTER_DEFAULT_DENY;
	ok(both(&f, 0) && shut(&f, 0x2a0) && shut(&f, 0x1ff) &&
	   shut(&f, MSR_EFER) && free_of(&f, 0x29f), "3: or denies");
	f.ranges[5].flags = KVM_MSR_FILTER_READ;
	ok(both(&f, 0) && reads(&f, 0x200) && shut(&f, 0x201),
	   "3: and what the range does not speak of");
	bitmap[0] = 0;
	ok(probe(&vcpu, 0x200, ACCESS_READ) != PROBE_EXIT,
	   "3: the bitmap is copied: what is written to it later is not seen");
}

/* Rule 4. */
static void test_empty(void)
{
	struct kvm_msr_filter f = filter_of(RW, 0x174, 1, none);
	struct kvm_msr_filter off = { 0 };

	f.ranges[0] = (struct kvm_msr_filter_range){
		.flags = 0xffffffff, .base = 0x277, .bitmap = (uint8_t *)1 };
	ok(both(&f, 0) && shut(&f, 0x174) && free_of(&f, 0x277),
	   "4: an empty range is skipped, with all that is wrong with it");
	off.flags = KVM_MSR_FILTER_DEFAULT_DENY;
	ok(both(&off, -EINVAL) && shut(&f, 0x174),
	   "4: no range at all, and deny by default: EINVAL");
	off.flags = KVM_MSR_FILTER_DEFAULT_ALLOW;
	ok(both(&off, 0) && free_of(&off, 0x174) && free_of(&off, MSR_EFER),
	   "4: no range at all, and allow: filtering is off");
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
	ok(!bad, "5: each unknown flag of the filter: EINVAL");
	f.flags = bad = 0;
	for (uint32_t bit = 2; bit < 32; bit++) {
		f.ranges[5].flags = 1u << bit;
		bad += !both(&f, -EINVAL);
		f.ranges[5].flags |= RW;
		bad += !both(&f, -EINVAL);
	}
	ok(!bad, "5: each unknown flag of a range: EINVAL");
	f.ranges[5].flags = 0;
	ok(both(&f, -EINVAL), "5: a range for neither reads nor writes: EINVAL");
}

/* Rule 6. */
static void test_size(void)
{
	struct kvm_msr_filter f = filter_of(RW, 0xc0000000, BITMAP * 8, none);

	ok(BITMAP == 0x600 && both(&f, 0) && shut(&f, 0xc0000000) &&
	   shut(&f, 0xc0002fff) && free_of(&f, 0xc0003000),
	   "6: a bitmap of 0x600 bytes");
	f.ranges[5].nmsrs++;
	ok(both(&f, -EINVAL), "6: one MSR more: EINVAL");
	f.ranges[5].nmsrs = 0xffffffff;
	ok(both(&f, -EINVAL), "6: as many as can be said: EINVAL");
	f = filter_of(RW, 0x174, 1, NULL);
	ok(both(&f, -EFAULT), "6: no bitmap: EFAULT");
}

/* Rule 7. */
static void test_wrap(void)
{
	struct kvm_msr_filter f = filter_of(RW, 0xfffffff0, 15, none);

	ok(both(&f, 0) && shut(&f, 0xfffffff0) && shut(&f, 0xfffffffe) &&
	   free_of(&f, 0xffffffff), "7: a range up to 0xfffffffe");
	f.ranges[5].nmsrs = 16;
	ok(both(&f, 0) && free_of(&f, 0xfffffff0) && free_of(&f, 0xffffffff),
	   "7: one that reaches 2^32 matches nothing");
	f.ranges[5].nmsrs = 0x180;
	ok(both(&f, 0) && free_of(&f, 0xfffffff0) && free_of(&f, 0) &&
	   free_of(&f, 0x16f), "7: one that goes on beyond it, neither there nor at 0");
	f.ranges[5].bitmap = all;
	f.flags = KVM_MSR_FILTER_DEFAULT_DENY;
	ok(both(&f, 0) && shut(&f, 0xfffffff0) && shut(&f, 0xffffffff),
	   "7: nor does it allow anything");
}

/* Rule 8. */
static void test_x2apic(void)
{
	struct kvm_msr_filter f = filter_of(RW, 0x7f0, 0x120, none);

	f.flags = KVM_MSR_FILTER_DEFAULT_DENY;
	ok(both(&f, 0) && free_of(&f, 0x800) && free_of(&f, 0x830) &&
	   free_of(&f, 0x8ff), "8: the x2APIC's MSRs are never filtered");
	ok(shut(&f, 0x7ff) && shut(&f, 0x900), "8: but their neighbours");
}

/* Rule 9. */
static void test_before_kvm(void)
{
	struct kvm_msr_filter f = filter_of(RW, NOBODYS, 1, none);
	struct kvm_msr_filter gs = filter_of(RW, KERNEL_GS_BASE, 1, none);
	static const uint8_t swapgs[] = { 0x0f, 0x01, 0xf8, 0xf4 };
	uint64_t value = 1;

	ok(both(&f, 0) && shut(&f, NOBODYS),
	   "9: the filter comes before KVM, which has no such MSR");
	ok(both(&gs, 0) && shut(&gs, KERNEL_GS_BASE),
	   "9: an MSR that is passed through otherwise is not any more");
	memcpy(vm.memory + TINY_CODE, swapgs, sizeof(swapgs));
	tiny_prepare(&vcpu, TINY_CODE, 0, 0);
	ok(!tiny_run(&vcpu) && !tiny_outcome(&vcpu, TINY_CODE),
	   "9: SWAPGS, which changes it as well, is not filtered");
	ok(!tiny_set_msr(&vcpu, KERNEL_GS_BASE, 0x1234) &&
	   !tiny_get_msr(&vcpu, KERNEL_GS_BASE, &value) && value == 0x1234 &&
	   !tiny_set_msr(&vcpu, KERNEL_GS_BASE, 0),
	   "9: nor is the host");
	memset(&f, 0, sizeof(f));
	ok(both(&f, 0) && free_of(&f, KERNEL_GS_BASE),
	   "9: without the filter it is the guest's again");
}

/* The sharp edges: how much of a bitmap KVM reads. */
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
	ok(!bad, "a bitmap is read in whole longs, and not beyond");
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
