// SPDX-License-Identifier: GPL-2.0-only
/*
 * A KVM without the CR filter: a guest clears any bit, and regpin polls. What a guest
 * does between two polls must not lower the floor for its other vCPUs, and an INIT must
 * be detected by the bits that it cleared, whatever the guest does next.
 */
#include "../build_policy.h"
#include "cm.h"
#include "lib/kvm/regs.h"
#include "lib/policy/registers.h"
#include "lib/vm/types.h"
#include "mock_kvm.h"

#include <pthread.h>
#include <string.h>


#define KERNEL		0xffffffff81000000ull
#define CR0_ON		0x80010033ull
#define CR0_WP		(1ull << 16)
#define CR4_PAE		(1ull << 5)
#define CR4_UMIP	(1ull << 11)
#define CR4_SMEP	(1ull << 20)
#define CR4_SMAP	(1ull << 21)
#define CR4_PINS	(CR4_UMIP | CR4_SMEP | CR4_SMAP)
#define CR4_ON		(CR4_PAE | CR4_PINS)
#define EFER_ON		0xd01ull
#define IN_SMM		1
#define IN_L2		4
#define IN_L2_OLD	256	/* as kernels before 6.10 show it, by KVM_GET_NESTED_STATE */

static void add_optional(struct regpin_policy *policy, unsigned int kind,
			 uint64_t mask)
{
	add_rule(policy, RULE_STICKY, kind, 0, mask, REGPIN_GP);
	policy->rules[policy->nr_rules - 1].flags = RULE_OPTIONAL;
	add_rule(policy, RULE_REQUIRE, kind, 0, mask, REGPIN_GP);
	policy->rules[policy->nr_rules - 1].flags = RULE_OPTIONAL;
}

/* The bits that policies/linux.yaml names. */
static struct regpin_policy *linux_policy(void)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);

	add_pin(policy, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_GP);
	add_pin(policy, RULE_STICKY, MSR_EFER, EFER_NXE, REGPIN_GP);
	add_pin(policy, RULE_REQUIRE, MSR_EFER, EFER_NXE, REGPIN_GP);
	add_optional(policy, REGPIN_CR0, CR0_WP);
	add_optional(policy, REGPIN_CR4, CR4_PINS);
	return policy;
}

static void goes_to(unsigned int n, uint16_t where)
{
	struct mock_vcpu *vcpu = &mock.vcpus[n];

	vcpu->run.flags = where & ~IN_L2_OLD;
	vcpu->in_l2 = where & IN_L2_OLD;
	/* A guest without SVM in its CPUID cannot have a nested guest. */
	vcpu->regpin->guest.svm = vcpu->in_l2;
}

static bool set_lstar(unsigned int n)
{
	return mock_wrmsr(n, MSR_LSTAR, KERNEL);
}

/* Starts a kernel up to LSTAR, with these values. */
static void prepare(unsigned int n, uint64_t cr0, uint64_t cr4, uint64_t efer)
{
	assert_true(mock_wrmsr(n, MSR_EFER, efer));
	assert_true(mock_mov_cr(n, 0, cr0));
	assert_true(mock_mov_cr(n, 1, cr4));
}

static void boot(unsigned int n)
{
	mock_boot(n, CR4_ON);
	mock_look(n);
}

/* A vCPU lacks one of the bits that the first one had. */
static const struct lack {
	uint64_t cr0, cr4, efer;
} lacks[] = {
	{ CR0_WP, 0, 0 }, { 0, CR4_SMEP, 0 }, { 0, CR4_SMAP, 0 },
	{ 0, CR4_UMIP, 0 }, { 0, 0, EFER_NXE }, { CR0_WP, CR4_PINS, EFER_NXE },
};

#define NR_LACKS	(sizeof(lacks) / sizeof(lacks[0]))

static void comes_up_without(unsigned int n, const struct lack *lack)
{
	prepare(n, CR0_ON & ~lack->cr0, CR4_ON & ~lack->cr4,
		EFER_ON & ~lack->efer);
	assert_false(set_lstar(n));
}

