// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arming, set-up, reset, loading of a state, and the VMM's own writes, with one and two
 * vCPUs.
 */
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

/* A guest boots: the registers that Linux writes, in its order. */
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
	ok(!nx_is_pinned(vcpu), "before arming NXE is not pinned");
	tiny_wrmsr(vcpu, MSR_LSTAR, 0);
	tiny_wrmsr(vcpu, MSR_SFMASK, 0x700);
	ok(scene_silent(&s), "LSTAR := 0 and SFMASK do not arm");
	tiny_wrmsr(vcpu, MSR_EFER, 0xd00);
	tiny_wrmsr(vcpu, MSR_LSTAR, KERNEL);
	ok(s.events[0].vcpu == 0 && scene_only(&s, REGPIN_EVENT_ARMED),
	   "a value in LSTAR arms");
	ok(nx_is_pinned(vcpu), "after arming NXE is pinned");
	s.nr_events = 0;
	ok(!tiny_wrmsr(vcpu, MSR_EFER, EFER_ON) && scene_silent(&s),
	   "after arming SCE may be set");
	ok(tiny_wrmsr(vcpu, MSR_EFER, 0xd00) == TINY_GP,
	   "SCE is sticky after it was set");
	ok(!tiny_wrmsr(vcpu, MSR_LSTAR, 0) && nx_is_pinned(vcpu),
	   "LSTAR := 0 does not disarm");
	s.nr_events = 0;
	ok(!tiny_wrmsr(vcpu, MSR_LSTAR, OTHER) && scene_silent(&s),
	   "a new LSTAR after that does not arm again");
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
	   "arming: start arms again at once after a reset");
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
	ok(!tiny_wrmsr(vcpu, MSR_CSTAR, KERNEL),
	   "once: CSTAR may be written during the set-up, as it was 0");
	ok(!tiny_wrmsr(vcpu, MSR_CSTAR, KERNEL), "once: the same value may be written again");
	ok(tiny_wrmsr(vcpu, MSR_CSTAR, OTHER) == TINY_GP, "once: another value is refused");
	ok(tiny_wrmsr(vcpu, MSR_LSTAR, OTHER) == TINY_GP, "once: another LSTAR is refused");
	ok(!tiny_wrmsr(vcpu, MSR_STAR, 5),
	   "uniform: STAR may be written before the value is settled");
	ok(!tiny_wrmsr(vcpu, MSR_SFMASK, 0), "SFMASK := 0 ends the set-up");
	ok(tiny_wrmsr(vcpu, MSR_STAR, 6) == TINY_GP &&
	   !tiny_wrmsr(vcpu, MSR_STAR, 5),
	   "uniform: another STAR is refused after the value is settled");
	scene_close(&s);

	scene_open(&s, syscall_policy(ARM_SYSCALL_ENTRY), 1, TINY_LONG);
	vcpu = &s.vcpu[0];
	tiny_wrmsr(vcpu, MSR_SFMASK, 0x700);
	tiny_wrmsr(vcpu, MSR_LSTAR, KERNEL);
	ok(tiny_wrmsr(vcpu, MSR_CSTAR, KERNEL) == TINY_GP,
	   "if SFMASK is first, LSTAR ends the set-up, and CSTAR is pinned as 0");
	scene_close(&s);

	scene_open(&s, syscall_policy(ARM_START), 1, TINY_LONG);
	vcpu = &s.vcpu[0];
	tiny_wrmsr(vcpu, MSR_SFMASK, 0x700);
	ok(!tiny_wrmsr(vcpu, MSR_LSTAR, KERNEL),
	   "armed from the start, with SFMASK first, LSTAR may still be written");
	ok(tiny_wrmsr(vcpu, MSR_LSTAR, OTHER) == TINY_GP, "LSTAR may be written only once");
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
		   "uniform EFER ignores LMA, so the trampoline's write is allowed");
		ok(tiny_wrmsr(two, MSR_EFER, 0x100) == TINY_GP,
		   "uniform EFER refuses a value without NXE");
	}
	tiny_set_mode(two, TINY_LONG, 0);
	s.nr_events = 0;
	ok(tiny_wrmsr(two, MSR_LSTAR, OTHER) == TINY_GP,
	   "the second vCPU cannot set another LSTAR");
	ok(s.events[0].vcpu == 1 && s.events[0].bits == ALL &&
	   scene_only(&s, REGPIN_EVENT_VIOLATION),
	   "the second vCPU's other LSTAR is an event");
	boot(two, KERNEL);
	ok(s.events[0].vcpu == 1 && scene_only(&s, REGPIN_EVENT_ARMED),
	   "the second vCPU arms with the same values");
	ok(nx_is_pinned(one) && nx_is_pinned(two), "both vCPUs are pinned");

	s.nr_events = 0;
	tiny_reset(one);
	ok(s.events[0].vcpu == 0 && scene_only(&s, REGPIN_EVENT_RESET),
	   "the reset of one vCPU is one event");
	tiny_set_mode(one, TINY_LONG, 0);
	tiny_wrmsr(one, MSR_EFER, EFER_ON);
	ok(nx_is_pinned(two), "the other vCPU is still pinned");
	ok(tiny_wrmsr(one, MSR_LSTAR, OTHER) == TINY_GP,
	   "the VM's values hold while one vCPU is armed");
	tiny_reset(two);
	s.nr_events = 0;
	boot(one, OTHER);
	ok(scene_only(&s, REGPIN_EVENT_ARMED) && nx_is_pinned(one),
	   "after a reset of all vCPUs another kernel may start, and arms");
	ok(scene_msr(one, MSR_LSTAR) == OTHER, "the other kernel has its own LSTAR");
	scene_close(&s);
}

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

