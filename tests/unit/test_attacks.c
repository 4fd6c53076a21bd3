// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ways in which a guest once escaped its pins, or made regpin hang. They run on a mock
 * of a KVM with the CR filter, because a tiny guest cannot do them.
 */
#include "../build_policy.h"
#include "cm.h"
#include "lib/policy/registers.h"
#include "lib/vm/core.h"
#include "lib/vm/floor.h"
#include "lib/vm/types.h"
#include "mock_kvm.h"

#include <pthread.h>
#include <string.h>
#include <time.h>


#define KERNEL		0xffffffff81000000ull
#define CR0_ON		0x80010033ull
#define CR0_WP		(1ull << 16)
#define CR4_PAE		(1ull << 5)
#define CR4_SMEP	(1ull << 20)
#define CR4_SMAP	(1ull << 21)
#define CR4_ON		(CR4_PAE | CR4_SMEP | CR4_SMAP)
#define EFER_ON		0xd01ull

/* The bits that policies/linux.yaml names. */
static struct regpin_policy *linux_policy(void)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);

	add_pin(policy, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_GP);
	add_pin(policy, RULE_STICKY, MSR_EFER, EFER_NXE | EFER_SCE, REGPIN_GP);
	add_pin(policy, RULE_REQUIRE, MSR_EFER, EFER_NXE, REGPIN_GP);
	add_rule(policy, RULE_STICKY, REGPIN_CR0, 0, CR0_WP | CR0_PG | 1,
		 REGPIN_GP);
	add_rule(policy, RULE_REQUIRE, REGPIN_CR0, 0, CR0_WP, REGPIN_GP);
	add_rule(policy, RULE_STICKY, REGPIN_CR4, 0, CR4_SMEP | CR4_SMAP,
		 REGPIN_GP);
	add_rule(policy, RULE_REQUIRE, REGPIN_CR4, 0, CR4_SMEP | CR4_SMAP,
		 REGPIN_GP);
	return policy;
}

/* Sets only what is needed to arm by LSTAR, but no SMEP in CR4. */
static bool comes_up_without_smep(unsigned int vcpu)
{
	return mock_wrmsr(vcpu, MSR_EFER, EFER_ON) &&
	       mock_mov_cr(vcpu, 0, CR0_ON) &&
	       mock_mov_cr(vcpu, 1, CR4_PAE) &&
	       mock_wrmsr(vcpu, MSR_LSTAR, KERNEL);
}

/*
 * vCPU 0 is the reference for the others. It gets an INIT and no SIPI: KVM does not
 * report that, and shows empty registers. They once counted as the first vCPU's
 * protections, so no vCPU needed any.
 */
static void test_first_waits_for_sipi(void **context)
{
	mock_open(linux_policy());
	mock_boot(0, CR4_ON);
	mock_boot(1, CR4_ON);
	mock_init(1);
	mock_sipi(1);
	mock_init(0);
	assert_false(comes_up_without_smep(1));
	assert_false(mock_mov_cr(2, 0, CR0_ON & ~CR0_WP));
	mock_close();
}

/*
 * Linux's first CPU gets SMEP long after LSTAR. If no other CPU had started since, its
 * registers had not been read again, and after its INIT they could not be read any
 * more.
 */
static void test_first_is_gone(void **context)
{
	for (int sipi = 0; sipi < 2; sipi++) {
		mock_open(linux_policy());
		mock_boot(0, CR4_PAE);
		assert_true(mock_mov_cr(0, 1, CR4_ON));
		/*
		 * The first CPU starts another one, which then sends an INIT to the
		 * first.
		 */
		mock_init(1);
		mock_sipi(1);
		mock_init(0);
		if (sipi)
			mock_sipi(0);
		assert_false(comes_up_without_smep(1));
		mock_close();
	}
	/* The same if the first CPU sends the INIT to itself. */
	mock_open(linux_policy());
	mock_boot(0, CR4_PAE);
	assert_true(mock_mov_cr(0, 1, CR4_ON));
	mock_init(0);
	mock_sipi(0);
	assert_false(comes_up_without_smep(0));
	mock_close();
}

/*
 * Once paging was on, with the required bits set, the guest could clear WP and NXE at the
 * next instruction, because a pin holds only after the vCPU is armed.
 */
