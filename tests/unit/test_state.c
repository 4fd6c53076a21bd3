// SPDX-License-Identifier: GPL-2.0-only
/*
 * lib/vm/migration.c: when a VM's state counts as taken out or loaded, and its
 * fingerprint.
 */
#include "cm.h"
#include "lib/vm/core.h"
#include "lib/vm/migration.h"
#include "lib/vm/vmm_write.h"

#include <string.h>
#include <unistd.h>


#define NR		3
#define RAM		(1ull << 30)
#define NO_THREAD	0x3fffffff	/* above any thread's number */

struct machine {
	struct regpin_vm vm;
	struct regpin_vcpu vcpus[NR];
	struct state_seen seen;
};

static struct machine here, there;
static struct regpin_policy policy;

/*
 * Builds a VM with armed vCPUs, listed in ascending order if @up is set, otherwise
 * descending.
 */
static void build(struct machine *m, bool up)
{
	memset(m, 0, sizeof(*m));
	policy.arming = ARM_SYSCALL_ENTRY;
	m->vm.policies.now = &policy;
	m->vm.policies.whole = &policy;
	migration_set_seen(&m->vm, &m->seen);
	for (unsigned int i = 0; i < NR; i++) {
		struct regpin_vcpu *vcpu = &m->vcpus[up ? i : NR - 1 - i];

		vcpu->vm = &m->vm;
		vcpu->id = (uint32_t)(vcpu - m->vcpus);
		vcpu->life.phase = PHASE_READY;
		vm_add_vcpu(&m->vm, vcpu);
	}
}

static int begin(void **state)
{
	build(&here, true);
	build(&there, false);
	migration_note_slot(&here.vm, 0, KVM_MEM_LOG_DIRTY_PAGES, RAM);
	return 0;
}

static struct kvm_regs regs_of(unsigned int vcpu)
{
	return (struct kvm_regs){ .rip = 0xffffffff81000000ull + vcpu,
				  .rsp = 0x1000, .rflags = 2 };
}

static bool read_one(struct machine *m, unsigned int vcpu)
{
	const struct kvm_regs regs = regs_of(vcpu);

	return migration_note_read(&m->vcpus[vcpu], &regs);
}

static void read_all(struct machine *m)
{
	for (unsigned int i = 0; i < NR; i++)
		read_one(m, i);
}

static bool load_one(struct machine *m, unsigned int vcpu, unsigned int regs_from)
{
	const struct kvm_regs regs = regs_of(regs_from);

	m->vcpus[vcpu].writes.state = VMM_LOADS;
	return migration_note_written(&m->vcpus[vcpu], &regs);
}

static void whole_or_not(void **state)
{
	assert_false(read_one(&here, 0));
	assert_false(read_one(&here, 2));
	assert_int_equal(here.seen.taken.regs, 0);
	assert_true(read_one(&here, 1));
	assert_int_not_equal(here.seen.taken.regs, 0);
	/* The same state again is not reported again. */
	assert_false(read_one(&here, 1));
	assert_true(atomic_load(&here.vcpus[1].wake.attention));
	migration_note_entry(&here.vcpus[1]);
	assert_int_equal(here.seen.taken.regs, 0);
	assert_false(read_one(&here, 0));
	assert_true(read_one(&here, 1));
}

static void same_elsewhere(void **state)
{
	read_all(&here);
	for (unsigned int i = 0; i < NR - 1; i++)
		assert_false(load_one(&there, i, i));
	assert_int_equal(there.seen.loaded.regs, 0);
	assert_true(load_one(&there, NR - 1, NR - 1));
	assert_int_equal(there.seen.loaded.regs, here.seen.taken.regs);
	/*
	 * The loaded state stays recorded when the guest runs, so that the agent cannot
	 * miss it.
	 */
	there.vcpus[0].writes.state = VMM_WROTE;
	migration_note_entry(&there.vcpus[0]);
	assert_int_equal(there.seen.loaded.regs, here.seen.taken.regs);
}

