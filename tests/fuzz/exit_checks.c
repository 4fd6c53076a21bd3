// SPDX-License-Identifier: GPL-2.0-only
/* Compares the effect of a guest's access with the expected one. */
#include <string.h>

#include "exit_scene.h"
#include "lib/judge/msr_filter.h"
#include "lib/policy/policy.h"
#include "lib/policy/registers.h"
#include "lib/vm/floor.h"
#include "lib/vm/init.h"

/* May the guest's write of this register have changed @old into @new? */
static void check_rule(const struct rule *rule, const struct judge_state *state,
		       uint64_t old, uint64_t new)
{
	if (rule->action == REGPIN_REPORT || rule->action == REGPIN_PAUSE)
		return;
	if (rule->type == RULE_DENY && rule->access & ACCESS_WRITE)
		REQUIRE(old == new);
	if (rule->type == RULE_UNIFORM && state->uniform_known)
		REQUIRE(old == new || new == state->uniform);
	if (!state->armed)
		return;
	if (rule->type == RULE_STICKY)
		REQUIRE(!(old & ~new & rule->mask));
	if (rule->type == RULE_NEVER)
		REQUIRE(!(~old & new & rule->mask));
	if (rule->type == RULE_FROZEN)
		REQUIRE(!((old ^ new) & rule->mask));
	if (rule->type == RULE_ONCE && state->setup_done)
		REQUIRE(old == new || new == state->once);
	else if (rule->type == RULE_ONCE && old && !state->leftover)
		REQUIRE(old == new);
}

static void check_pins(const struct attempt *a)
{
	int slot = toy_slot(a->access.index);

	for (uint32_t i = 0; slot >= 0 && i < a->policy->nr_rules; i++) {
		const struct rule *rule = &a->policy->rules[i];

		if ((!rule->when || a->hold >> (rule->when - 1) & 1) &&
		    rule_covers(rule, REGPIN_MSR, a->access.index))
			check_rule(rule, &a->state, a->vcpu.msrs[slot],
				   toy.vcpus[story.now].msrs[slot]);
	}
}

static unsigned int ticket_for(const struct access *access, uint64_t proposed)
{
	const struct regpin_event *held = &story.held[story.now];
	bool same = held->index == access->index &&
		    held->write == access->write &&
		    held->old_value == access->old_value &&
		    held->new_value == (access->write ? proposed :
							access->old_value) &&
		    held->rip == toy.exits[story.now].rip;

	return same ? story.answers[story.now] : REGPIN_ACTION_MAX;
}

/* Finds the expected effect under the policy in force, or under the @other one. */
static void look(struct attempt *a, uint32_t index, bool write, uint64_t value,
		 bool other)
{
	const struct msr_filter *vmm = atomic_load(&vm->filters.vmm);
	const struct toy_vcpu *vcpu = &toy.vcpus[story.now];
	int slot = toy_slot(index);

	*a = (struct attempt){
		.policy = &policies[story.in_force ^ other],
		.vmm = vmm ? &vmm->filter : NULL,
		.vmm_mask = story.vmm_mask,
		.vcpu = *vcpu, .proposed = value,
		.nested = runs[story.now].flags & TOY_NESTED,
		.access = { .write = write, .index = index },
	};
	a->hold = story_holds(toy.amd, toy.signature);
	if (write && slot >= 0)
		a->access.old_value = oracle_effective(vcpu, index,
						       vcpu->msrs[slot]);
	else if (!write)
		toy_read(vcpu, index, true, &a->access.old_value);
	if (write)
		a->access.new_value = oracle_effective(vcpu, index, value);
	floor_judge_state(vcpus[story.now], &a->access, &a->state);
	a->ticket = ticket_for(&a->access, value);
}

/* The register's value afterwards, or 0 if KVM has no such register. */
static bool value_fits(const struct regpin_event *event, const struct rule *rule,
		       const struct expected *e)
{
	int slot = toy_slot(event->index);

	if (!event->write || e->outcome == OUT_VMM)
		return true;
	if (rule->type == RULE_UNKNOWN)
		return !event->value;
	return event->value == (slot < 0 || slot >= TOY_REPLAY ?
				event->old_value : e->vcpu.msrs[slot]);
}

/* The expected events must come once each, in any order. */
static void check_events(const struct attempt *a, const struct expected *e)
{
	REQUIRE(story.nr_events == e->nr);
	for (unsigned int i = 0; i < e->nr; i++) {
		const uint32_t rule = (uint32_t)(e->rules[i] - a->policy->rules);
		const struct regpin_event *event = &story.events[0];

		for (unsigned int j = 0; j < e->nr; j++)
			if (story.events[j].rule == rule)
				event = &story.events[j];
		REQUIRE(event->rule == rule && event->policy == a->policy->number);
		REQUIRE(!e->bits[i] || event->bits == e->bits[i]);
		REQUIRE(event->action == e->actions[i] && event->bits &&
			event->kind == REGPIN_MSR && event->vcpu == story.now);
		REQUIRE(event->index == a->access.index &&
			event->write == a->access.write && event->has_rip);
		REQUIRE(!a->access.write || event->new_value == a->proposed);
		REQUIRE(value_fits(event, e->rules[i], e));
	}
}