static void test_floor_lowered(void **context)
{
	mock_open(linux_policy());
	mock_boot(0, CR4_ON);
	mock_init(1);
	mock_sipi(1);
	assert_true(mock_wrmsr(1, MSR_EFER, EFER_ON));
	assert_true(mock_mov_cr(1, 0, CR0_ON));
	assert_false(mock_mov_cr(1, 0, CR0_ON & ~CR0_WP));
	assert_false(mock_wrmsr(1, MSR_EFER, EFER_ON & ~EFER_NXE));
	assert_int_equal(mock_count(REGPIN_EVENT_VIOLATION), 2);
	/* It may clear bits that are not required, and all bits if paging goes off. */
	assert_true(mock_wrmsr(1, MSR_EFER, EFER_ON & ~EFER_SCE));
	assert_true(mock_mov_cr(1, 0, 0x11));
	assert_true(mock_wrmsr(1, MSR_EFER, 0));
	assert_false(mock_mov_cr(1, 0, CR0_ON));
	mock_close();
}

static unsigned int over_its_head, unguarded;

/* Another vCPU's thread asks for the registers of vCPU 0. */
static void first_asked(int fd, unsigned long request)
{
	if (fd != 0 || request != KVM_GET_SREGS)
		return;
	over_its_head++;
	unguarded += !atomic_load(&mock.vcpus[0].regpin->wake.attention);
}

/*
 * The thread that asks vCPU 0 for its protections holds the VM's lock. If vCPU 0
 * entered KVM_RUN at that moment, to sleep in HLT, its mutex was never free again, and
 * the operator's thread and all other vCPUs spun forever. So vCPU 0 must be kicked
 * first.
 */
static void test_first_goes_to_sleep(void **context)
{
	mock_open(linux_policy());
	mock_boot(0, CR4_ON);
	mock_boot(1, CR4_ON);
	/* It looks at itself, enters, and leaves again. */
	regpin_vcpu_enter(mock.vcpus[0].regpin);
	regpin_vcpu_enter(mock.vcpus[0].regpin);
	regpin_vcpu_leave(mock.vcpus[0].regpin);
	over_its_head = unguarded = 0;
	mock.before = first_asked;
	mock_init(1);
	mock_sipi(1);
	assert_false(comes_up_without_smep(1));
	assert_true(over_its_head);
	assert_int_equal(unguarded, 0);
	mock_close();
}

static void vmm_writes_back(unsigned int vcpu)
{
	regpin_vcpu_before_write(mock.vcpus[vcpu].regpin);
	regpin_vcpu_after_write(mock.vcpus[vcpu].regpin);
}

/*
 * QEMU reads and writes back all registers whenever the guest reads port 0x5658, which
 * an unprivileged process can do, too. With paging off and LSTAR 0 that counted as a VM
 * reset.
 */
static void test_written_back(void **context)
{
	mock_open(pin_policy(RULE_STICKY, MSR_EFER, EFER_NXE, REGPIN_GP));
	mock_boot(0, CR4_ON);
	assert_true(mock_wrmsr(0, MSR_LSTAR, 0));
	assert_true(mock_mov_cr(0, 0, 0x11));
	vmm_writes_back(0);
	assert_int_equal(mock_count(REGPIN_EVENT_RESET), 0);
	assert_false(mock_wrmsr(0, MSR_EFER, 0x501));

	/* The same after an INIT of vCPU 0; then the floor was lost. */
	mock_init(0);
	mock_sipi(0);
	vmm_writes_back(0);
	assert_int_equal(mock_count(REGPIN_EVENT_RESET), 0);
	assert_true(vm_is_armed(mock.vm));

	/* A reset still counts as one, though nothing is left to be cleared. */
	regpin_vcpu_before_write(mock.vcpus[0].regpin);
	mock.vcpus[0].sregs.cs.base = 0xffff0000;
	regpin_vcpu_after_write(mock.vcpus[0].regpin);
	assert_int_equal(mock_count(REGPIN_EVENT_RESET), 1);
	mock_close();
}

/*
 * A vCPU that is pinned from the start has no LSTAR to lose at a reset. After a triple
 * fault, or a `stop`, in its firmware it was held forever.
 */
static void test_reset_in_firmware(void **context)
{
	for (int stopped = 0; stopped < 2; stopped++) {
		struct regpin_policy *policy = new_policy(ARM_START);
		struct mock_vcpu *vcpu = &mock.vcpus[0];

		add_pin(policy, RULE_NEVER, MSR_EFER, EFER_SCE, REGPIN_STOP);
		mock_open(policy);
		assert_int_equal(regpin_vcpu_enter(vcpu->regpin),
				 REGPIN_ENTER);
		if (stopped) {
			mock_wrmsr(0, MSR_EFER, EFER_SCE);
		} else {
			vcpu->run.exit_reason = KVM_EXIT_SHUTDOWN;
			assert_int_equal(regpin_vcpu_exit(vcpu->regpin), 0);
		}
		assert_int_equal(regpin_vcpu_enter(vcpu->regpin),
				 stopped ? REGPIN_STOPPED : REGPIN_HELD);
		vmm_writes_back(0);
		assert_int_equal(regpin_vcpu_enter(vcpu->regpin),
				 REGPIN_ENTER);
		mock_close();
	}
}

