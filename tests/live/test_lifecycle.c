// SPDX-License-Identifier: GPL-2.0-only
/* Arming, set-up, reset, state load, the VMM's own writes; one and two vCPUs. */
#include <inttypes.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/policy/policy.h"
#include "lib/policy/registers.h"
#include "scene.h"

#define KERNEL		0xffffffff81000000ull
#define OTHER		0xffffffff82000000ull
#define EFER_ON		0xd01ull
#define EFER_NX_OFF	0x501ull

/* A guest that boots: what Linux writes, in its order. */
static void boot(struct tiny_vcpu *vcpu, uint64_t lstar)
{
	tiny_wrmsr(vcpu, MSR_EFER, EFER_ON);
	tiny_wrmsr(vcpu, MSR_STAR, 0x0023001000000000);
	tiny_wrmsr(vcpu, MSR_LSTAR, lstar);
	tiny_wrmsr(vcpu, MSR_CSTAR, lstar + 0x1000);
	tiny_wrmsr(vcpu, MSR_SFMASK, 0x257fd5);
}

static bool nx_is_pinned(struct tiny_vcpu *vcpu)
{
	int outcome = tiny_wrmsr(vcpu, MSR_EFER, EFER_NX_OFF);

	if (outcome == 0)
		tiny_wrmsr(vcpu, MSR_EFER, EFER_ON);
	return outcome == TINY_GP;
}

static struct regpin_policy *nx_policy(unsigned int arming)
{
	struct regpin_policy *policy = new_policy(arming);

	add_pin(policy, RULE_STICKY, MSR_EFER, EFER_NXE | EFER_SCE, REGPIN_GP);
	return policy;
}

static void test_arming(void)
{
	struct tiny_vcpu *vcpu;
	struct scene s;

	scene_open(&s, nx_policy(ARM_SYSCALL_ENTRY), 1, TINY_LONG);
	vcpu = &s.vcpu[0];
	tiny_wrmsr(vcpu, MSR_EFER, 0xd00);
	ok(!nx_is_pinned(vcpu), "not armed, not pinned");
	tiny_wrmsr(vcpu, MSR_LSTAR, 0);
	tiny_wrmsr(vcpu, MSR_SFMASK, 0x700);
	ok(scene_silent(&s), "LSTAR := 0 and SFMASK arm nothing");
	tiny_wrmsr(vcpu, MSR_EFER, 0xd00);
	tiny_wrmsr(vcpu, MSR_LSTAR, KERNEL);
	ok(s.events[0].vcpu == 0 && scene_only(&s, REGPIN_EVENT_ARMED),
	   "a value in LSTAR does");
	ok(nx_is_pinned(vcpu), "and now NXE is pinned");
	s.nr_events = 0;
	ok(!tiny_wrmsr(vcpu, MSR_EFER, EFER_ON) && scene_silent(&s),
	   "SCE may still be set");
	ok(tiny_wrmsr(vcpu, MSR_EFER, 0xd00) == TINY_GP,
	   "and is sticky from then on");
	ok(!tiny_wrmsr(vcpu, MSR_LSTAR, 0) && nx_is_pinned(vcpu),
	   "LSTAR := 0 disarms nothing");
	s.nr_events = 0;
	ok(!tiny_wrmsr(vcpu, MSR_LSTAR, OTHER) && scene_silent(&s),
	   "nor does it arm again");
	scene_close(&s);

	scene_open(&s, nx_policy(ARM_START), 1, TINY_LONG);
	tiny_wrmsr(&s.vcpu[0], MSR_EFER, EFER_ON);
	ok(scene_only(&s, REGPIN_EVENT_ARMED) && nx_is_pinned(&s.vcpu[0]),
	   "arming: start needs no LSTAR");
	tiny_reset(&s.vcpu[0]);
	tiny_set_mode(&s.vcpu[0], TINY_LONG, 0);
	s.nr_events = 0;
	tiny_wrmsr(&s.vcpu[0], MSR_EFER, EFER_ON);
	ok(scene_only(&s, REGPIN_EVENT_ARMED) && nx_is_pinned(&s.vcpu[0]),
	   "and is armed again at once after a reset");
	scene_close(&s);
}

