// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes by another thread between two parts of a vCPU's step. A hook that runs
 * inside the step makes each of these moments, so no test depends on time.
 */
#include "../build_policy.h"
#include "cm.h"
#include "lib/kvm/regs.h"
#include "lib/policy/registers.h"
#include "lib/vm/core.h"
#include "lib/vm/lifecycle.h"
#include "mock_kvm.h"

#define A	0xffffffff81000000ull
#define B	0xffffffff82000000ull
#define EVIL	0xffffffffdead0000ull
#define MASK	0x47700ull

static struct regpin_policy *uniform_lstar(void)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);

	add_pin(policy, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_GP);
	return policy;
}

/* vCPU 0 has a kernel whose start regpin has not seen. */
static void has_kernel(uint64_t kernel)
{
	mock.vcpus[0].msrs[replay_slot(MSR_LSTAR)] = kernel;
	mock.vcpus[0].msrs[replay_slot(MSR_SFMASK)] = MASK;
}

static bool once;

static void window_opens(int fd, unsigned long request)
{
	if (request != KVM_GET_MSRS)
		return;
	mock.before = NULL;
	regpin_vm_window(mock.vm, once);
}

static void window_passes(int fd, unsigned long request)
{
	if (request != KVM_GET_MSRS)
		return;
	mock.before = NULL;
	regpin_vm_window(mock.vm, 0);
	assert_int_equal(regpin_vm_arm(mock.vm), 0);
}

/*
 * A window begins after a look has found the gate open, and before the vCPU arms. The
 * vCPU was armed in the life of the window, so a kernel that started there did not end
 * the window.
 */
static void test_window_amid_look(void **context)
{
	for (int i = 0; i < 2; i++) {
		once = i;
		mock_open(uniform_lstar());
		has_kernel(A);
		mock.before = window_opens;
		assert_int_equal(mock_look(0), REGPIN_ENTER);
		assert_null(mock.before);
		assert_int_equal(mock_count(REGPIN_EVENT_ARMED), 0);
		assert_false(phase_counts(mock.vcpus[0].regpin->life.phase));
		assert_true(mock_wrmsr(0, MSR_LSTAR, B));
		assert_true(mock_wrmsr(0, MSR_SFMASK, MASK));
		assert_int_equal(regpin_vm_windowed(mock.vm), !once);
		if (!once) {
			assert_int_equal(regpin_vm_arm(mock.vm), 0);
			assert_int_equal(mock_look(0), REGPIN_ENTER);
		}
		assert_int_equal(mock.vcpus[0].regpin->life.phase, PHASE_READY);
		assert_false(mock_wrmsr(0, MSR_LSTAR, EVIL));
		assert_true(mock_wrmsr(0, MSR_LSTAR, B));
		mock_close();
	}
}

/*
 * The window begins and ends between the two: the look belonged to the previous life,
 * so the vCPU arms at the next one.
 */
static void test_window_passes_amid_look(void **context)
{
	mock_open(uniform_lstar());
	has_kernel(A);
	mock.before = window_passes;
	assert_int_equal(mock_look(0), REGPIN_ENTER);
	assert_null(mock.before);
	assert_int_equal(mock_count(REGPIN_EVENT_ARMED), 0);
	assert_true(atomic_load(&mock.vcpus[0].regpin->wake.attention));
	assert_int_equal(mock_look(0), REGPIN_ENTER);
	assert_int_equal(mock.vcpus[0].regpin->life.phase, PHASE_READY);
	assert_false(mock_wrmsr(0, MSR_LSTAR, EVIL));
	mock_close();
}

/*
 * Another thread makes a step after this one has read the phase, and before it writes
 * it.
 */
static bool other_steps;

struct phase_step __real_phase_next(unsigned int phase, enum happening event,
				    const struct phase_moment *moment);
struct phase_step __wrap_phase_next(unsigned int phase, enum happening event,
				    const struct phase_moment *moment);

struct phase_step __wrap_phase_next(unsigned int phase, enum happening event,
				    const struct phase_moment *moment)
{
	struct phase_step step = __real_phase_next(phase, event, moment);

	if (other_steps) {
		other_steps = false;
		lifecycle_step(mock.vcpus[0].regpin, PINS_HOLD, NULL);
	}
	return step;
}

/* The VMM's thread loads a state while the vCPU's own thread arms it: the pins hold. */
static void test_two_steps_at_once(void **context)
{
	mock_open(uniform_lstar());
	other_steps = true;
	lifecycle_step(mock.vcpus[0].regpin, STATE_LOADED, NULL);
	assert_false(other_steps);
	assert_int_equal(mock.vcpus[0].regpin->life.phase, PHASE(PINNED, ENTRY));
	mock_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_window_amid_look),
		cmocka_unit_test(test_window_passes_amid_look),
		cmocka_unit_test(test_two_steps_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
