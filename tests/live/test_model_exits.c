// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's exits for MSRs, on the KVM of this host: which access exits with which reason,
 * and the effect of the answers.
 */
#include <linux/kvm.h>

#include "lib/policy/policy.h"
#include "lib/policy/registers.h"
#include "msr_probe.h"

#define NOBODYS		0x4b4d5300u	/* no CPU and no hypervisor has it */
#define READ_ONLY	0xceu		/* PLATFORM_INFO: not writable by the guest */

static uint8_t none[8];
static struct tiny_vm vm;
static struct tiny_vcpu vcpu;

static void set(const struct kvm_msr_filter *filter)
{
	if (!ioctl(vm.fd, KVM_X86_SET_MSR_FILTER, filter))
		return;
	printf("Bail out! KVM_X86_SET_MSR_FILTER: %s\n", strerror(errno));
	exit(1);
}

/* All accesses to one MSR are denied. */
static struct kvm_msr_filter filter_of(uint32_t index)
{
	return (struct kvm_msr_filter){
		.ranges[0] = { .flags = 3, .base = index, .nmsrs = 1,
			       .bitmap = none },
	};
}

static bool ignores_msrs(void)
{
	FILE *file = fopen("/sys/module/kvm/parameters/ignore_msrs", "r");
	int c = file ? fgetc(file) : 'N';

	if (file)
		fclose(file);
	return c == 'Y';
}

static bool gets(enum probe expected, uint32_t index, unsigned int access,
		 uint64_t value)
{
	enum probe got = probe_value(&vcpu, index, access, value);

	if (got != expected)
		printf("# %s 0x%x: %s, expected %s\n",
		       access == ACCESS_READ ? "read" : "write", index,
		       probe_names[got], probe_names[expected]);
	return got == expected;
}

/* Which accesses exit, with which reasons. */
static void test_reasons(void)
{
	struct kvm_msr_filter f = filter_of(NOBODYS + 1);
	const uint64_t bad = 1ull << 63;	/* no bit of EFER's */
	unsigned int wrong = 0;

	f.ranges[1] = filter_of(MSR_EFER).ranges[0];
	set(&(struct kvm_msr_filter){ 0 });
	if (ignores_msrs()) {
		tap_skip("reasons", "with kvm.ignore_msrs there are no exits with UNKNOWN");
		return;
	}
	for (uint64_t mask = 0; mask < 4; mask++) {
		/* INVAL is bit 0, UNKNOWN bit 1, FILTER bit 2. */
		probe_reasons(&vm, mask);
		wrong += !gets(mask & 2 ? PROBE_UNKNOWN : PROBE_GP, NOBODYS,
			       ACCESS_READ, 0) +
			 !gets(mask & 2 ? PROBE_UNKNOWN : PROBE_GP, NOBODYS,
			       ACCESS_WRITE, 0) +
			 !gets(mask & 1 ? PROBE_INVALID : PROBE_GP, MSR_EFER,
			       ACCESS_WRITE, bad) +
			 !gets(mask & 1 ? PROBE_INVALID : PROBE_GP, READ_ONLY,
			       ACCESS_WRITE, 1);
	}
	ok(!wrong,
	   "an MSR that KVM lacks is UNKNOWN, a refused access INVAL; without the reason each is #GP");
	set(&f);
	wrong = 0;
	for (uint64_t mask = 0; mask < 8; mask++) {
		enum probe filtered = mask & 4 ? PROBE_EXIT : PROBE_GP;

		probe_reasons(&vm, mask);
		wrong += !gets(filtered, NOBODYS + 1, ACCESS_READ, 0) +
			 !gets(filtered, MSR_EFER, ACCESS_WRITE, bad) +
			 !gets(mask & 2 ? PROBE_UNKNOWN : PROBE_GP, NOBODYS,
			       ACCESS_READ, 0);
	}
	ok(!wrong,
	   "a filtered access is FILTER whatever KVM would do with it, or #GP, and has no other reason");
	probe_reasons(&vm, KVM_MSR_EXIT_REASON_FILTER);
}