static struct regpin_policy *syscall_policy(unsigned int arming)
{
	struct regpin_policy *policy = nx_policy(arming);

	add_pin(policy, RULE_ONCE, MSR_LSTAR, ALL, REGPIN_GP);
	add_pin(policy, RULE_ONCE, MSR_CSTAR, ALL, REGPIN_GP);
	add_pin(policy, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_GP);
	add_pin(policy, RULE_UNIFORM, MSR_STAR, ALL, REGPIN_GP);
	add_pin(policy, RULE_UNIFORM, MSR_EFER, ALL, REGPIN_GP);
	return policy;
}

static void test_set_up(void)
{
	struct tiny_vcpu *vcpu;
	struct scene s;

	scene_open(&s, syscall_policy(ARM_SYSCALL_ENTRY), 1, TINY_LONG);
	vcpu = &s.vcpu[0];
	tiny_wrmsr(vcpu, MSR_LSTAR, KERNEL);
	ok(!tiny_wrmsr(vcpu, MSR_CSTAR, KERNEL), "once: open, and was 0");
	ok(!tiny_wrmsr(vcpu, MSR_CSTAR, KERNEL), "the same again");
	ok(tiny_wrmsr(vcpu, MSR_CSTAR, OTHER) == TINY_GP, "but not another");
	ok(tiny_wrmsr(vcpu, MSR_LSTAR, OTHER) == TINY_GP, "nor LSTAR");
	ok(!tiny_wrmsr(vcpu, MSR_STAR, 5), "uniform: not settled yet");
	ok(!tiny_wrmsr(vcpu, MSR_SFMASK, 0), "SFMASK := 0 ends the set-up");
	ok(tiny_wrmsr(vcpu, MSR_STAR, 6) == TINY_GP &&
	   !tiny_wrmsr(vcpu, MSR_STAR, 5), "uniform: settled");
	scene_close(&s);

	scene_open(&s, syscall_policy(ARM_SYSCALL_ENTRY), 1, TINY_LONG);
	vcpu = &s.vcpu[0];
	tiny_wrmsr(vcpu, MSR_SFMASK, 0x700);
	tiny_wrmsr(vcpu, MSR_LSTAR, KERNEL);
	ok(tiny_wrmsr(vcpu, MSR_CSTAR, KERNEL) == TINY_GP,
	   "SFMASK first: LSTAR ends the set-up, and CSTAR is closed with 0");
	scene_close(&s);

	scene_open(&s, syscall_policy(ARM_START), 1, TINY_LONG);
	vcpu = &s.vcpu[0];
	tiny_wrmsr(vcpu, MSR_SFMASK, 0x700);
	ok(!tiny_wrmsr(vcpu, MSR_LSTAR, KERNEL),
	   "armed from the start and SFMASK first: LSTAR is still open");
	ok(tiny_wrmsr(vcpu, MSR_LSTAR, OTHER) == TINY_GP, "once");
	scene_close(&s);
}

static void test_two_vcpus(void)
{
	struct tiny_vcpu *one, *two;
	struct scene s;

	scene_open(&s, syscall_policy(ARM_SYSCALL_ENTRY), 2, TINY_LONG);
	one = &s.vcpu[0];
	two = &s.vcpu[1];
	boot(one, KERNEL);
	ok(scene_only(&s, REGPIN_EVENT_ARMED), "the first vCPU arms");
	if (tiny_no_unpaged_lme()) {
		tap_skip("uniform EFER, paging off", tiny_no_unpaged_lme());
	} else {
		tiny_set_mode(two, TINY_PROTECTED, 0);
		ok(!tiny_wrmsr(two, MSR_EFER, EFER_ON & ~EFER_LMA),
		   "uniform EFER is for all but LMA: the trampoline's write passes");
		ok(tiny_wrmsr(two, MSR_EFER, 0x100) == TINY_GP,
		   "without NXE not");
	}
	tiny_set_mode(two, TINY_LONG, 0);
	s.nr_events = 0;
	ok(tiny_wrmsr(two, MSR_LSTAR, OTHER) == TINY_GP,
	   "the second vCPU can't bring another LSTAR");
	ok(s.events[0].vcpu == 1 && s.events[0].bits == ALL &&
	   scene_only(&s, REGPIN_EVENT_VIOLATION), "which is an event");
	boot(two, KERNEL);
	ok(s.events[0].vcpu == 1 && scene_only(&s, REGPIN_EVENT_ARMED),
	   "with the same values it arms");
	ok(nx_is_pinned(one) && nx_is_pinned(two), "both are pinned");

	s.nr_events = 0;
	tiny_reset(one);
	ok(s.events[0].vcpu == 0 && scene_only(&s, REGPIN_EVENT_RESET),
	   "one vCPU is reset: one event");
	tiny_set_mode(one, TINY_LONG, 0);
	tiny_wrmsr(one, MSR_EFER, EFER_ON);
	ok(nx_is_pinned(two), "the other one is still pinned");
	ok(tiny_wrmsr(one, MSR_LSTAR, OTHER) == TINY_GP,
	   "and the VM's values hold while one vCPU is armed");
	tiny_reset(two);
	s.nr_events = 0;
	boot(one, OTHER);
	ok(scene_only(&s, REGPIN_EVENT_ARMED) && nx_is_pinned(one),
	   "when all are reset, another kernel may come, and arms");
	ok(scene_msr(one, MSR_LSTAR) == OTHER, "with its LSTAR");
	scene_close(&s);
}