/* A guest that was saved with paging off must not be taken for one without a kernel. */
static void test_load_unpaged(void)
{
	struct tiny_vcpu *one, *two;
	struct scene s;

	scene_open(&s, syscall_policy(ARM_SYSCALL_ENTRY), 2, TINY_REAL);
	one = &s.vcpu[0];
	two = &s.vcpu[1];
	tiny_set_msr(one, MSR_LSTAR, KERNEL);
	tiny_set_msr(one, MSR_SFMASK, 0x700);
	ok(scene_only(&s, REGPIN_EVENT_ARMED), "a loaded LSTAR without paging arms");
	tiny_set_msr(one, MSR_STAR, 5);
	ok(tiny_wrmsr(two, MSR_LSTAR, OTHER) == TINY_GP,
	   "another vCPU that enters first cannot set its own LSTAR");
	ok(!tiny_wrmsr(two, MSR_STAR, 5) &&
	   tiny_wrmsr(two, MSR_STAR, 6) == TINY_GP,
	   "the VMM's last write before the first entry counts");
	ok(tiny_wrmsr(one, MSR_LSTAR, OTHER) == TINY_GP,
	   "the loaded vCPU cannot set another LSTAR");
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
	ok(scene_only(&s, REGPIN_EVENT_ARMED), "loading a state arms");
	regpin_vcpu_enter(vcpu->regpin);
	ok(scene_silent(&s), "the first entry does not arm again");
	ok(nx_is_pinned(vcpu), "the pins hold after the load");
	ok(tiny_wrmsr(vcpu, MSR_LSTAR, OTHER) == TINY_GP &&
	   tiny_wrmsr(vcpu, MSR_CSTAR, KERNEL) == TINY_GP,
	   "the set-up is done after the load");
	ok(tiny_wrmsr(vcpu, MSR_STAR, 6) == TINY_GP, "the values are settled after the load");
	s.nr_events = 0;
	regpin_vcpu_enter(vcpu->regpin);
	ok(scene_silent(&s), "a later entry makes no event");
	scene_close(&s);

	scene_open(&s, syscall_policy(ARM_START), 1, TINY_REAL);
	vcpu = &s.vcpu[0];
	regpin_vcpu_enter(vcpu->regpin);
	tiny_set_msr(vcpu, MSR_LSTAR, KERNEL);
	tiny_set_msr(vcpu, MSR_SFMASK, 0x700);
	tiny_set_mode(vcpu, TINY_LONG, 0x901);
	ok(tiny_wrmsr(vcpu, MSR_CSTAR, OTHER) == TINY_GP,
	   "with arming: start a loaded set-up is done, too");
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
	   "a write of the same value by the VMM is no event");
	ok(!tiny_set_msr(vcpu, MSR_STAR, 9) && scene_silent(&s),
	   "a write of a register without a rule by the VMM is no event");
	ok(!tiny_set_msr(vcpu, MSR_EFER, EFER_NX_OFF),
	   "the VMM can lower a pin by KVM_SET_MSRS");
	ok(s.events[0].action == REGPIN_ALLOW && !s.events[0].has_rip &&
	   s.events[0].bits == EFER_NXE && s.events[0].rule == 0 &&
	   s.events[0].old_value == EFER_ON &&
	   s.events[0].value == EFER_NX_OFF && s.events[0].vcpu == 0 &&
	   scene_only(&s, REGPIN_EVENT_VMM_WRITE), "the lowered pin is an event");
	ok(scene_msr(vcpu, MSR_EFER) == EFER_NX_OFF, "the VMM's value stays");
	ok(!tiny_wrmsr(vcpu, MSR_EFER, EFER_ON) && nx_is_pinned(vcpu),
	   "the guest may set the bit again, and then may not clear it");

	s.nr_events = 0;
	tiny_get_sregs(vcpu, &sregs);
	ok(!tiny_set_sregs(vcpu, &sregs) && scene_silent(&s),
	   "KVM_SET_SREGS of the current values is no event");
	sregs.efer &= ~EFER_NXE;
	ok(!tiny_set_sregs(vcpu, &sregs) &&
	   scene_only(&s, REGPIN_EVENT_VMM_WRITE),
	   "KVM_SET_SREGS that lowers a pin is an event");
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
