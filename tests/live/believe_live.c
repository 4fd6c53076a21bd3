// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of vCPUs under a random policy: accesses near the registers that the policy
 * names, with values near those that matter, recorded step by step. Each access is
 * tried first on a vCPU without regpin, the twin: `regpin sim` must be given what KVM
 * itself refuses.
 */
#include <errno.h>
#include <string.h>

#include "believe.h"
#include "lib/kvm/regs.h"
#include "lib/policy/policy.h"
#include "lib/policy/registers.h"
#include "lib/vm/types.h"
#include "msr_probe.h"
#include "scene.h"

static unsigned int roll(struct life *life, unsigned int sides)
{
	return (unsigned int)((random64(&life->seed) >> 20) % sides);
}

static void on_event(void *context, const struct regpin_event *event)
{
	struct life *life = context;
	struct step *step = &life->steps[life->nr_steps - 1];

	if (life->nr_steps && step->nr_events < BELIEVE_EVENTS)
		step->events[step->nr_events++] = *event;
}

/* Registers that change by themselves, or that differ between the ways to read them. */
bool believe_is_volatile(uint32_t index)
{
	static const uint32_t list[] = { 0x10, 0x3b, 0xe7, 0xe8, 0x6e0 };

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (index == list[i])
			return true;
	return is_x2apic(index) || index - 0x40000000u < 0x200 ||
	       index - 0x4b564d00u < 0x100;
}

/* A write has more effects than the register's value: on memory, clocks, the APIC. */
static bool is_dangerous(uint32_t index)
{
	static const uint32_t list[] = { 0x11, 0x12, 0x1b, 0x1d9, 0x9e };

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (index == list[i])
			return true;
	return believe_is_volatile(index);
}

enum twin believe_twin(struct tiny_vcpu *twin, bool write, uint32_t index,
		       uint64_t value, bool known, uint64_t before,
		       uint64_t *after)
{
	unsigned int access = write ? ACCESS_WRITE : ACCESS_READ;
	uint64_t stands;

	if (write && known && !is_dangerous(index) &&
	    (tiny_get_msr(twin, index, &stands) || stands != before) &&
	    tiny_set_msr(twin, index, before))
		return TWIN_ODD;
	*after = value;
	switch (probe_value(twin, index, access, value)) {
	case PROBE_DONE:
		return !write || !tiny_get_msr(twin, index, after) ?
			       TWIN_DONE : TWIN_ODD;
	case PROBE_UNKNOWN:
		return TWIN_UNKNOWN;
	case PROBE_INVALID:
		return TWIN_INVALID;
	default:
		return TWIN_ODD;
	}
}

static struct step *new_step(struct life *life, enum trace_op op,
			     uint32_t vcpu)
{
	struct step *step = &life->steps[life->nr_steps++];

	if (life->nr_steps > BELIEVE_STEPS)
		abort();
	*step = (struct step){ .op = op, .vcpu = vcpu,
			       .strange = life->strange };
	return step;
}

static bool full(const struct life *life)
{
	/* One access may take six steps: held, answered, repeated, and its effects. */
	return life->over || life->lost || life->nr_steps + 8 > BELIEVE_STEPS;
}

static void add_set(struct life *life, uint64_t index)
{
	uint32_t at = (uint32_t)index;

	for (unsigned int i = 0; i < life->set.nr; i++)
		if (life->set.list[i] == at)
			return;
	add_index(&life->set, at);
}

/*
 * Chooses the registers to access: the edges of rules, and those on which the life cycle of
 * a vCPU depends.
 */