/* A vCPU that the VMM takes away must not keep the VM's values alive. */
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

/* An INIT'ed CPU that is reset has no paging to lose. */
static void test_reset_unpaged(void)
{
	struct scene s;

	scene_open(&s, nx_policy(ARM_SYSCALL_ENTRY), 1, TINY_PROTECTED);
	tiny_wrmsr(&s.vcpu[0], MSR_LSTAR, KERNEL);
	s.nr_events = 0;
	tiny_set_mode(&s.vcpu[0], TINY_PROTECTED, 0);
	ok(scene_silent(&s), "written back without paging: no reset");
	tiny_reset(&s.vcpu[0]);
	ok(scene_only(&s, REGPIN_EVENT_RESET), "LSTAR := 0 by the VMM: reset");
	scene_close(&s);
}

/* Saved with paging off, a guest must not pass for one that has no system. */
static void test_load_unpaged(void)
{
	struct tiny_vcpu *one, *two;
	struct scene s;

	scene_open(&s, syscall_policy(ARM_SYSCALL_ENTRY), 2, TINY_REAL);
	one = &s.vcpu[0];
	two = &s.vcpu[1];
	tiny_set_msr(one, MSR_LSTAR, KERNEL);
	tiny_set_msr(one, MSR_SFMASK, 0x700);
	ok(scene_only(&s, REGPIN_EVENT_ARMED), "no paging, an LSTAR: armed");
	tiny_set_msr(one, MSR_STAR, 5);
	ok(tiny_wrmsr(two, MSR_LSTAR, OTHER) == TINY_GP,
	   "another vCPU that enters first can't settle its own LSTAR");
	ok(!tiny_wrmsr(two, MSR_STAR, 5) &&
	   tiny_wrmsr(two, MSR_STAR, 6) == TINY_GP,
	   "the last of the VMM's writes before the first entry counts");
	ok(tiny_wrmsr(one, MSR_LSTAR, OTHER) == TINY_GP, "nor it itself");
	scene_close(&s);
}

/* A VMM with the APIC in userspace writes what INIT leaves, at the guest's will. */
static void test_init_by_vmm(void)
{
	struct tiny_vcpu *vcpu;
	struct scene s;

	scene_open(&s, syscall_policy(ARM_SYSCALL_ENTRY), 1, TINY_LONG);
	vcpu = &s.vcpu[0];
	boot(vcpu, KERNEL);
	s.nr_events = 0;
	tiny_set_mode(vcpu, TINY_REAL, 0);
	ok(scene_silent(&s), "an INIT by the VMM is no reset: LSTAR stays");
	ok(tiny_wrmsr(vcpu, MSR_LSTAR, OTHER) == TINY_GP,
	   "and LSTAR is pinned as before");
	scene_close(&s);
}