static void test_capability(void)
{
	struct kvm_msr_filter f = filter_of(0x174);
	unsigned int wrong = 0;

	probe_reasons(&vm, 0);
	set(&f);
	ok(gets(PROBE_GP, 0x174, ACCESS_READ, 0),
	   "a filter without the capability makes #GP, and no exit");
	probe_reasons(&vm, KVM_MSR_EXIT_REASON_FILTER);
	ok(gets(PROBE_EXIT, 0x174, ACCESS_READ, 0),
	   "the capability may be enabled after the filter");
	probe_reasons(&vm, KVM_MSR_EXIT_REASON_UNKNOWN);
	ok(gets(PROBE_GP, 0x174, ACCESS_READ, 0),
	   "enabling the capability again replaces the mask");
	for (int bit = 3; bit < 64; bit++)
		wrong += probe_enable(&vm, 1ull << bit |
				      KVM_MSR_EXIT_REASON_FILTER) != -EINVAL;
	ok(!wrong && gets(PROBE_GP, 0x174, ACCESS_READ, 0),
	   "an unknown reason is EINVAL, and the mask stays");
	probe_reasons(&vm, KVM_MSR_EXIT_REASON_FILTER);
}

/* The answer to an exit, which is pending in vcpu.run. */
static int answered(uint8_t error, uint64_t data)
{
	vcpu.run->msr.error = error;
	vcpu.run->msr.data = data;
	return tiny_run(&vcpu);
}

static void test_answers(void)
{
	struct kvm_msr_filter f = filter_of(0x174);
	struct kvm_regs regs;
	uint64_t value = 1;
	bool good = true;

	set(&f);
	for (int error = 1; error < 256; error <<= 1) {
		tiny_prepare(&vcpu, TINY_RDMSR, 0x174, 0);
		good &= !tiny_run(&vcpu) && !answered((uint8_t)error, 0) &&
			tiny_outcome(&vcpu, TINY_RDMSR) == TINY_GP;
	}
	ok(good, "an error other than 0 is #GP(0), whichever bit is set");
	tiny_prepare(&vcpu, TINY_RDMSR, 0x174, 0);
	ok(!tiny_run(&vcpu) && !answered(0, 0x1122334455667788) &&
	   !tiny_outcome(&vcpu, TINY_RDMSR) &&
	   !ioctl(vcpu.fd, KVM_GET_REGS, &regs) && regs.rax == 0x55667788 &&
	   regs.rdx == 0x11223344, "with error 0 a read gets the data");
	tiny_set_msr(&vcpu, 0x174, 0x10);
	tiny_prepare(&vcpu, TINY_WRMSR, 0x174, 0x20);
	ok(!tiny_run(&vcpu) && vcpu.run->msr.data == 0x20 &&
	   !answered(0, 0x30) && !tiny_outcome(&vcpu, TINY_WRMSR) &&
	   !tiny_get_msr(&vcpu, 0x174, &value) && value == 0x10,
	   "with error 0 a write is skipped, and KVM does not perform it");
	tiny_prepare(&vcpu, TINY_WRMSR, 0x174, 0x20);
	good = !tiny_run(&vcpu);
	vcpu.run->immediate_exit = 1;
	ok(good && answered(0, 0) == -EINTR &&
	   !ioctl(vcpu.fd, KVM_GET_REGS, &regs) && regs.rip == TINY_WRMSR + 2,
	   "immediate_exit finishes the exit, and the guest does not run");
	vcpu.run->immediate_exit = 0;
}

int main(void)
{
	const char *why_not = tiny_why_not();

	if (why_not)
		tap_skip_all(why_not);
	tiny_vm_new(&vm);
	tiny_vcpu_new(&vm, &vcpu, 0, TINY_LONG);
	test_reasons();
	test_capability();
	test_answers();
	tiny_vcpu_free(&vcpu);
	tiny_vm_free(&vm);
	return tap_done();
}