/*
 * The guest clears them on vCPU @n, and no filter sees it. A write that clears NXE
 * would be seen.
 */
static void clear(unsigned int n, const struct lack *lack)
{
	assert_true(mock_mov_cr(n, 0, CR0_ON & ~lack->cr0));
	assert_true(mock_mov_cr(n, 1, CR4_ON & ~lack->cr4));
}

static void put_back(unsigned int n)
{
	assert_true(mock_mov_cr(n, 0, CR0_ON));
	assert_true(mock_mov_cr(n, 1, CR4_ON));
}

/* All bits of @kind that were detected. */
static uint64_t detected(unsigned int kind)
{
	uint64_t bits = 0;

	for (unsigned int i = 0; i < mock.nr_events; i++)
		if (mock.events[i].type == REGPIN_EVENT_DETECTED &&
		    mock.events[i].kind == kind)
			bits |= mock.events[i].bits;
	return bits;
}

/*
 * The first vCPU clears its bits, another one starts without them, and the first one
 * sets them again before the next poll. That was not detected, and lowered the floor
 * forever.
 */
static void test_floor_is_lowered(void **context)
{
	for (size_t i = 0; i < NR_LACKS; i++) {
		mock_open_stock(linux_policy());
		boot(0);
		boot(1);
		clear(0, &lacks[i]);
		comes_up_without(2, &lacks[i]);
		/* The guest cannot set them again without being detected. */
		put_back(0);
		assert_int_equal(detected(REGPIN_CR0), lacks[i].cr0);
		assert_int_equal(detected(REGPIN_CR4), lacks[i].cr4);
		/* After the next poll the floor is the same as before. */
		mock_tick(0);
		assert_false(set_lstar(2));
		mock_close();
	}
}

static void *comes_up(void *lack)
{
	comes_up_without(1, lack);
	return NULL;
}

/* The first vCPU is in KVM_RUN, and is asked there. */
static void test_first_runs(void **context)
{
	const struct lack lack = { 0, CR4_SMEP, 0 };
	struct regpin_vcpu *first;
	pthread_t thread;

	mock_open_stock(linux_policy());
	first = mock.vcpus[0].regpin;
	boot(0);
	assert_int_equal(regpin_vcpu_enter(first), REGPIN_ENTER);
	mock.vcpus[0].sregs.cr4 &= ~CR4_SMEP;
	assert_false(pthread_create(&thread, NULL, comes_up, (void *)&lack));
	/* The kick makes it leave KVM_RUN and enter again. */
	while (atomic_load(&mock.vm->values.first_query) == 0 ||
	       atomic_load(&mock.vm->values.first_reply) != atomic_load(&mock.vm->values.first_query))
		assert_int_equal(regpin_vcpu_enter(first), REGPIN_ENTER);
	pthread_join(thread, NULL);
	assert_int_equal(detected(REGPIN_CR4), CR4_SMEP);
	regpin_vcpu_leave(first);
	mock_close();
}

/* Each reaction is done at once. */
static void test_reactions(void **context)
{
	for (unsigned int action = REGPIN_REPORT; action <= REGPIN_STOP;
	     action++) {
		const struct lack lack = { 0, CR4_SMEP, 0 };
		struct regpin_policy *policy;
		int entry;

		if (action == REGPIN_DROP || action == REGPIN_GP)
			continue;
		policy = linux_policy();
		policy->settings.detect_action = (uint8_t)action;
		mock_open_stock(policy);
		boot(0);
		clear(0, &lack);
		comes_up_without(1, &lack);
		entry = mock_look(0);
		assert_int_equal(detected(REGPIN_CR4), CR4_SMEP);
		assert_int_equal(entry, action == REGPIN_PAUSE ? REGPIN_HELD :
				 action == REGPIN_STOP ? REGPIN_STOPPED :
							 REGPIN_ENTER);
		mock_close();
	}
}