/*
 * As QEMU loads a snapshot: control registers first, in the reset before it and in the
 * load. The vCPU was taken for one that the VMM's own APIC had sent an INIT.
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
	ok(scene_only(&s, REGPIN_EVENT_RESET), "CR0 first, then LSTAR: a reset");
	s.nr_events = 0;
	tiny_set_mode(vcpu, TINY_LONG, 0);
	tiny_set_msr(vcpu, MSR_SFMASK, 0x700);
	tiny_set_msr(vcpu, MSR_LSTAR, KERNEL);
	tiny_wrmsr(vcpu, MSR_SFMASK, 0x700);
	ok(scene_count(&s, REGPIN_EVENT_ARMED) == 1 &&
	   !scene_count(&s, REGPIN_EVENT_DISARMED),
	   "and what is loaded then is armed, and stays so");
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
 * On a KVM without the CR filter nobody tells of an INIT, by which EFER.NXE went, and
 * the vCPU passed for armed: it came up without, and was never missed.
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
	/* What INIT does: the library is not told of it. */
	ioctl(vcpu->fd, KVM_SET_SREGS, &real);
	vcpu->mode = TINY_REAL;
	ok(!tiny_wrmsr(vcpu, MSR_STAR, 5) && scene_silent(&s),
	   "an INIT that nobody tells of");
	ok(!tiny_wrmsr(vcpu, MSR_EFER, 1) && s.events[0].detail == REGPIN_BY_INIT &&
	   scene_only(&s, REGPIN_EVENT_DISARMED),
	   "is seen when EFER, which is 0, is written");
	s.nr_events = 0;
	ok(!tiny_wrmsr(vcpu, MSR_EFER, 0x801) &&
	   !tiny_wrmsr(vcpu, MSR_LSTAR, KERNEL) &&
	   !tiny_wrmsr(vcpu, MSR_SFMASK, 0x700) &&
	   scene_only(&s, REGPIN_EVENT_ARMED), "and it arms anew");
	s.nr_events = 0;
	ok(tiny_wrmsr(vcpu, MSR_EFER, 1) == TINY_GP, "with its pins");
	scene_close(&s);
}

/*
 * At a triple fault KVM on SVM clears the vCPU, LSTAR included, before it tells
 * the VMM, which then resets the VM: that must count as this vCPU's reset, or
 * the next kernel is held to the values of the one that crashed.
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
	/* What KVM does: the library is not told of it, but of the triple fault. */
	raw_set_msr(vcpu, MSR_LSTAR, 0);
	raw_set_msr(vcpu, MSR_SFMASK, 0);
	vcpu->run->exit_reason = KVM_EXIT_SHUTDOWN;
	regpin_vcpu_exit(vcpu->regpin);
	ok(scene_only(&s, REGPIN_EVENT_SHUTDOWN), "a triple fault");
	tiny_reset(vcpu);
	ok(scene_only(&s, REGPIN_EVENT_RESET), "then a reset");
	tiny_wrmsr(vcpu, MSR_LSTAR, OTHER);
	ok(scene_msr(vcpu, MSR_LSTAR) == OTHER, "another kernel may come");
	scene_close(&s);
}

static pid_t booter;

static void *boot_thread(void *vcpu)
{
	booter = gettid();
	boot(vcpu, KERNEL);
	return NULL;
}

/* Who has been joined may still be on its way out of the kernel. */
static void await_end(pid_t thread)
{
	const struct timespec ms = { 0, 1000000 };

	while (!syscall(SYS_tgkill, getpid(), thread, 0))
		nanosleep(&ms, NULL);
}

