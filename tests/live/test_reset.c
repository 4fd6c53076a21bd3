// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes that count as a reset or an INIT, and others: by the VMM, by KVM at a triple fault,
 * without a report, and of a vCPU that is gone.
 */
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "kernel_scene.h"

/* A vCPU that the VMM removes must not keep the VM's values. */
static void test_gone(void)
{
	struct scene s;

	scene_open(&s, syscall_policy(ARM_SYSCALL_ENTRY), 2, TINY_LONG);
	boot(&s.vcpu[0], KERNEL);
	boot(&s.vcpu[1], KERNEL);
	tiny_vcpu_free(&s.vcpu[1]);
	s.nr_vcpus = 1;
	tiny_reset(&s.vcpu[0]);
	tiny_set_mode(&s.vcpu[0], TINY_LONG, 0);
	s.nr_events = 0;
	boot(&s.vcpu[0], OTHER);
	ok(scene_msr(&s.vcpu[0], MSR_LSTAR) == OTHER &&
	   scene_only(&s, REGPIN_EVENT_ARMED),
	   "a detached vCPU counts as reset");
	scene_close(&s);
}

/* A CPU after INIT that is reset has no paging to lose. */
static void test_reset_unpaged(void)
{
	struct scene s;

	scene_open(&s, nx_policy(ARM_SYSCALL_ENTRY), 1, TINY_PROTECTED);
	tiny_wrmsr(&s.vcpu[0], MSR_LSTAR, KERNEL);
	s.nr_events = 0;
	tiny_set_mode(&s.vcpu[0], TINY_PROTECTED, 0);
	ok(scene_silent(&s), "writing registers back without paging is not a reset");
	tiny_reset(&s.vcpu[0]);
	ok(scene_only(&s, REGPIN_EVENT_RESET), "LSTAR := 0 by the VMM is a reset");
	scene_close(&s);
}

/*
 * A VMM with the APIC in userspace writes the registers as INIT leaves them, when the
 * guest wants it.
 */
static void test_init_by_vmm(void)
{
	struct tiny_vcpu *vcpu;
	struct scene s;

	scene_open(&s, syscall_policy(ARM_SYSCALL_ENTRY), 1, TINY_LONG);
	vcpu = &s.vcpu[0];
	boot(vcpu, KERNEL);
	s.nr_events = 0;
	tiny_set_mode(vcpu, TINY_REAL, 0);
	ok(scene_silent(&s), "an INIT by the VMM is not a reset, as LSTAR stays");
	ok(tiny_wrmsr(vcpu, MSR_LSTAR, OTHER) == TINY_GP,
	   "LSTAR is pinned after that INIT as before");
	scene_close(&s);
}

/*
 * QEMU loads a snapshot: it writes control registers first, in the reset before and in
 * the load itself. This was taken for an INIT by the VMM's own APIC.
 */
static void test_reset_and_load(void)
{
	struct tiny_vcpu *vcpu;
	struct scene s;

	scene_open(&s, syscall_policy(ARM_SYSCALL_ENTRY), 1, TINY_LONG);
	vcpu = &s.vcpu[0];
	boot(vcpu, KERNEL);
	s.nr_events = 0;
	tiny_set_mode(vcpu, TINY_REAL, 0);
	tiny_set_msr(vcpu, MSR_LSTAR, 0);
	ok(scene_only(&s, REGPIN_EVENT_RESET), "CR0 first, then LSTAR := 0, is a reset");
	s.nr_events = 0;
	tiny_set_mode(vcpu, TINY_LONG, 0);
	tiny_set_msr(vcpu, MSR_SFMASK, 0x700);
	tiny_set_msr(vcpu, MSR_LSTAR, KERNEL);
	tiny_wrmsr(vcpu, MSR_SFMASK, 0x700);
	ok(scene_count(&s, REGPIN_EVENT_ARMED) == 1 &&
	   !scene_count(&s, REGPIN_EVENT_DISARMED),
	   "a state that is loaded after that is armed, and stays armed");
	scene_close(&s);
}

static void raw_set_msr(struct tiny_vcpu *vcpu, uint32_t index, uint64_t value)
{
	struct {
		struct kvm_msrs header;
		struct kvm_msr_entry entry;
	} one = { .header.nmsrs = 1,
		  .entry = { .index = index, .data = value } };

	ioctl(vcpu->fd, KVM_SET_MSRS, &one);
}

/*
 * A KVM without the CR filter does not report an INIT, which clears EFER.NXE. The vCPU
 * counted as armed, so it started without NXE, and that was never detected.
 */