static pthread_t other;
static bool races;

static void *enter_0(void *unused)
{
	regpin_vcpu_enter(mock.vcpus[0].regpin);
	return unused;
}

/* vCPU 0 arms while the filter is being removed; its thread gets 50 ms to do so. */
static void other_arms(int fd, unsigned long request)
{
	const struct timespec some = { 0, 50000000 };

	if (fd != MOCK_VM || request != KVM_X86_SET_CR_FILTER || races)
		return;
	races = true;
	assert_int_equal(pthread_create(&other, NULL, enter_0, NULL), 0);
	nanosleep(&some, NULL);
}

/*
 * After a window vCPU 1 finds late that it is not armed any more. It sees no other
 * armed vCPU, so it removes the filter and the values, also those of vCPU 0, which arms
 * at this moment.
 */
static void test_last_and_first(void **context)
{
	mock_open(linux_policy());
	mock_boot(0, CR4_ON);
	mock_boot(1, CR4_ON);
	regpin_vm_window(mock.vm, 0);
	regpin_vcpu_enter(mock.vcpus[0].regpin);
	assert_int_equal(regpin_vm_arm(mock.vm), 0);
	races = false;
	mock.before = other_arms;
	/* vCPU 1 has had an INIT, so it does not arm again on its own. */
	mock.vcpus[1].regpin->life.phase = PHASE(KEPT, AGAIN_STALE);
	regpin_vcpu_enter(mock.vcpus[1].regpin);
	assert_true(races);
	pthread_join(other, NULL);
	assert_true(vcpu_is_pinned(mock.vcpus[0].regpin));
	assert_int_equal(mock.filter.flags, KVM_X86_CR_FILTER_EXIT |
					    KVM_X86_CR_FILTER_EXIT_INIT);
	/* That thread has ended, so this thread takes over the vCPU. */
	vcpu_alert(mock.vcpus[0].regpin);
	regpin_vcpu_enter(mock.vcpus[0].regpin);
	assert_true(floor_applies(mock.vcpus[1].regpin));
	mock_close();
}

/*
 * A policy without rules for the CR filter removes it. An exit that KVM had pending was
 * then handed to the VMM, and QEMU ends a VM at an exit that it does not know.
 */
static void test_swap_away(void **context)
{
	struct regpin_policy *none = new_policy(ARM_SYSCALL_ENTRY);
	struct mock_vcpu *vcpu = &mock.vcpus[0];
	struct regpin_cr_write *w = regpin_cr_write(&vcpu->run);

	mock_open(linux_policy());
	mock_boot(0, CR4_ON);
	regpin_vcpu_enter(vcpu->regpin);
	assert_int_equal(regpin_vm_set_policy(mock.vm, none), 0);
	assert_int_equal(regpin_vm_policy_done(mock.vm), 0);
	vcpu->run.exit_reason = KVM_EXIT_X86_CR_WRITE;
	*w = (struct regpin_cr_write){ .error = 1,
				       .reg = KVM_X86_CR_FILTER_CR4 };
	w->old_value = CR4_ON;
	w->value = CR4_PAE;
	assert_int_equal(regpin_vcpu_exit(vcpu->regpin), 1);
	assert_int_equal(w->error, 0);
	assert_int_equal(w->value, CR4_PAE);
	/* The same for an exit of an MSR that only the last policy named. */
	regpin_vcpu_enter(vcpu->regpin);
	vcpu->run.exit_reason = KVM_EXIT_X86_WRMSR;
	vcpu->run.msr.reason = KVM_MSR_EXIT_REASON_FILTER;
	vcpu->run.msr.index = MSR_LSTAR;
	assert_int_equal(regpin_vcpu_exit(vcpu->regpin), 1);
	/*
	 * The same for the hypercall that a last policy had wanted. The VMM's own exits
	 * go to the VMM.
	 */
	regpin_vcpu_enter(vcpu->regpin);
	vcpu->run.exit_reason = KVM_EXIT_HYPERCALL;
	vcpu->run.hypercall.nr = 13;
	assert_int_equal(regpin_vcpu_exit(vcpu->regpin), 0);
	mock.vm->filters.hypercalls_forwarded = true;
	assert_int_equal(regpin_vcpu_exit(vcpu->regpin), 1);
	assert_int_equal(vcpu->run.hypercall.ret, -1000ull);
	mock_close();
	free(none);
}

/*
 * To take an access back, regpin wrote back what KVM had pending, so an INIT or NMI
 * that came in between was lost.
 */