/*
 * QEMU keeps an unplugged vCPU's fd and never resets it. Its thread is gone, so
 * it must not hold the next kernel to the last one's values.
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
	ok(scene_only(&s, REGPIN_EVENT_RESET), "the VM is reset but for one");
	tiny_set_mode(one, TINY_LONG, 0);
	boot(one, OTHER);
	ok(scene_msr(one, MSR_LSTAR) == OTHER,
	   "whose thread has ended: another kernel may come");
	ok(tiny_wrmsr(two, MSR_LSTAR, 0x1000) == TINY_GP,
	   "and holds for it, too, should it run again");
	ok(nx_is_pinned(two), "with its own pins");
	scene_close(&s);
}

static void test_load(void)
{
	struct tiny_vcpu *vcpu;
	struct scene s;

	scene_open(&s, syscall_policy(ARM_SYSCALL_ENTRY), 1, TINY_REAL);
	vcpu = &s.vcpu[0];
	tiny_set_msr(vcpu, MSR_LSTAR, KERNEL);
	tiny_set_msr(vcpu, MSR_STAR, 5);
	tiny_set_msr(vcpu, MSR_SFMASK, 0x700);
	tiny_set_mode(vcpu, TINY_LONG, 0x901);
	ok(scene_only(&s, REGPIN_EVENT_ARMED), "a load arms as it is written");
	regpin_vcpu_enter(vcpu->regpin);
	ok(scene_silent(&s), "and not again at the first entry");
	ok(nx_is_pinned(vcpu), "its pins hold");
	ok(tiny_wrmsr(vcpu, MSR_LSTAR, OTHER) == TINY_GP &&
	   tiny_wrmsr(vcpu, MSR_CSTAR, KERNEL) == TINY_GP,
	   "its set-up is done");
	ok(tiny_wrmsr(vcpu, MSR_STAR, 6) == TINY_GP, "its values are settled");
	s.nr_events = 0;
	regpin_vcpu_enter(vcpu->regpin);
	ok(scene_silent(&s), "once");
	scene_close(&s);

	scene_open(&s, syscall_policy(ARM_START), 1, TINY_REAL);
	vcpu = &s.vcpu[0];
	regpin_vcpu_enter(vcpu->regpin);
	tiny_set_msr(vcpu, MSR_LSTAR, KERNEL);
	tiny_set_msr(vcpu, MSR_SFMASK, 0x700);
	tiny_set_mode(vcpu, TINY_LONG, 0x901);
	ok(tiny_wrmsr(vcpu, MSR_CSTAR, OTHER) == TINY_GP,
	   "arming: start knows a loaded set-up, too");
	scene_close(&s);
}

static void test_vmm_writes(void)
{
	struct tiny_vcpu *vcpu;
	struct kvm_sregs sregs;
	struct scene s;

	scene_open(&s, nx_policy(ARM_SYSCALL_ENTRY), 1, TINY_LONG);
	vcpu = &s.vcpu[0];
	boot(vcpu, KERNEL);
	s.nr_events = 0;
	ok(!tiny_set_msr(vcpu, MSR_EFER, EFER_ON) && scene_silent(&s),
	   "the same value again is silent");
	ok(!tiny_set_msr(vcpu, MSR_STAR, 9) && scene_silent(&s),
	   "so are registers without a rule");
	ok(!tiny_set_msr(vcpu, MSR_EFER, EFER_NX_OFF),
	   "the VMM lowers a pin by KVM_SET_MSRS");
	ok(s.events[0].action == REGPIN_ALLOW && !s.events[0].has_rip &&
	   s.events[0].bits == EFER_NXE && s.events[0].rule == 0 &&
	   s.events[0].old_value == EFER_ON &&
	   s.events[0].value == EFER_NX_OFF && s.events[0].vcpu == 0 &&
	   scene_only(&s, REGPIN_EVENT_VMM_WRITE), "which is an event");
	ok(scene_msr(vcpu, MSR_EFER) == EFER_NX_OFF, "and stands");
	ok(!tiny_wrmsr(vcpu, MSR_EFER, EFER_ON) && nx_is_pinned(vcpu),
	   "the guest may set it again, and then not clear it");

	s.nr_events = 0;
	tiny_get_sregs(vcpu, &sregs);
	ok(!tiny_set_sregs(vcpu, &sregs) && scene_silent(&s),
	   "KVM_SET_SREGS of what is there is silent");
	sregs.efer &= ~EFER_NXE;
	ok(!tiny_set_sregs(vcpu, &sregs) &&
	   scene_only(&s, REGPIN_EVENT_VMM_WRITE),
	   "one that lowers a pin is an event");
	scene_close(&s);
}

int main(void)
{
	const char *why_not = tiny_why_not();

	if (why_not)
		tap_skip_all(why_not);
	test_arming();
	test_set_up();
	test_two_vcpus();
	test_gone();
	test_reset_unpaged();
	test_triple_fault();
	test_unplugged();
	test_load_unpaged();
	test_init_by_vmm();
	test_reset_and_load();
	test_init_by_efer();
	test_load();
	test_vmm_writes();
	return tap_done();
}