/* If the first vCPU is held, another thread reads its registers. */
static void test_first_is_held(void **context)
{
	const struct lack lack = { CR0_WP, CR4_SMAP, 0 };
	struct regpin_policy *policy = linux_policy();
	struct regpin_vcpu *first;

	policy->rules[0].action = REGPIN_PAUSE;
	mock_open_stock(policy);
	first = mock.vcpus[0].regpin;
	boot(0);
	clear(0, &lack);
	mock.vcpus[0].run.exit_reason = KVM_EXIT_X86_WRMSR;
	mock.vcpus[0].run.msr.reason = KVM_MSR_EXIT_REASON_FILTER;
	mock.vcpus[0].run.msr.index = MSR_LSTAR;
	mock.vcpus[0].run.msr.data = KERNEL + 1;
	assert_int_equal(regpin_vcpu_exit(first), 1);
	assert_int_equal(mock_look(0), REGPIN_HELD);
	comes_up_without(1, &lack);
	assert_false(regpin_vcpu_answer(first, REGPIN_GP));
	assert_int_equal(mock_look(0), REGPIN_ENTER);
	assert_int_equal(detected(REGPIN_CR0), CR0_WP);
	assert_int_equal(detected(REGPIN_CR4), CR4_SMAP);
	mock_close();
}

/*
 * In SMM and in L2 KVM shows other registers: they are not violations, and not a
 * reference.
 */
static void test_first_is_elsewhere(void **context)
{
	const uint16_t where[] = { IN_SMM, IN_L2, IN_L2_OLD };
	const struct lack lack = { 0, CR4_SMEP, 0 };

	for (int i = 0; i < 3; i++) {
		const struct lack more = { 0, CR4_SMEP | 1ull << 22, 0 };

		mock_open_stock(linux_policy());
		boot(0);
		goes_to(0, where[i]);
		mock.vcpus[0].sregs.cr4 = 1ull << 22;
		comes_up_without(1, &lack);
		mock_look(0);
		assert_int_equal(mock_count(REGPIN_EVENT_DETECTED), 0);
		/* After its return the vCPU is polled. */
		goes_to(0, 0);
		mock.vcpus[0].sregs.cr4 = CR4_ON & ~CR4_SMEP;
		mock_look(0);
		assert_int_equal(detected(REGPIN_CR4), CR4_SMEP);
		mock.vcpus[1].sregs.cr4 = CR4_ON & ~more.cr4;
		assert_false(set_lstar(1));
		mock.vcpus[1].sregs.cr4 = CR4_ON;
		assert_true(set_lstar(1));
		mock_close();
	}
}

/*
 * The first vCPU gets an INIT. The next one to start becomes the reference, and may
 * clear its bits between LSTAR and SFMASK, but the third one must still have them.
 */
static void test_next_takes_its_place(void **context)
{
	const struct lack lack = { 0, CR4_SMEP | CR4_SMAP, 0 };

	for (int by_look = 0; by_look < 2; by_look++) {
		mock_open_stock(linux_policy());
		boot(0);
		mock_init(0);
		if (by_look)
			mock_tick(0);
		else
			prepare(0, CR0_ON, CR4_ON, EFER_ON);
		prepare(1, CR0_ON, CR4_ON, EFER_ON);
		assert_true(set_lstar(1));
		mock_look(1);
		mock.vcpus[1].sregs.cr4 &= ~lack.cr4;
		assert_true(mock_wrmsr(1, MSR_SFMASK, 0x47700));
		comes_up_without(2, &lack);
		mock_tick(1);
		assert_int_equal(detected(REGPIN_CR4), lack.cr4);
		mock_close();
	}
}

/*
 * CR4 gets bits long after LSTAR, which only a poll sees; then the first vCPU gets an
 * INIT.
 */
static void test_grows_by_looks(void **context)
{
	const struct lack lack = { 0, CR4_PINS, 0 };

	mock_open_stock(linux_policy());
	mock_boot(0, CR4_PAE);
	mock_look(0);
	assert_true(mock_mov_cr(0, 1, CR4_ON));
	mock_tick(0);
	mock_init(0);
	mock_tick(0);
	comes_up_without(1, &lack);
	mock_close();
}