static void choose(struct life *life)
{
	static const uint32_t edges[] = {
		0, 0x2fff, 0x3000, 0x7ff, 0x800, 0x802, 0x8ff, 0x900, 0x6e0,
		0x3fffffff, 0x40000000, 0xbfffffff, 0xc0002fff, 0xc0003000,
		0xc0010000, 0xc0012fff, 0xc0013000, 0xffffffff, 0x10, 0x34,
	};
	const struct regpin_policy *policy = life->policy;

	life->set.nr = 0;
	memset(life->odd, 0, sizeof(life->odd));
	add_set(life, MSR_LSTAR);
	add_set(life, MSR_SFMASK);
	add_set(life, MSR_EFER);
	add_set(life, policy->settings.request_msr);
	for (int i = 0; i < 3; i++)
		add_set(life, edges[roll(life, sizeof(edges) / sizeof(edges[0]))]);
	for (uint32_t i = 0; i < policy->nr_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule_is_wide(rule))
			continue;
		add_set(life, rule->index);
		add_set(life, rule->index - roll(life, 2));
		add_set(life, (uint64_t)rule->index + rule->count - 1);
		add_set(life, (uint64_t)rule->index + rule->count - roll(life, 2));
		if (rule->count > 1)
			add_set(life, rule->index + roll(life, rule->count));
	}
}

/* The VMM writes the current value, so that the simulation has it, too. */
static void note_value(struct life *life, uint32_t vcpu, unsigned int at)
{
	uint32_t index = life->set.list[at];
	struct step *step;
	uint64_t value;

	if (!believe_get(life, vcpu, index, &value))
		return;
	if (is_dangerous(index) || full(life)) {
		life->odd[at] = true;
		return;
	}
	step = new_step(life, TRACE_SET, vcpu);
	step->index = index;
	step->value = value;
	step->resync = true;
	if (tiny_set_msr(&life->vcpus[vcpu], index, value)) {
		life->nr_steps--;
		life->odd[at] = true;
	}
	moment_before(life, step);
}

/* Runs the instruction, from its beginning if @again is false. */
static int run_access(struct life *life, struct step *step, bool again)
{
	struct tiny_vcpu *vcpu = &life->vcpus[step->vcpu];
	uint32_t at = step->op == TRACE_WRMSR ? TINY_WRMSR : TINY_RDMSR;
	struct kvm_regs regs;
	int ret;

	if (!again)
		tiny_prepare(vcpu, at, step->index, step->value);
	ret = tiny_run(vcpu);
	if (!ret)
		ret = tiny_outcome(vcpu, at);
	if (!ret && step->op == TRACE_RDMSR) {
		regs = scene_regs(vcpu);
		step->read = (uint32_t)regs.rax | regs.rdx << 32;
	}
	return ret;
}

static void answer(struct life *life, const struct step *held)
{
	static const unsigned int answers[] = {
		REGPIN_ALLOW, REGPIN_ALLOW, REGPIN_ALLOW, REGPIN_GP, REGPIN_GP,
		REGPIN_GP, REGPIN_STOP,
	};
	struct step *step = new_step(life, TRACE_ANSWER, held->vcpu);

	step->value = answers[roll(life, 7)];
	step->fate = regpin_vcpu_answer(life->vcpus[held->vcpu].regpin,
					(unsigned int)step->value);
	life->strange = true;
}

/* Makes the access, and repeats it if an answer is needed first. */
static void access_once(struct life *life, struct step *step, unsigned int at)
{
	uint32_t vcpu = step->vcpu;

	for (bool again = false;; again = true) {
		struct step *next;

		step->volatile_value |= life->odd[at];
		step->known = believe_get(life, vcpu, step->index, &step->before);
		step->fate = run_access(life, step, again);
		believe_get(life, vcpu, step->index, &step->after);
		moment_take(life, step);
		moment_after(life, step);
		if (step->fate != TINY_HELD || full(life))
			break;
		answer(life, step);
		next = new_step(life, step->op, vcpu);
		next->index = step->index;
		next->value = step->value;
		next->refusal = step->refusal;
		next->volatile_value = step->volatile_value;
		step = next;
	}
	if (step->fate == TINY_HELD || step->fate == TINY_STOPPED)
		life->over = true;
}