static void each_register_counts(void **state)
{
	for (size_t i = 0; i < sizeof(struct kvm_regs) / 8; i++) {
		struct kvm_regs regs = regs_of(1);
		uint64_t before;

		read_all(&here);
		before = here.seen.taken.regs;
		((uint64_t *)&regs)[i] ^= 1ull << 40;
		assert_true(migration_note_read(&here.vcpus[1], &regs));
		assert_int_not_equal(here.seen.taken.regs, before);
	}
}

static void each_vcpu_has_its_own(void **state)
{
	read_all(&here);
	load_one(&there, 0, 1);
	load_one(&there, 1, 0);
	load_one(&there, 2, 2);
	assert_int_not_equal(there.seen.loaded.regs, 0);
	assert_int_not_equal(there.seen.loaded.regs, here.seen.taken.regs);
}

static void unplugged(void **state)
{
	here.vcpus[1].wake.runner = NO_THREAD;
	there.vcpus[1].wake.runner = NO_THREAD;
	read_one(&here, 0);
	assert_true(read_one(&here, 2));
	load_one(&there, 0, 0);
	load_one(&there, 2, 2);
	assert_int_equal(there.seen.loaded.regs, here.seen.taken.regs);
}

static void only_what_is_pinned(void **state)
{
	for (unsigned int i = 0; i < NR; i++)
		here.vcpus[i].life.phase = there.vcpus[i].life.phase = PHASE_OFF;
	read_all(&here);
	assert_int_equal(here.seen.taken.regs, 0);
	for (unsigned int i = 0; i < NR; i++)
		load_one(&there, i, i);
	assert_int_equal(there.seen.loaded.regs, 0);
	/* The write that came last arms the vCPU. */
	there.vcpus[2].life.phase = PHASE_READY;
	assert_true(migration_note_load(&there.vm));
	/*
	 * An armed vCPU makes the VM's state count; one that was armed in an earlier life
	 * does not.
	 */
	here.vcpus[2].life.phase = PHASE_READY;
	here.vm.gate.life = 1;
	assert_false(read_one(&here, 0));
	here.vcpus[2].life.vm_life = 1;
	assert_true(read_one(&here, 0));
	assert_int_equal(here.seen.taken.regs, there.seen.loaded.regs);
}

/* The TSC of one vCPU, among other MSRs. */
static bool tsc(struct machine *m, unsigned int vcpu, uint64_t value, bool written)
{
	struct {
		struct kvm_msrs header;
		struct kvm_msr_entry entries[3];
	} list = {
		.entries = { { .index = 0x11, .data = 5 },
			     { .index = 0x10, .data = value },
			     { .index = 0x12, .data = 6 } },
	};

	/* MSRs that KVM did not reach are not included. */
	migration_note_read_msrs(&m->vcpus[vcpu], &list.header, 1);
	return written ? migration_note_written_msrs(&m->vcpus[vcpu],
						     &list.header, 3) :
			 migration_note_read_msrs(&m->vcpus[vcpu], &list.header,
						  3);
}

static void clocks(void **state)
{
	uint64_t regs, clock;

	/* QEMU reads the clocks first, when the VM stops. */
	tsc(&here, 0, 1000, false);
	tsc(&here, 1, 1001, false);
	read_all(&here);
	regs = here.seen.taken.regs;
	assert_int_not_equal(regs, 0);
	assert_int_equal(here.seen.taken.clock, 0);
	assert_true(tsc(&here, 2, 1002, false));
	clock = here.seen.taken.clock;
	assert_int_not_equal(clock, 0);
	assert_int_equal(here.seen.taken.regs, regs);
	for (unsigned int i = 0; i < NR; i++) {
		load_one(&there, i, i);
		tsc(&there, i, 1000 + i, true);
	}
	assert_int_equal(there.seen.loaded.regs, regs);
	assert_int_equal(there.seen.loaded.clock, clock);
	assert_true(tsc(&there, 1, 999, true));
	assert_int_not_equal(there.seen.loaded.clock, clock);
	/* After a vCPU has run, its clock is unknown. */
	migration_note_entry(&here.vcpus[0]);
	assert_int_equal(here.seen.taken.clock, 0);
	assert_true(read_one(&here, 0));
	assert_int_equal(here.seen.taken.regs, regs);
	assert_int_equal(here.seen.taken.clock, 0);
}