static void test_init_by_efer(void)
{
	struct kvm_sregs real;
	struct tiny_vcpu *vcpu;
	struct scene s;

	scene_open(&s, nx_policy(ARM_SYSCALL_ENTRY), 2, TINY_REAL);
	vcpu = &s.vcpu[0];
	tiny_get_sregs(vcpu, &real);
	tiny_set_mode(vcpu, TINY_LONG, 0);
	tiny_wrmsr(vcpu, MSR_EFER, EFER_ON);
	boot(vcpu, KERNEL);
	s.nr_events = 0;
	/* The effect of INIT, of which the library is not informed. */
	ioctl(vcpu->fd, KVM_SET_SREGS, &real);
	vcpu->mode = TINY_REAL;
	ok(!tiny_wrmsr(vcpu, MSR_STAR, 5) && scene_silent(&s),
	   "an INIT without a report is not seen at once");
	ok(!tiny_wrmsr(vcpu, MSR_EFER, 1) && s.events[0].detail == REGPIN_BY_INIT &&
	   scene_only(&s, REGPIN_EVENT_DISARMED),
	   "the INIT is inferred when EFER, which is 0, is written");
	s.nr_events = 0;
	ok(!tiny_wrmsr(vcpu, MSR_EFER, 0x801) &&
	   !tiny_wrmsr(vcpu, MSR_LSTAR, KERNEL) &&
	   !tiny_wrmsr(vcpu, MSR_SFMASK, 0x700) &&
	   scene_only(&s, REGPIN_EVENT_ARMED), "the vCPU arms again after the INIT");
	s.nr_events = 0;
	ok(tiny_wrmsr(vcpu, MSR_EFER, 1) == TINY_GP, "its pins hold after the INIT");
	scene_close(&s);
}

/*
 * At a triple fault KVM on SVM clears the vCPU, including LSTAR, before it informs the
 * VMM, which then resets the VM. That must count as this vCPU's reset, or the next
 * kernel is compared with the values of the one that crashed.
 */
static void test_triple_fault(void)
{
	struct tiny_vcpu *vcpu;
	struct scene s;

	scene_open(&s, syscall_policy(ARM_SYSCALL_ENTRY), 1, TINY_REAL);
	vcpu = &s.vcpu[0];
	/* No EFER: see tiny_no_unpaged_lme(). */
	tiny_wrmsr(vcpu, MSR_LSTAR, KERNEL);
	tiny_wrmsr(vcpu, MSR_SFMASK, 0x700);
	s.nr_events = 0;
	/* KVM's part; the library is informed only of the triple fault. */
	raw_set_msr(vcpu, MSR_LSTAR, 0);
	raw_set_msr(vcpu, MSR_SFMASK, 0);
	vcpu->run->exit_reason = KVM_EXIT_SHUTDOWN;
	regpin_vcpu_exit(vcpu->regpin);
	ok(scene_only(&s, REGPIN_EVENT_SHUTDOWN), "a triple fault is an event");
	tiny_reset(vcpu);
	ok(scene_only(&s, REGPIN_EVENT_RESET), "the reset after a triple fault is an event");
	tiny_wrmsr(vcpu, MSR_LSTAR, OTHER);
	ok(scene_msr(vcpu, MSR_LSTAR) == OTHER,
	   "another kernel may start after a triple fault");
	scene_close(&s);
}

static pid_t booter;

static void *boot_thread(void *vcpu)
{
	booter = gettid();
	boot(vcpu, KERNEL);
	return NULL;
}

/* The kernel may show a thread for a moment after it was joined. */
static void await_end(pid_t thread)
{
	const struct timespec ms = { 0, 1000000 };

	while (!syscall(SYS_tgkill, getpid(), thread, 0))
		nanosleep(&ms, NULL);
}

/*
 * QEMU keeps an unplugged vCPU's fd and never resets it. Its thread has ended, so the
 * next kernel must not be compared with its values.
 */
static void test_unplugged(void)
{
	struct tiny_vcpu *one, *two;
	pthread_t thread;
	struct scene s;

	scene_open(&s, syscall_policy(ARM_SYSCALL_ENTRY), 2, TINY_LONG);
	one = &s.vcpu[0];
	two = &s.vcpu[1];
	boot(one, KERNEL);
	pthread_create(&thread, NULL, boot_thread, two);
	pthread_join(thread, NULL);
	await_end(booter);
	s.nr_events = 0;
	tiny_reset(one);
	ok(scene_only(&s, REGPIN_EVENT_RESET), "all vCPUs but an unplugged one are reset");
	tiny_set_mode(one, TINY_LONG, 0);
	boot(one, OTHER);
	ok(scene_msr(one, MSR_LSTAR) == OTHER,
	   "another kernel may start beside an unplugged vCPU");
	ok(tiny_wrmsr(two, MSR_LSTAR, 0x1000) == TINY_GP,
	   "the unplugged vCPU needs the new kernel's values if it runs again");
	ok(nx_is_pinned(two), "the unplugged vCPU is still pinned");
	scene_close(&s);
}

int main(void)
{
	const char *why_not = tiny_why_not();

	if (why_not)
		tap_skip_all(why_not);
	test_gone();
	test_reset_unpaged();
	test_triple_fault();
	test_unplugged();
	test_init_by_vmm();
	test_reset_and_load();
	test_init_by_efer();
	return tap_done();
}