/*
 * Returns how the exit ended; @ours is regpin's return value, true if the exit was its
 * own.
 */
static enum outcome outcome_of(bool ours, uint64_t rip)
{
	const struct kvm_run *run = &runs[story.now];
	bool msr = run->exit_reason == KVM_EXIT_X86_RDMSR ||
		   run->exit_reason == KVM_EXIT_X86_WRMSR;

	if (!ours) {
		REQUIRE(msr && toy.exits[story.now].pending);
		return OUT_VMM;
	}
	if (msr) {
		REQUIRE(run->msr.error <= 1 && toy.exits[story.now].pending);
		return run->msr.error ? OUT_GP : OUT_DONE;
	}
	/* After a retract nothing of the access is left in KVM. */
	REQUIRE(run->exit_reason == KVM_EXIT_INTR);
	REQUIRE(!toy.exits[story.now].pending);
	REQUIRE(toy.exits[story.now].rip == rip && !run->immediate_exit);
	switch (regpin_vcpu_enter(vcpus[story.now])) {
	case REGPIN_HELD:
		return OUT_HELD;
	case REGPIN_STOPPED:
		return OUT_STOPPED;
	}
	return OUT_AGAIN;
}

/* The VMM answers its own exit with a #GP. */
static void vmm_refuses(void)
{
	struct kvm_run *run = &runs[story.now];

	if (run->exit_reason == KVM_EXIT_X86_RDMSR ||
	    run->exit_reason == KVM_EXIT_X86_WRMSR)
		run->msr.error = 1;
}

static void check_vmms(const struct attempt *a, const struct expected *e)
{
	const struct kvm_run *run = &runs[story.now];

	REQUIRE(run->exit_reason == (a->access.write ? KVM_EXIT_X86_WRMSR :
						       KVM_EXIT_X86_RDMSR));
	REQUIRE(run->msr.index == a->access.index);
	vmm_refuses();
	if (e->outcome == OUT_FOREIGN)
		return;
	REQUIRE(run->msr.reason == e->reason);
	REQUIRE(!a->access.write || run->msr.data == e->value);
}

/* Handles an exit, for @reason. */
static void check_exit(struct attempt *a, uint32_t reason, bool honest)
{
	const struct toy before = toy;
	enum outcome outcome;
	struct expected e;

	/* Without rules all exits are the VMM's; so are those for unknown reasons. */
	oracle_exit(a, vm->filters.msrs_wanted ? reason : 0, &e);
	/* Only KVM may retry forever; with an old filter the retries end soon. */
	REQUIRE(e.outcome != OUT_AGAIN || !honest || story.swapping);
	story.nr_events = 0;
	outcome = outcome_of(regpin_vcpu_exit(vcpus[story.now]),
			     before.exits[story.now].rip);
	REQUIRE(outcome == e.outcome ||
		(outcome == OUT_VMM && e.outcome == OUT_FOREIGN));
	if (outcome == OUT_VMM)
		check_vmms(a, &e);
	if (outcome == OUT_DONE && !a->access.write)
		REQUIRE(runs[story.now].msr.data == e.value);
	if (outcome == OUT_HELD)
		story.held[story.now] = story.events[0];
	if (e.ticket || outcome == OUT_HELD)
		story.answers[story.now] = REGPIN_ACTION_MAX;
	check_events(a, &e);
	REQUIRE(!memcmp(&toy.vcpus[story.now], &e.vcpu, sizeof(e.vcpu)));
}

/* If regpin can neither ask nor act, nothing changes and no value is revealed. */
static void check_failing_exit(const struct attempt *a)
{
	const struct kvm_run *run = &runs[story.now];
	int ours = regpin_vcpu_exit(vcpus[story.now]);

	if (!ours)
		vmm_refuses();
	REQUIRE(!memcmp(&toy.vcpus[story.now], &a->vcpu, sizeof(a->vcpu)));
	if (ours && run->exit_reason == KVM_EXIT_X86_RDMSR &&
	    !run->msr.error)
		REQUIRE(oracle_gives(a, run->msr.data));
	REQUIRE(run->msr.error <= 1);
	/* The answer is used up if the access is the one that was held. */
	if (vcpus[story.now]->hold.ticket == REGPIN_ACTION_MAX)
		story.answers[story.now] = REGPIN_ACTION_MAX;
}

/* KVM did the access, so one of the policies must allow it. */
static bool explains(const struct attempt *a, bool gp, uint64_t value)
{
	struct expected e;

	oracle_free(a, &e);
	return e.outcome == (gp ? OUT_GP : OUT_DONE) && !e.nr &&
	       (gp || a->access.write || e.value == value) &&
	       !memcmp(&toy.vcpus[story.now], &e.vcpu, sizeof(e.vcpu));
}