static void not_a_load(void **state)
{
	for (unsigned int i = 0; i < NR; i++) {
		const struct kvm_regs regs = regs_of(i);

		assert_false(migration_note_written(&there.vcpus[i], &regs));
	}
	assert_int_equal(there.seen.loaded.regs, 0);
}

/* With pins from the first instruction a state counts even without a kernel in it. */
static void pinned_from_the_start(void **state)
{
	policy.arming = ARM_START;
	for (unsigned int i = 0; i < NR; i++) {
		const struct kvm_regs regs = regs_of(i);

		there.vcpus[i].life.phase = PHASE_OFF;
		migration_note_written(&there.vcpus[i], &regs);
	}
	read_all(&here);
	assert_int_equal(there.seen.loaded.regs, here.seen.taken.regs);
	/* A write while the guest runs does not count. */
	for (unsigned int i = 0; i < NR; i++)
		there.vcpus[i].wake.runner = gettid();
	there.seen.loaded.regs = 0;
	assert_false(migration_note_load(&there.vm));
	assert_int_equal(there.seen.loaded.regs, 0);
}

/* A VMM that only looks at the registers does not read the memory. */
static void memory_goes_along(void **state)
{
	migration_note_slot(&here.vm, 0, 0, RAM);
	migration_note_slot(&here.vm, 1, KVM_MEM_LOG_DIRTY_PAGES, 16 << 20);
	migration_note_slot(&here.vm, 2,
			    KVM_MEM_READONLY | KVM_MEM_LOG_DIRTY_PAGES,
			    4 * RAM);
	migration_note_slot(&here.vm, NR_SLOTS, KVM_MEM_LOG_DIRTY_PAGES,
			    4 * RAM);
	migration_note_slot(&here.vm, 1u << 16, KVM_MEM_LOG_DIRTY_PAGES,
			    4 * RAM);
	read_all(&here);
	assert_int_equal(here.seen.taken.regs, 0);
	/* The registers were read before the memory was taken out. */
	assert_true(
		migration_note_slot(&here.vm, 0, KVM_MEM_LOG_DIRTY_PAGES, RAM));
	assert_int_not_equal(here.seen.taken.regs, 0);
	/* The end of the dirty log does not undo that. */
	assert_false(migration_note_slot(&here.vm, 0, 0, RAM));
	assert_int_not_equal(here.seen.taken.regs, 0);
	migration_note_entry(&here.vcpus[0]);
	assert_false(read_one(&here, 0));
	/* A slot that was removed has no memory. */
	assert_true(migration_note_slot(&here.vm, 0, 0, 0));
}

static void shown_nowhere(void **state)
{
	migration_set_seen(&here.vm, NULL);
	read_all(&here);
	migration_note_entry(&here.vcpus[0]);
	assert_int_equal(here.seen.taken.regs, 0);
	read_one(&here, 0);
	/* Another VM may use the slot by now. */
	migration_set_seen(&there.vm, &here.seen);
	assert_int_equal(here.seen.taken.regs, 0);
}

#define TEST(name)	cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(whole_or_not),
		TEST(same_elsewhere),
		TEST(each_register_counts),
		TEST(each_vcpu_has_its_own),
		TEST(unplugged),
		TEST(only_what_is_pinned),
		TEST(clocks),
		TEST(not_a_load),
		TEST(pinned_from_the_start),
		TEST(memory_goes_along),
		TEST(shown_nowhere),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
