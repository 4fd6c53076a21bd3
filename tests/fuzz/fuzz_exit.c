// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two policies and a story from the input, against a toy KVM. Guests read and write; VMMs
 * write, load, reset, and set filters and reasons of their own; the operator swaps the
 * policies, arms, disarms and answers; CPUs get an INIT that is not reported; ioctls fail.
 * Exits are those that this KVM makes, or have any contents. The invariants:
 *
 * - An access ends as the policy requires: performed as by KVM itself, with masked bits,
 *   answered, dropped, #GP, held, or with the VM stopped (exit_oracle.c). An access without
 *   a rule ends as without regpin, in value, #GP and exit.
 * - No other register changes, and none of another vCPU; and a register that userspace
 *   cannot write exactly as the guest does is never written (toy_kvm.c aborts).
 * - Only the VMM can change a pinned value of an armed vCPU, and no guest can disarm it.
 * - Each violation is one event, with the rule, its policy, the action and the register's
 *   value; there is no other event. If a register cannot be read, no read gives its value.
 * - The VMM gets an exit if it has requested its reason, with the contents that KVM gave.
 * - Every exit is answered, by 0 or 1 and by a value; or it is retracted, with RIP before
 *   the instruction, and then the vCPU is held or stopped. An exit is retried only while
 *   policies change, and only the VMM enters the guest.
 * - KVM exits for the reasons of the VMM and of the policy in force, and for no others.
 * - While policies change, each access ends completely as one of the two requires.
 * - While the values are settled, no bit is dropped from those that a vCPU must have if it
 *   starts beside armed ones; and a pinned vCPU that has written LSTAR and SFMASK is set up.
 */
#include <string.h>

#include "exit_scene.h"
#include "lib/policy/registers.h"
#include "lib/vm/types.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Any other exit: regpin knows some, and none of them changes a register. */
static void other_exit(unsigned int reason)
{
	static const unsigned int some[] = {
		KVM_EXIT_IO, KVM_EXIT_HYPERCALL, KVM_EXIT_SHUTDOWN,
		KVM_EXIT_INTR, KVM_EXIT_UNKNOWN, KVM_EXIT_FAIL_ENTRY, 4711,
	};
	const struct toy before = toy;
	struct kvm_run *run = &runs[story.now];

	if (!scene_enter())
		return;
	run->exit_reason = some[reason % (sizeof(some) / sizeof(some[0]))];
	run->hypercall.nr = story_number(2) ? 13 : 12;
	run->hypercall.ret = TOY_POISON_DATA;
	if (regpin_vcpu_exit(vcpus[story.now]))
		REQUIRE(run->exit_reason == KVM_EXIT_HYPERCALL &&
			run->hypercall.nr == 13 &&
			run->hypercall.ret != TOY_POISON_DATA);
	REQUIRE(!memcmp(before.vcpus, toy.vcpus, sizeof(toy.vcpus)));
}

/* An answer to a vCPU that a reset has released does not count any more. */
static void drop_answers(void)
{
	if (vcpus[story.now]->hold.ticket == REGPIN_ACTION_MAX)
		story.answers[story.now] = REGPIN_ACTION_MAX;
}

static void vmm_write(int slot, uint64_t value)
{
	bool was = vcpu_is_pinned(vcpus[story.now]);

	regpin_vcpu_before_write(vcpus[story.now]);
	toy_write(&toy.vcpus[story.now], toy_replay(slot), value, false, false);
	regpin_vcpu_after_write(vcpus[story.now]);
	drop_answers();
	/* It is not a reset while paging is on. */
	REQUIRE(!was || phase_pinned(vcpus[story.now]->life.phase) ||
		!toy.vcpus[story.now].paging);
}

static void vmm_paging(bool paging, bool clear)
{
	struct toy_vcpu *to = &toy.vcpus[story.now];
	bool fails = toy.fails, was = to->paging;

	regpin_vcpu_before_write(vcpus[story.now]);
	to->paging = paging;
	if (clear)
		memset(to->msrs, 0, sizeof(to->msrs));
	regpin_vcpu_after_write(vcpus[story.now]);
	drop_answers();
	if (clear && !paging && was && !fails)
		REQUIRE(!vm->filters.msrs_wanted ||
			!phase_pinned(vcpus[story.now]->life.phase));
}

static void vmm_filter(void)
{
	static uint8_t bitmap[KVM_MSR_FILTER_MAX_BITMAP_SIZE];
	struct kvm_msr_filter filter = { .flags = story_number(2) };
	uint8_t bits = story_byte();

	if (!story.filters)
		return;
	story.filters--;
	memset(bitmap, bits, sizeof(bitmap));
	filter.ranges[0].base = story_index(&policies[0]) & ~3u;
	filter.ranges[0].nmsrs = story_number(9);
	filter.ranges[0].flags = 1 + story_number(3);
	filter.ranges[0].bitmap = bitmap;
	regpin_vm_set_msr_filter(vm, &filter);
}

static void vmm_mask(uint64_t mask)
{
	REQUIRE(!regpin_vm_set_user_msr(vm, mask));
	story.vmm_mask = mask;
}

