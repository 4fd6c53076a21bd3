// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a guest's vCPUs start beside each other, on a KVM. The first vCPU's values remain
 * the reference though the guest clears them there; a vCPU may change its thread; and
 * the syscall set-up ends by itself, or at the deadline. On a KVM that could filter
 * control registers, these tests do not ask for it.
 */
#include <stdatomic.h>
#include <time.h>

#include "lib/policy/registers.h"
#include "lib/vm/types.h"
#include "scene.h"

#define KERNEL		0xffffffff81000000ull
#define EVIL		0xffffffff82000000ull
#define MASK		0x700ull
#define CR0_WP		(1ull << 16)
#define CR4_DE		(1ull << 3)
#define CR4_PAE		(1ull << 5)
#define CR4_ON		(CR4_PAE | CR4_DE)
#define PAT_RESET	0x0007040600070406ull

/* Two words of memory by which the guest's CPU 0 and the test wait for each other. */
#define FLAGS		0x9200u

static void add_optional(struct regpin_policy *policy, unsigned int kind,
			 uint64_t mask)
{
	add_rule(policy, RULE_STICKY, kind, 0, mask, REGPIN_GP);
	policy->rules[policy->nr_rules - 1].flags = RULE_OPTIONAL;
	add_rule(policy, RULE_REQUIRE, kind, 0, mask, REGPIN_GP);
	policy->rules[policy->nr_rules - 1].flags = RULE_OPTIONAL;
}

static struct regpin_policy *floor_policy(unsigned int reaction)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);

	policy->settings.detect_action = (uint8_t)reaction;
	add_optional(policy, REGPIN_CR0, CR0_WP);
	add_optional(policy, REGPIN_CR4, CR4_DE);
	return policy;
}

/*
 * CPU 0 clears @bits of CR0 or CR4, sets the first word, waits for the second one, and
 * sets the bits again.
 */
static void cpu0_code(uint8_t *at, unsigned int cr, uint32_t bits)
{
	const uint8_t reg = cr ? 0xe0 : 0xc0;
	const uint32_t keep = ~bits;
	const uint8_t code[] = {
		0x48, 0xc7, 0xc6, 0x00, 0x92, 0, 0,	/* mov $FLAGS, %rsi */
		0x0f, 0x20, reg | 3,			/* mov %cr, %rbx */
		0x48, 0x89, 0xd8,			/* mov %rbx, %rax */
		0x25, (uint8_t)keep, (uint8_t)(keep >> 8),
		(uint8_t)(keep >> 16), (uint8_t)(keep >> 24), /* and $keep, %eax */
		0x0f, 0x22, reg,			/* mov %rax, %cr */
		0xc7, 0x06, 1, 0, 0, 0,			/* movl $1, (%rsi) */
		0xf3, 0x90,				/* 1: pause */
		0x83, 0x7e, 0x04, 0x00,			/* cmpl $0, 4(%rsi) */
		0x74, 0xf8,				/* je 1b */
		0x0f, 0x22, reg | 3,			/* mov %rbx, %cr */
		0xf4,					/* hlt */
	};

	memcpy(at, code, sizeof(code));
}

static void *run_cpu0(void *vcpu)
{
	tiny_run(vcpu);
	return NULL;
}

static _Atomic uint32_t *flag(struct scene *s, unsigned int n)
{
	return (_Atomic uint32_t *)(s->vm.memory + FLAGS) + n;
}

static uint64_t cr(struct tiny_vcpu *vcpu, unsigned int number)
{
	struct kvm_sregs sregs;

	tiny_get_sregs(vcpu, &sregs);
	return number ? sregs.cr4 : sregs.cr0;
}

static void boot(struct tiny_vcpu *vcpu)
{
	tiny_mov_cr(vcpu, 4, CR4_ON);
	tiny_wrmsr(vcpu, MSR_LSTAR, KERNEL);
	tiny_wrmsr(vcpu, MSR_SFMASK, MASK);
}