/* Chooses a value that matters for this register. */
static uint64_t value_for(struct life *life, uint32_t index, uint64_t old)
{
	const struct regpin_policy *policy = life->policy;
	static const uint64_t some[] = {
		0, 1, ~0ull, 0xffffffff81000000, 0x7fffffffffff,
		0x800000000000, 0x0606060606060606, 0x0007040600070406, 0xc06,
		0xc0000006, 0xd01, 0x47700,
	};
	uint64_t bits = 0;
	int slot = replay_slot(index);

	for (uint32_t i = 0; i < policy->nr_rules; i++)
		if (!rule_is_wide(&policy->rules[i]) &&
		    rule_covers(&policy->rules[i], REGPIN_MSR, index))
			bits |= policy->rules[i].mask;
	switch (roll(life, 8)) {
	case 0:
		return old;
	case 1:
		return old ^ 1ull << roll(life, 64);
	case 2:
		return old ^ (random64(&life->seed) & bits &
			      random64(&life->seed) & random64(&life->seed));
	case 3:
		return old ^ (1ull << roll(life, 12) & bits);
	case 4:
		return slot >= 0 ? life->common[slot] : old ^ 1;
	case 5:
		return slot >= 0 ? life->once[0][slot] : old & ~bits;
	case 6:
		return random64(&life->seed) >> roll(life, 64);
	default:
		return some[roll(life, sizeof(some) / sizeof(some[0]))];
	}
}

/* Returns the value that the register has after a write that KVM accepts. */
static uint64_t simple(uint32_t index, uint64_t old, uint64_t value)
{
	return index == MSR_EFER ? (value & ~EFER_LMA) | (old & EFER_LMA) :
				   value;
}

/*
 * Chooses a register. Pinned ones, and those on which the life cycle depends, are chosen
 * more often than others.
 */
static unsigned int choose_one(struct life *life)
{
	const struct regpin_policy *policy = life->policy;
	const struct rule *rule = &policy->rules[roll(life, policy->nr_rules)];
	unsigned int what = roll(life, 8);

	if (what == 0)
		return roll(life, 3);
	for (unsigned int i = 0; what < 5 && i < life->set.nr; i++)
		if (rule_covers(rule, REGPIN_MSR, life->set.list[i]))
			return i;
	return roll(life, life->set.nr);
}

bool believe_tcg_differs(uint32_t index, uint64_t value)
{
	bool canonical = (uint64_t)((int64_t)(value << 16) >> 16) == value;

	if (!getenv("TINY_TCG"))
		return false;
	switch (index) {
	case MSR_LSTAR:
	case MSR_CSTAR:
	case MSR_KERNEL_GS_BASE:
	case MSR_FS_BASE:
	case 0xc0000101:	/* GS_BASE */
		return !canonical;
	case MSR_SYSENTER_CS:
		return value >> 16;
	case MSR_SYSENTER_ESP:
	case MSR_SYSENTER_EIP:
		return value >> 32;
	default:
		return false;
	}
}

static void do_access(struct life *life)
{
	unsigned int at = choose_one(life);
	uint32_t index = life->set.list[at], vcpu = roll(life, 10) < 3;
	bool write = roll(life, 9) < 5 && !is_dangerous(index);
	uint64_t old = 0, value = 0, after;
	bool known = believe_get(life, vcpu, index, &old), other;
	struct step *step;
	enum twin twin;

	if (write)
		value = value_for(life, index, old);
	/* Lets the vCPU start. */
	if (write && at < 2 && !old && roll(life, 3))
		value = at ? 0x47700 : 0xffffffff81000000;
	/* Sets the bits that the floor requires. */
	if (write && index == MSR_EFER && !vcpu && roll(life, 2))
		value = old | EFER_SCE | EFER_NXE;
	if (write && believe_tcg_differs(index, value)) {
		life->skipped++;
		return;
	}
	twin = believe_twin(life->twin, write, index, value, known, old, &after);
	other = write && twin == TWIN_DONE && after != simple(index, old, value);
	if (twin == TWIN_ODD || (other && replay_slot(index) >= 0)) {
		life->skipped++;
		return;
	}
	step = new_step(life, write ? TRACE_WRMSR : TRACE_RDMSR, vcpu);
	step->index = index;
	step->value = value;
	step->refusal = twin == TWIN_UNKNOWN ? TRACE_UNKNOWN :
			twin == TWIN_INVALID ? TRACE_INVALID : TRACE_TAKEN;
	step->volatile_value = other || believe_is_volatile(index);
	access_once(life, step, at);
	if (other)
		note_value(life, vcpu, at);
}