static void test_retract_loses_nothing(void **context)
{
	mock_open(pin_policy(RULE_STICKY, MSR_EFER, EFER_NXE, REGPIN_PAUSE));
	mock_boot(0, CR4_ON);
	mock_wrmsr(0, MSR_EFER, 0x501);
	assert_int_equal(regpin_vcpu_status(mock.vcpus[0].regpin, NULL) &
			 REGPIN_IS_HELD, REGPIN_IS_HELD);
	assert_int_equal(mock.put.flags, KVM_VCPUEVENT_VALID_SHADOW);
	mock_close();
}

static void alert_once(int fd, unsigned long request)
{
	if (fd != 0 || request != KVM_RUN)
		return;
	mock.before = NULL;
	vm_alert(mock.vm);
}

/*
 * An operator's change came while a vCPU, on its way to look, had KVM finish its exit.
 * The vCPU then forgot that it had to look, and the operator waited for it forever.
 */
static void test_change_while_completing(void **context)
{
	struct mock_vcpu *vcpu = &mock.vcpus[0];

	mock_open(pin_policy(RULE_STICKY, MSR_EFER, EFER_NXE, REGPIN_GP));
	mock_boot(0, CR4_ON);
	regpin_vcpu_enter(vcpu->regpin);
	vcpu->regpin->io.answered = true;
	vm_alert(mock.vm);
	mock.before = alert_once;
	regpin_vcpu_enter(vcpu->regpin);
	assert_null(mock.before);
	regpin_vcpu_enter(vcpu->regpin);
	assert_int_equal(regpin_vm_settled(mock.vm), 1);
	mock_close();
}

static unsigned int asks, settled;

static void swap_ends(int fd, unsigned long request)
{
	if (fd != 0 || request != KVM_GET_MSRS)
		return;
	asks++;
	settled += (unsigned int)regpin_vm_settled(mock.vm);
}

/*
 * A thread of the VMM that writes registers judges them, too, and arms. A policy swap
 * did not wait for that thread, and freed the policy that it used.
 */
static void test_swap_waits_for_vmm(void **context)
{
	mock_open(linux_policy());
	mock_boot(0, CR4_ON);
	regpin_vcpu_before_write(mock.vcpus[0].regpin);
	asks = settled = 0;
	mock.before = swap_ends;
	regpin_vcpu_after_write(mock.vcpus[0].regpin);
	assert_true(asks);
	assert_int_equal(settled, 0);
	mock.before = NULL;
	assert_int_equal(regpin_vm_settled(mock.vm), 1);
	mock_close();
}

static const struct regpin_event *violation_of(uint32_t rule)
{
	for (unsigned int i = 0; i < mock.nr_events; i++)
		if (mock.events[i].type == REGPIN_EVENT_VIOLATION &&
		    mock.events[i].rule == rule)
			return &mock.events[i];
	return NULL;
}

/*
 * A write that violated two rules was an event of only one of them, so the guest could
 * hide what it did to the bits of the other.
 */
static void test_two_in_one(void **context)
{
	static const unsigned int actions[] = { REGPIN_REPORT, REGPIN_MASK };

	for (int i = 0; i < 4; i++) {
		struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);
		unsigned int a = actions[i & 1], b = actions[i >> 1];
		const struct regpin_event *first, *second;

		add_rule(policy, RULE_STICKY, REGPIN_CR4, 0, CR4_SMEP, a);
		add_rule(policy, RULE_FROZEN, REGPIN_CR4, 0,
			 CR4_SMEP | CR4_SMAP, b);
		mock_open(policy);
		mock_boot(0, CR4_ON);
		assert_true(mock_mov_cr(0, 1, CR4_PAE));
		first = violation_of(0);
		second = violation_of(1);
		assert_non_null(second);
		assert_int_equal(second->action, b);
		assert_int_equal(second->bits, a == REGPIN_MASK && b != a ?
				 CR4_SMAP : CR4_SMEP | CR4_SMAP);
		/*
		 * If a mask keeps all bits whose change another rule would report, that
		 * rule reports nothing.
		 */
		assert_int_equal(!first, b == REGPIN_MASK && a != b);
		if (first)
			assert_int_equal(first->bits, CR4_SMEP);
		assert_int_equal(mock_count(REGPIN_EVENT_VIOLATION),
				 first ? 2 : 1);
		mock_close();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_waits_for_sipi),
		cmocka_unit_test(test_first_is_gone),
		cmocka_unit_test(test_floor_lowered),
		cmocka_unit_test(test_first_goes_to_sleep),
		cmocka_unit_test(test_written_back),
		cmocka_unit_test(test_reset_in_firmware),
		cmocka_unit_test(test_last_and_first),
		cmocka_unit_test(test_swap_away),
		cmocka_unit_test(test_change_while_completing),
		cmocka_unit_test(test_swap_waits_for_vmm),
		cmocka_unit_test(test_two_in_one),
		cmocka_unit_test(test_retract_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