/* All bits of @kind that were detected. */
static uint64_t detected(const struct scene *s, unsigned int kind)
{
	uint64_t bits = 0;

	for (unsigned int i = 0; i < s->nr_events; i++)
		if (s->events[i].type == REGPIN_EVENT_DETECTED &&
		    s->events[i].kind == kind)
			bits |= s->events[i].bits;
	return bits;
}

/*
 * CPU 0 runs without the bit while CPU 1 starts without it, and CPU 0 has it again
 * before the next look. CPU 1 was admitted, and nothing was reported.
 */
static void test_floor(unsigned int number, uint32_t bit, unsigned int reaction)
{
	unsigned int kind = number ? REGPIN_CR4 : REGPIN_CR0;
	struct tiny_vcpu *first, *next;
	pthread_t thread;
	struct scene s;
	uint64_t value;
	int gp;

	scene_open(&s, floor_policy(reaction), 2, TINY_LONG);
	first = &s.vcpu[0];
	next = &s.vcpu[1];
	boot(first);
	tiny_mov_cr(next, 4, CR4_ON);
	tiny_mov_cr(next, number, cr(next, number) & ~(uint64_t)bit);
	s.nr_events = 0;
	cpu0_code(s.vm.memory + TINY_CODE, number, bit);
	tiny_prepare(first, TINY_CODE, 0, 0);
	pthread_create(&thread, NULL, run_cpu0, first);
	while (!atomic_load(flag(&s, 0)))
		;
	gp = tiny_wrmsr(next, MSR_LSTAR, KERNEL);
	atomic_store(flag(&s, 1), 1);
	pthread_join(thread, NULL);
	ok(gp == TINY_GP, "CPU 1 must have CR%u bit 0x%x, which CPU 0 had",
	   number, bit);
	ok(detected(&s, kind) == bit && cr(first, number) & bit,
	   "CPU 0 does not set the bit again unseen (reaction %u)", reaction);
	/* Without a thread CPU 0 would count as unplugged. */
	tiny_rdmsr(first, MSR_STAR, &value);
	ok(tiny_wrmsr(next, MSR_LSTAR, KERNEL) == TINY_GP,
	   "CPU 1 cannot arm later without the bit");
	tiny_mov_cr(next, number, cr(next, number) | bit);
	ok(!tiny_wrmsr(next, MSR_LSTAR, KERNEL), "CPU 1 arms with the bit");
	scene_close(&s);
}

/* --- threads --- */

static void *boot_both(void *scene)
{
	struct scene *s = scene;

	boot(&s->vcpu[0]);
	boot(&s->vcpu[1]);
	return NULL;
}

static void test_threads(void)
{
	struct regpin_policy *policy;
	pthread_t thread;
	uint64_t value;
	struct scene s;

	for (int early = 0; early < 2; early++) {
		policy = new_policy(ARM_SYSCALL_ENTRY);
		add_pin(policy, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_GP);
		scene_open(&s, policy, 2, TINY_LONG);
		pthread_create(&thread, NULL, boot_both, &s);
		pthread_join(thread, NULL);
		if (early)
			tiny_reset(&s.vcpu[1]);
		ok(!tiny_rdmsr(&s.vcpu[0], MSR_LSTAR, &value) &&
		   regpin_vm_status(s.vm.regpin) & REGPIN_IS_ARMED,
		   "the VM stays armed when another thread runs CPU 0");
		if (!early)
			tiny_reset(&s.vcpu[1]);
		tiny_set_mode(&s.vcpu[1], TINY_LONG, 0);
		ok(tiny_wrmsr(&s.vcpu[0], MSR_LSTAR, EVIL) == TINY_GP &&
		   tiny_wrmsr(&s.vcpu[1], MSR_LSTAR, EVIL) == TINY_GP,
		   "a reset of CPU 1 %s that keeps CPU 0's values",
		   early ? "before" : "after");
		scene_close(&s);
	}
}

/* --- the end of the set-up --- */

static uint64_t ran_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void run_for(struct tiny_vcpu *vcpu, unsigned int ms)
{
	uint64_t end = ran_ms() + ms, value;

	do {
		regpin_vcpu_tick(vcpu->regpin);
		tiny_rdmsr(vcpu, MSR_STAR, &value);
	} while (ran_ms() < end);
}