/* With any reason, since KVM may refuse the write. */
static bool will_exit(uint32_t index, uint64_t value)
{
	const struct kvm_run run = runs[story.now];
	const struct toy before = toy;
	bool gp, exits = !toy_guest(story.now, index, true, &value, &gp);

	toy = before;
	runs[story.now] = run;
	return exits;
}

/*
 * EFER is empty and the guest starts again with it. regpin takes that for an INIT if a
 * guest could not have cleared EFER, and reports the INIT before it judges the write.
 */
static void report_init(uint32_t index, bool write, uint64_t value)
{
	uint64_t efer = toy.vcpus[story.now].msrs[toy_slot(MSR_EFER)];
	struct attempt a;

	look(&a, index, write, 0, false);
	if (index == MSR_EFER && write && !toy.fails &&
	    vm->filters.msrs_wanted && oracle_wants(&a) &&
	    will_exit(index, value))
		init_find_in_efer(vcpus[story.now], efer);
}

static void check_vcpu(const struct attempt *a, const struct toy_vcpu *other,
		       bool write)
{
	REQUIRE(!memcmp(&toy.vcpus[!story.now], other, sizeof(*other)));
	if (write)
		check_pins(a);
	/* Once a vCPU is armed, the guest cannot undo that. */
	REQUIRE(!a->state.armed ||
		phase_pinned(vcpus[story.now]->life.phase));
	REQUIRE(!a->state.setup_done ||
		vcpus[story.now]->life.phase == PHASE_READY);
}

void guest_access(uint32_t index, bool write, uint64_t value)
{
	const struct toy_vcpu other = toy.vcpus[!story.now];
	struct attempt a, by_other;
	uint64_t got = value;
	bool gp;

	if (!scene_enter())
		return;
	report_init(index, write, value);
	look(&a, index, write, value, false);
	look(&by_other, index, write, value, true);
	if (!toy_guest(story.now, index, write, &got, &gp)) {
		if (toy.fails)
			check_failing_exit(&a);
		else
			check_exit(&a, runs[story.now].msr.reason, true);
	} else {
		REQUIRE(!vm->filters.msrs_wanted || explains(&a, gp, got) ||
			(story.swapping && explains(&by_other, gp, got)));
	}
	check_vcpu(story.swapping ? &by_other : &a, &other, false);
	if (!story.swapping)
		check_vcpu(&a, &other, write);
}

/*
 * An access by another thread, while KVM has a part of one policy and a part of the
 * other.
 */
static struct between {
	struct attempt by_new, by_old;
} between;

static void guest_between(void)
{
	const struct access *access = &between.by_new.access;
	const struct kvm_run run = runs[story.now];
	const struct toy before = toy;
	uint64_t got = between.by_new.proposed;
	bool gp;

	/* An exit is judged by the new policy, as always. */
	if (toy_guest(story.now, access->index, access->write, &got, &gp))
		REQUIRE(explains(&between.by_new, gp, got) ||
			explains(&between.by_old, gp, got));
	toy = before;
	runs[story.now] = run;
}

void follow_policy(uint32_t index, bool write, uint64_t value)
{
	if (vm->filters.msrs_wanted && scene_enter()) {
		look(&between.by_new, index, write, value, false);
		look(&between.by_old, index, write, value, true);
		toy_changed = guest_between;
	}
	REQUIRE(!regpin_vm_policy_done(vm));
	REQUIRE(!vm->filters.msrs_wanted ||
		toy.mask == (story.vmm_mask |
			     oracle_reasons(&policies[story.in_force])));
	toy_changed = NULL;
	story.swapping = false;
}

/* An exit with any contents; this KVM would not make most of them. */
void forged_exit(uint32_t index, bool write, uint64_t value)
{
	static const uint32_t reasons[] = { 1, 2, 4, 8, 0, 3, 6, 7, ~0u };
	const struct toy_vcpu other = toy.vcpus[!story.now];
	struct kvm_run *run = &runs[story.now];
	struct attempt a;

	/* A write of EFER may reveal an INIT: see report_init(). */
	if ((index == MSR_EFER && write) || !scene_enter())
		return;
	run->exit_reason = write ? KVM_EXIT_X86_WRMSR : KVM_EXIT_X86_RDMSR;
	run->msr.reason = reasons[story_number(9)];
	run->msr.index = index;
	run->msr.data = write ? value : TOY_POISON_DATA;
	run->msr.error = TOY_POISON_ERROR;
	toy.exits[story.now].pending = true;
	look(&a, index, write, value, false);
	if (toy.fails)
		check_failing_exit(&a);
	else
		check_exit(&a, run->msr.reason, false);
	check_vcpu(&a, &other, write);
}