/* First all accesses are judged by the other policy, then KVM's filter is replaced. */
static void swap(void)
{
	uint32_t index;
	bool write;

	if (story.swapping) {
		index = story_index(&policies[0]);
		write = story_number(2);
		follow_policy(index, write, story_value());
		return;
	}
	/* CPUID chose the rules that hold, and each vCPU must leave KVM once after that. */
	for (unsigned int i = 0; i < TOY_VCPUS; i++)
		regpin_vcpu_leave(vcpus[i]);
	if (!regpin_vm_set_policy(vm, &policies[!story.in_force])) {
		story.in_force = !story.in_force;
		story.swapping = true;
	}
}

/* The vCPU executes the instruction again, or the next one if not @again. */
static void answer(unsigned int action, bool again)
{
	const struct regpin_event held = story.held[story.now];
	const struct hold *hold = &vcpus[story.now]->hold;
	bool access = atomic_load(&hold->why) == HOLD_ACCESS;

	if (regpin_vcpu_answer(vcpus[story.now], action) || !access)
		return;
	story.answers[story.now] = action;
	if (regpin_vcpu_enter(vcpus[story.now]) == REGPIN_ENTER && again)
		guest_access(held.index, held.write, held.new_value);
}

/* The guest sends an INIT, which this KVM does not report. */
static void guest_init(struct toy_vcpu *to)
{
	to->paging = false;
	to->msrs[toy_slot(MSR_EFER)] = 0;
}

static void operate(unsigned int what)
{
	if (what == 0)
		REQUIRE(!regpin_vm_arm(vm));
	else if (what == 1)
		regpin_vm_disarm(vm);
	else
		regpin_vm_window(vm, what == 3);
}

static void check_life(void)
{
	struct protections had = story.had, has = vm->values.first_protections;
	bool settled = atomic_load(&vm->values.settled);

	if (settled)
		REQUIRE(!(had.cr0 & ~has.cr0) && !(had.cr4 & ~has.cr4) &&
			!(had.efer & ~has.efer));
	story.had = settled ? has : (struct protections){ 0 };
	/* Without an LSTAR, which only a VMM can have cleared unseen, there is no kernel. */
	for (unsigned int i = 0; i < TOY_VCPUS; i++)
		REQUIRE(!vcpu_is_pinned(vcpus[i]) ||
			!toy.vcpus[i].msrs[toy_slot(MSR_LSTAR)] ||
			phase_progress(vcpus[i]->life.phase) % AGAIN != BOTH);
}

/* Carries out a step of the guest, or of KVM for it. Returns false if @op is neither. */
static bool guest_step(char op)
{
	struct toy_vcpu *vcpu = &toy.vcpus[story.now];
	uint32_t index;
	bool write;
	int slot;

	switch (op) {
	case 'w':	/* a write */
		index = story_index(&policies[story.in_force]);
		guest_access(index, true, story_value());
		return true;
	case 'b':	/* of the current value with one bit changed */
		index = story_index(&policies[story.in_force]);
		slot = toy_slot(index);
		guest_access(index, true, (slot < 0 ? 0 : vcpu->msrs[slot]) ^
					  1ull << story_number(64));
		return true;
	case 'r':	/* a read */
		guest_access(story_index(&policies[story.in_force]), false, 0);
		return true;
	case 'f':	/* forged */
		index = story_index(&policies[story.in_force]);
		write = story_number(2);
		forged_exit(index, write, story_value());
		return true;
	case 'o':	/* another exit */
		other_exit(story_number(256));
		return true;
	case 'p':	/* paging on or off */
		vcpu->paging = !vcpu->paging;
		return true;
	case 'c':	/* SMM, or a nested guest */
		runs[story.now].flags = story_number(3) == 1;
		if (story_number(3) == 1)
			runs[story.now].flags |= TOY_NESTED;
		return true;
	case 'i':	/* a CPU starts again by an INIT */
		guest_init(vcpu);
		return true;
	default:
		return false;
	}
}

static void step(void)
{
	static const char ops[] = "wbrfovlLnpscjmxaA+iu";
	uint8_t byte = story_byte();
	const char *op = byte ? strchr(ops, byte) : NULL;
	char chosen = op ? *op : ops[byte % (sizeof(ops) - 1)];
	int slot;

	if (guest_step(chosen))
		return;
	switch (chosen) {
	case 'v':	/* the VMM writes a register, */
		slot = (int)story_number((unsigned int)toy_nr_replay());
		vmm_write(slot, story_value());
		return;
	case 'l':	/* resets the vCPU, */
		vmm_paging(false, true);
		return;
	case 'L':	/* loads a state with paging */
		vmm_paging(true, false);
		return;
	case 'n':	/* or has an INIT in its own APIC */
		vmm_paging(false, false);
		return;
	case 's':	/* the other vCPU */
		story.now = !story.now;
		return;
	case 'j':	/* ioctls fail, or work again */
		toy.fails = !toy.fails;
		return;
	case 'm':	/* the VMM's reasons, */
		vmm_mask(story_number(8));
		return;
	case 'x':	/* and its filter */
		vmm_filter();
		return;
	case 'a':	/* the operator answers, */
	case 'A':	/* but the guest makes another access, */
		answer(story_number(REGPIN_ACTION_MAX), chosen != 'A');
		return;
	case '+':	/* exchanges the policies, */
		swap();
		return;
	case 'u':	/* arms, disarms or opens a window */
		operate(story_number(4));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	story_begin(data, size);
	story_policy(&policies[0]);
	story_policy(&policies[1]);
	policies[0].number = 0x10000;
	policies[1].number = 7;
	if (scene_set())
		while (story_more()) {
			step();
			check_life();
		}
	scene_clear();
	return 0;
}