static unsigned int vcpu_status(struct tiny_vcpu *vcpu)
{
	return regpin_vcpu_status(vcpu->regpin, NULL);
}

static void test_no_sfmask(void)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);
	struct scene s;

	policy->settings.deadline_ms = 20;
	add_pin(policy, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_GP);
	scene_open(&s, policy, 2, TINY_LONG);
	tiny_wrmsr(&s.vcpu[0], MSR_LSTAR, KERNEL);
	run_for(&s.vcpu[0], 2);
	ok(vcpu_status(&s.vcpu[0]) & REGPIN_IS_SETTING_UP &&
	   regpin_vm_status(s.vm.regpin) & REGPIN_IS_SETTING_UP,
	   "with LSTAR and no SFMASK the vCPU is in its set-up");
	s.nr_events = 0;
	run_for(&s.vcpu[0], 40);
	ok(vcpu_status(&s.vcpu[0]) == REGPIN_IS_ARMED &&
	   s.events[0].detail == 20 && scene_only(&s, REGPIN_EVENT_SETTLED),
	   "after 20 ms the set-up is done, with an event");
	ok(tiny_wrmsr(&s.vcpu[0], MSR_LSTAR, EVIL) == TINY_GP,
	   "the LSTAR of that vCPU is pinned");
	ok(tiny_wrmsr(&s.vcpu[1], MSR_LSTAR, EVIL) == TINY_GP &&
	   !tiny_wrmsr(&s.vcpu[1], MSR_LSTAR, KERNEL), "CPU 1 needs the same LSTAR");
	s.nr_events = 0;
	run_for(&s.vcpu[1], 60);
	ok(vcpu_status(&s.vcpu[1]) == REGPIN_IS_ARMED &&
	   scene_only(&s, REGPIN_EVENT_SETTLED),
	   "CPU 1's set-up ends in the same way, and it is not held");
	scene_close(&s);
}

static void test_sfmask_first(void)
{
	static const uint64_t masks[] = { MASK, 0 };

	for (int i = 0; i < 2; i++) {
		struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);
		struct scene s;

		add_pin(policy, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_GP);
		scene_open(&s, policy, 1, TINY_LONG);
		ok(!tiny_wrmsr(&s.vcpu[0], MSR_SFMASK, masks[i]) &&
		   !tiny_wrmsr(&s.vcpu[0], MSR_LSTAR, KERNEL) &&
		   tiny_wrmsr(&s.vcpu[0], MSR_LSTAR, EVIL) == TINY_GP,
		   "SFMASK 0x%llx, then LSTAR, is a complete set-up",
		   (unsigned long long)masks[i]);
		scene_close(&s);
	}
}

static void test_pat(void)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);
	struct scene s;

	add_pin(policy, RULE_UNIFORM, MSR_PAT, ALL, REGPIN_GP);
	scene_open(&s, policy, 1, TINY_LONG);
	boot(&s.vcpu[0]);
	s.nr_events = 0;
	ok(scene_msr(&s.vcpu[0], MSR_PAT) == PAT_RESET &&
	   !tiny_wrmsr(&s.vcpu[0], MSR_PAT, 0x0606060606060606ull) &&
	   s.events[0].index == MSR_PAT &&
	   s.events[0].value == 0x0606060606060606ull &&
	   scene_only(&s, REGPIN_EVENT_SETTLED),
	   "PAT that is settled late is an event");
	ok(tiny_wrmsr(&s.vcpu[0], MSR_PAT, PAT_RESET) == TINY_GP &&
	   scene_only(&s, REGPIN_EVENT_VIOLATION), "PAT is settled only once");
	scene_close(&s);
}

int main(void)
{
	const char *why_not = tiny_why_not();

	if (why_not)
		tap_skip_all(why_not);
	setenv("REGPIN_HOST_FORCE", "nocrfilter", 1);
	test_floor(4, CR4_DE, REGPIN_REPORT);
	test_floor(4, CR4_DE, REGPIN_MASK);
	test_floor(0, CR0_WP, REGPIN_REPORT);
	test_threads();
	test_no_sfmask();
	test_sfmask_first();
	test_pat();
	return tap_done();
}