/* The VMM writes a register, or the operator gives a command. */
static void do_other(struct life *life, bool wild)
{
	bool operates = life->policy->arming == ARM_OPERATOR;
	unsigned int what = wild ? roll(life, 5) : 0;
	struct step *step;

	if (what == 1) {
		uint32_t vcpu = roll(life, 2), index = life->set.list[roll(life, 3)];
		uint64_t value;

		if (!believe_get(life, vcpu, index, &value))
			return;
		value = value_for(life, index, value);
		step = new_step(life, TRACE_SET, vcpu);
		step->index = index;
		step->value = value;
		if (tiny_set_msr(&life->vcpus[vcpu], index, value) ||
		    !believe_get(life, vcpu, index, &step->after) ||
		    step->after != value) {
			/* Then its effect is unknown, and cannot be undone. */
			life->lost = true;
			life->nr_steps--;
			return;
		}
		moment_before(life, step);
		life->strange = true;
		return;
	}
	if (what == 0 && !operates)
		return;
	step = new_step(life, what == 0 ? TRACE_ARM : what == 2 ? TRACE_DISARM :
			what == 3 ? TRACE_WINDOW : TRACE_ARM, 0);
	if (step->op == TRACE_WINDOW)
		step->once = roll(life, 2);
	life->strange |= what || step->strange;
	if (step->op == TRACE_ARM)
		step->fate = regpin_vm_arm(life->vm.regpin);
	else if (step->op == TRACE_DISARM)
		regpin_vm_disarm(life->vm.regpin);
	else
		regpin_vm_window(life->vm.regpin, step->once);
}

/*
 * No vCPU runs while another one does, so there is nothing to kick, but the floor only
 * reads other vCPUs if a kick is possible.
 */
static void no_kick(void *context, struct regpin_vcpu *vcpu)
{
	(void)context;
	(void)vcpu;
}

static void attach(struct life *life)
{
	struct regpin_vm_options options = {
		.size = sizeof(options), .event = on_event, .kick = no_kick,
		.context = life,
	};

	if (regpin_vm_attach(life->policy, life->vm.kvm, life->vm.fd, &options,
			     &life->vm.regpin))
		abort();
}

static void begin(struct life *life)
{
	tiny_vm_new(&life->vm);
	life->nr_steps = 0;
	life->strange = life->over = life->lost = life->settled = false;
	memset(life->now, 0, sizeof(life->now));
	memset(life->masked, 0, sizeof(life->masked));
	memset(life->entered, 0, sizeof(life->entered));
	memset(life->common, 0, sizeof(life->common));
	memset(life->once, 0, sizeof(life->once));
	memset(life->common_known, 0, sizeof(life->common_known));
	attach(life);
	for (uint32_t i = 0; i < BELIEVE_VCPUS; i++)
		tiny_vcpu_new(&life->vm, &life->vcpus[i], i, life->mode);
	choose(life);
	for (uint32_t i = 0; i < BELIEVE_VCPUS; i++)
		for (unsigned int at = 0; at < life->set.nr; at++)
			note_value(life, i, at);
}

void believe_live(struct life *life, unsigned int accesses)
{
	unsigned int every = 8 + roll(life, 20);
	bool wild = roll(life, 3) == 0;

	begin(life);
	for (unsigned int i = 0; i < accesses && !full(life); i++) {
		if (roll(life, every) == 0)
			do_other(life, wild);
		if (!life->lost)
			do_access(life);
	}
	/*
	 * The VM is stopped, or a vCPU is held forever: one more access shows that this
	 * lasts.
	 */
	if (life->over && !life->lost && life->nr_steps + 8 <= BELIEVE_STEPS) {
		life->over = false;
		life->odd[0] = true;
		do_access(life);
	}
	for (uint32_t i = 0; i < BELIEVE_VCPUS; i++)
		tiny_vcpu_free(&life->vcpus[i]);
	tiny_vm_free(&life->vm);
}