/* A window, or a disarm, begins another life, whose floor is lower. */
static void test_another_life(void **context)
{
	for (int window = 0; window < 2; window++) {
		mock_open_stock(linux_policy());
		boot(0);
		if (window)
			regpin_vm_window(mock.vm, 0);
		else
			regpin_vm_disarm(mock.vm);
		mock_look(0);
		assert_true(mock_mov_cr(0, 1, CR4_PAE));
		assert_false(regpin_vm_arm(mock.vm));
		mock_look(0);
		prepare(1, CR0_ON, CR4_PAE, EFER_ON);
		assert_true(set_lstar(1));
		assert_int_equal(mock_count(REGPIN_EVENT_DETECTED), 0);
		mock_close();
	}
}

/* INIT, and then any kind of paging before the next poll. */
static void test_init_into_paging(void **context)
{
	static const uint64_t paging[] = { CR0_ON, CR0_ON & ~CR0_WP, 0x80000011 };

	for (int i = 0; i < 3; i++) {
		mock_open_stock(linux_policy());
		boot(0);
		boot(1);
		mock_tick(1);
		mock_init(1);
		mock.vcpus[1].sregs.cr0 = paging[i];
		mock.vcpus[1].sregs.cr4 = CR4_ON;
		mock_tick(1);
		assert_int_equal(mock_count(REGPIN_EVENT_DISARMED), 1);
		assert_false(phase_pinned(mock.vcpus[1].regpin->life.phase));
		/* The floor applies to it: without NXE it cannot arm. */
		assert_false(set_lstar(1));
		assert_int_equal(regpin_vcpu_tick_ms(mock.vcpus[1].regpin), 50);
		mock_close();
	}
}

/* The guest sets EFER first: the write shows that EFER was lost, with any action. */
static void test_init_and_efer(void **context)
{
	for (unsigned int action = REGPIN_REPORT; action <= REGPIN_GP;
	     action++) {
		struct regpin_policy *policy = linux_policy();

		policy->rules[1].action = (uint8_t)action;
		mock_open_stock(policy);
		boot(0);
		boot(1);
		mock_init(1);
		assert_true(mock_wrmsr(1, MSR_EFER, EFER_SCE));
		assert_int_equal(mock_count(REGPIN_EVENT_DISARMED), 1);
		assert_false(phase_pinned(mock.vcpus[1].regpin->life.phase));
		mock_close();
	}
}

/* With pins from the start the vCPU stays armed, and the INIT is an event. */
static void test_init_with_pins_from_start(void **context)
{
	struct regpin_policy *policy = linux_policy();

	policy->arming = ARM_START;
	mock_open_stock(policy);
	mock_look(0);
	mock_look(1);
	boot(0);
	boot(1);
	mock_init(1);
	mock.vcpus[1].sregs.cr0 = CR0_ON;
	mock.vcpus[1].sregs.cr4 = CR4_ON;
	mock_tick(1);
	assert_int_equal(mock_count(REGPIN_EVENT_DISARMED), 1);
	assert_true(phase_pinned(mock.vcpus[1].regpin->life.phase));
	assert_int_not_equal(mock.vcpus[1].regpin->life.phase, PHASE_READY);
	assert_false(set_lstar(1));
	mock_tick(1);
	assert_int_equal(mock_count(REGPIN_EVENT_DISARMED), 1);
	mock_close();
}

/* Changes that are not an INIT, and must not disarm the vCPU. */
static void test_no_init(void **context)
{
	const uint16_t where[] = { IN_SMM, IN_L2, IN_L2_OLD };
	struct mock_vcpu *vcpu;
	uint64_t *efer;

	mock_open_stock(linux_policy());
	vcpu = &mock.vcpus[0];
	efer = &vcpu->msrs[replay_slot(MSR_EFER)];
	boot(0);
	/* The guest may clear a bit without a rule. */
	assert_true(mock_wrmsr(0, MSR_EFER, EFER_ON & ~EFER_SCE));
	mock_tick(0);
	/* Paging off and on again clears and sets LMA, too. */
	vcpu->sregs.efer = *efer &= ~EFER_LMA;
	vcpu->sregs.cr0 &= ~(1ull << 31);
	mock_tick(0);
	vcpu->sregs.cr0 |= 1ull << 31;
	vcpu->sregs.efer = *efer |= EFER_LMA;
	mock_tick(0);
	/* In SMM, and in a nested guest, KVM shows other registers. */
	for (size_t i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
		goes_to(0, where[i]);
		vcpu->sregs.efer = *efer = vcpu->sregs.cr0 = 0;
		mock_tick(0);
		goes_to(0, 0);
		vcpu->sregs.cr0 = CR0_ON;
		vcpu->sregs.efer = *efer = EFER_ON;
		mock_tick(0);
	}
	/* The VMM clears NXE, which is an event of its own. */
	regpin_vcpu_before_write(vcpu->regpin);
	vcpu->sregs.efer = *efer = EFER_ON & ~EFER_NXE;
	regpin_vcpu_after_write(vcpu->regpin);
	mock_tick(0);
	assert_int_equal(mock_count(REGPIN_EVENT_VMM_WRITE), 1);
	assert_int_equal(mock_count(REGPIN_EVENT_DISARMED), 0);
	assert_true(phase_pinned(vcpu->regpin->life.phase));
	mock_close();
}

/* An operator may allow a write that clears a pinned bit: that is not an INIT, either. */
static void test_allowed_is_no_init(void **context)
{
	struct regpin_policy *policy = linux_policy();
	struct regpin_vcpu *vcpu;

	policy->rules[1].action = REGPIN_PAUSE;
	mock_open_stock(policy);
	vcpu = mock.vcpus[0].regpin;
	boot(0);
	mock_wrmsr(0, MSR_EFER, EFER_ON & ~EFER_NXE);
	assert_int_equal(mock_look(0), REGPIN_HELD);
	assert_false(regpin_vcpu_answer(vcpu, REGPIN_ALLOW));
	assert_true(mock_wrmsr(0, MSR_EFER, EFER_ON & ~EFER_NXE));
	mock_tick(0);
	assert_int_equal(mock.vcpus[0].sregs.efer, EFER_ON & ~EFER_NXE);
	assert_int_equal(mock_count(REGPIN_EVENT_DISARMED), 0);
	mock_close();
}

/* The same for writes of the guest while no policy filtered them. */
static void test_unseen_is_no_init(void **context)
{
	struct regpin_policy *other = new_policy(ARM_SYSCALL_ENTRY);
	struct regpin_policy *own = linux_policy();

	add_pin(other, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_GP);
	assert_int_equal(finish_policy(other), 0);
	mock_open_stock(own);
	boot(0);
	assert_false(regpin_vm_set_policy(mock.vm, other));
	mock_look(0);
	assert_true(regpin_vm_settled(mock.vm));
	mock.vcpus[0].sregs.efer = EFER_ON & ~EFER_NXE;
	mock.vcpus[0].msrs[replay_slot(MSR_EFER)] = EFER_ON & ~EFER_NXE;
	assert_false(regpin_vm_set_policy(mock.vm, own));
	mock_tick(0);
	assert_true(mock_wrmsr(0, MSR_EFER, EFER_ON & ~EFER_NXE));
	assert_int_equal(mock_count(REGPIN_EVENT_DISARMED), 0);
	mock_close();
	free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_floor_is_lowered),
		cmocka_unit_test(test_first_runs),
		cmocka_unit_test(test_reactions),
		cmocka_unit_test(test_first_is_held),
		cmocka_unit_test(test_first_is_elsewhere),
		cmocka_unit_test(test_next_takes_its_place),
		cmocka_unit_test(test_grows_by_looks),
		cmocka_unit_test(test_another_life),
		cmocka_unit_test(test_init_into_paging),
		cmocka_unit_test(test_init_and_efer),
		cmocka_unit_test(test_init_with_pins_from_start),
		cmocka_unit_test(test_no_init),
		cmocka_unit_test(test_allowed_is_no_init),
		cmocka_unit_test(test_unseen_is_no_init),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
