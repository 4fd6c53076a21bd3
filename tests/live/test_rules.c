// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every rule with every action, in a real guest: what it sees, the register's value
 * afterwards, and the one event.
 */
#include <inttypes.h>

#include "lib/judge/judge.h"
#include "lib/policy/policy.h"
#include "lib/policy/registers.h"
#include "scene.h"

#define KERNEL		0xffffffff81000000ull	/* entry points */
#define OTHER		0xffffffff80000000ull
#define EFER_ON		0xd01ull		/* NXE, LMA, LME, SCE */

/**
 * struct row - a write that violates a rule
 * @type: enum rule_type
 * @index: MSR
 * @mask: of the rule
 * @first: the value that the guest writes before it arms
 * @second: the value that it tries to write then
 * @bits: the bits that violate the rule
 */
struct row {
	unsigned int type;
	uint32_t index;
	uint64_t mask, first, second, bits;
};

static const struct row rows[] = {
	{ RULE_STICKY, MSR_EFER, EFER_NXE, EFER_ON, 0x501, 0x800 },
	{ RULE_STICKY, MSR_EFER, ALL, EFER_ON, 0x500, 0x801 },
	{ RULE_STICKY, MSR_EFER, EFER_NXE, EFER_ON, 0x500, 0x800 },
	{ RULE_STICKY, MSR_LSTAR, ALL, KERNEL, OTHER, 0x1000000 },
	{ RULE_STICKY, MSR_CSTAR, ALL, KERNEL, OTHER, 0x1000000 },
	{ RULE_STICKY, MSR_STAR, 1ull << 63, 1ull << 63 | 1, 2, 1ull << 63 },
	{ RULE_STICKY, MSR_SFMASK, 0x200, 0x47700, 0x47500, 0x200 },
	{ RULE_STICKY, MSR_PAT, ALL, 0x0007040600070406, 0x0007040600070400,
	  6 },
	{ RULE_STICKY, MSR_SYSENTER_CS, ALL, 0x10, 1, 0x10 },
	{ RULE_STICKY, MSR_SYSENTER_EIP, ALL, 0x81000000, 0x80000000,
	  0x1000000 },
	{ RULE_STICKY, MSR_SYSENTER_ESP, ALL, 0x81000000, 0, 0x81000000 },
	{ RULE_NEVER, MSR_EFER, EFER_NXE, 0x501, EFER_ON, 0x800 },
	{ RULE_NEVER, MSR_EFER, ALL, 0x500, EFER_ON, 0x801 },
	{ RULE_NEVER, MSR_LSTAR, 0x1000000, OTHER, KERNEL, 0x1000000 },
	{ RULE_NEVER, MSR_STAR, ALL, 1, 2, 2 },
	{ RULE_NEVER, MSR_PAT, 0xff, 0x0007040600070400, 0x0007040600070406,
	  6 },
	{ RULE_FROZEN, MSR_EFER, EFER_NXE | EFER_SCE, 0x501, 0xd00, 0x801 },
	{ RULE_FROZEN, MSR_LSTAR, ALL, KERNEL, OTHER, 0x1000000 },
	{ RULE_FROZEN, MSR_LSTAR, ALL, OTHER, KERNEL, 0x1000000 },
	{ RULE_FROZEN, MSR_CSTAR, 3, 0x1001, 0x1002, 3 },
	{ RULE_FROZEN, MSR_SFMASK, ALL, 0x200, 0x100, 0x300 },
	{ RULE_FROZEN, MSR_SYSENTER_CS, ALL, 0x10, 0x20, 0x30 },
	{ RULE_ONCE, MSR_LSTAR, ALL, KERNEL, OTHER, ALL },
	{ RULE_ONCE, MSR_LSTAR, ALL, KERNEL, 0, ALL },
	{ RULE_ONCE, MSR_STAR, ALL, 0x0023001000000000, 1, ALL },
	{ RULE_ONCE, MSR_CSTAR, ALL, 0, KERNEL, ALL },	/* closed when 0 */
	{ RULE_ONCE, MSR_SFMASK, ALL, 0x47700, 0x700, ALL },
	{ RULE_ONCE, MSR_SYSENTER_EIP, ALL, 0, 0x1000, ALL },
	{ RULE_UNIFORM, MSR_LSTAR, ALL, KERNEL, OTHER, ALL },
	{ RULE_UNIFORM, MSR_STAR, ALL, 0, 1, ALL },
	{ RULE_UNIFORM, MSR_EFER, ALL, EFER_ON, 0x501, ALL },
	{ RULE_UNIFORM, MSR_PAT, ALL, 0x0407050600070106, 0, ALL },
	{ RULE_DENY, MSR_STAR, ALL, 0, 5, ALL },
	{ RULE_DENY, MSR_PAT, ALL, 0x0007040600070406, 0x0007040600070406,
	  ALL },
};

/* The guest's own writes before @second. */
static void set_up(struct scene *s, const struct row *row)
{
	struct tiny_vcpu *vcpu = &s->vcpu[0];
	bool silent;

	if (row->type == RULE_DENY) {
		tiny_set_msr(vcpu, row->index, row->first);
	} else if (row->index != MSR_LSTAR && row->index != MSR_SFMASK) {
		/* The guest is not armed, so the write is allowed. */
		tiny_wrmsr(vcpu, row->index, row->second);
		tiny_wrmsr(vcpu, row->index, row->first);
	}
	/* frozen applies from arming on, so the value must be set before that. */
	if (row->index == MSR_SFMASK && row->type == RULE_FROZEN)
		tiny_wrmsr(vcpu, MSR_SFMASK, row->first);
	silent = scene_silent(s);
	tiny_wrmsr(vcpu, MSR_LSTAR,
		   row->index == MSR_LSTAR ? row->first : KERNEL);
	/* Without a pin LSTAR is not filtered. */
	ok(silent && (row->type == RULE_DENY ? scene_silent(s) :
		      scene_only(s, REGPIN_EVENT_ARMED)),
	   "the write is free before arming, and the guest arms once");
	tiny_wrmsr(vcpu, MSR_SFMASK,
		   row->index == MSR_SFMASK ? row->first : 0x47700);
	ok(scene_silent(s), "the set-up makes no event");
}

static uint64_t expected(const struct row *row, unsigned int action)
{
	switch (action) {
	case REGPIN_REPORT:
		return row->second;
	case REGPIN_MASK:
		return (row->second & ~row->bits) | (row->first & row->bits);
	default:
		return row->first;
	}
}

static void check_event(struct scene *s, const struct row *row,
			unsigned int action, uint64_t holds)
{
	const struct regpin_event *e = &s->events[0];

	/*
	 * PVM, a KVM in software, executes the WRMSR a second time if EFER was changed
	 * in between; the second write has the value that the register already has.
	 */
	ok(s->nr_events == 1 ||
	   (s->nr_events == 2 && row->index == MSR_EFER &&
	    action == REGPIN_REPORT && e[1].old_value == row->second &&
	    e[1].new_value == row->second), "the violation is one event");
	ok(e->type == REGPIN_EVENT_VIOLATION && e->vm == SCENE_VM &&
	   e->vcpu == 0 && e->rule == 0 && e->kind == REGPIN_MSR &&
	   e->index == row->index && e->write == 1 && e->action == action &&
	   e->time && !e->detail,
	   "the event has the right vm, vcpu, rule, register and action");
	ok(e->old_value == row->first && e->new_value == row->second &&
	   e->bits == row->bits && e->value == holds,
	   "the event has the right values: old 0x%llx new 0x%llx bits 0x%llx now 0x%llx",
	   e->old_value, e->new_value, e->bits, e->value);
	ok(e->has_rip == 1 && e->rip == TINY_WRMSR && e->cpl == 0,
	   "the event has the right place: rip 0x%llx, cpl %u", e->rip, e->cpl);
	s->nr_events = 0;
}

static void test_row(const struct row *row, unsigned int action)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);
	uint64_t holds = expected(row, action), seen = 0;
	struct tiny_vcpu *vcpu;
	struct scene s;
	int outcome;

	printf("# %s %s, action %s\n", rule_type_names[row->type],
	       regpin_register_name(REGPIN_MSR, row->index),
	       regpin_action_names[action]);
	add_pin(policy, row->type, row->index, row->mask, action);
	scene_open(&s, policy, 1, TINY_LONG);
	vcpu = &s.vcpu[0];
	set_up(&s, row);

	outcome = tiny_wrmsr(vcpu, row->index, row->second);
	ok(outcome == (action == REGPIN_GP ? TINY_GP : 0), "the guest %s",
	   outcome == TINY_GP ? "gets #GP" : "continues");
	check_event(&s, row, action, holds);
	tiny_rdmsr(vcpu, row->index, &seen);
	ok(seen == holds && scene_msr(vcpu, row->index) == holds,
	   "the register's value is 0x%" PRIx64, seen);
	if (row->type != RULE_DENY)
		ok(!tiny_wrmsr(vcpu, row->index, holds) || action ==
		   REGPIN_REPORT, "the same value again is no violation");
	ok(action == REGPIN_REPORT || row->type == RULE_DENY ||
	   scene_silent(&s), "the same value again makes no event");
	scene_close(&s);
}

/* Reads are judged by `deny`, and answered by `value`. */
static void test_reads(void)
{
	static const uint32_t msrs[] = { MSR_STAR, 0x8b, 0xc0010114 };
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);
	struct rule value = {
		.mask = ALL, .value = 0x123456789abcdef0, .index = 0x17,
		.count = 1, .line = 9, .kind = REGPIN_MSR, .type = RULE_VALUE,
		.action = REGPIN_GP, .access = ACCESS_READ,
	};
	struct tiny_vcpu *vcpu;
	uint64_t seen = 1;
	struct scene s;

	add_deny(policy, MSR_STAR, 1, ACCESS_READ, REGPIN_REPORT);
	add_deny(policy, 0x8b, 1, ACCESS_READ | ACCESS_WRITE, REGPIN_DROP);
	add_deny(policy, 0xc0010110, 8, ACCESS_READ, REGPIN_GP);
	policy_add(policy, &value);
	scene_open(&s, policy, 1, TINY_LONG);
	vcpu = &s.vcpu[0];
	tiny_set_msr(vcpu, MSR_STAR, 0x77);

	ok(!tiny_rdmsr(vcpu, msrs[0], &seen) && seen == 0x77,
	   "a reported read gives the register's value");
	ok(s.nr_events == 1 && s.events[0].value == 0x77 &&
	   s.events[0].write == 0 && s.events[0].rip == TINY_RDMSR &&
	   s.events[0].action == REGPIN_REPORT, "a reported read is an event");
	s.nr_events = 0;
	ok(!tiny_wrmsr(vcpu, msrs[0], 0x78) && scene_silent(&s) &&
	   scene_msr(vcpu, MSR_STAR) == 0x78, "a rule on reads does not apply to writes");
	seen = 1;
	ok(!tiny_rdmsr(vcpu, msrs[1], &seen) && seen == 0,
	   "a dropped read gives 0");
	ok(scene_only(&s, REGPIN_EVENT_VIOLATION), "a dropped read is an event");
	ok(!tiny_wrmsr(vcpu, msrs[1], 5) &&
	   scene_only(&s, REGPIN_EVENT_VIOLATION), "a dropped write");
	ok(tiny_rdmsr(vcpu, msrs[2], &seen) == TINY_GP &&
	   scene_only(&s, REGPIN_EVENT_VIOLATION), "a denied read within a range is #GP");
	seen = 0;
	ok(!tiny_rdmsr(vcpu, 0x17, &seen) && seen == value.value &&
	   scene_silent(&s), "a read that `value` answers is no event");
	scene_close(&s);
}

/* Several rules on one register: the strictest decides, masks still hold. */
static void test_together(void)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);
	struct tiny_vcpu *vcpu;
	struct scene s;

	add_pin(policy, RULE_STICKY, MSR_SFMASK, 0x0ff, REGPIN_REPORT);
	add_pin(policy, RULE_NEVER, MSR_SFMASK, 0xf00, REGPIN_MASK);
	add_pin(policy, RULE_FROZEN, MSR_SFMASK, 0xf000, REGPIN_GP);
	scene_open(&s, policy, 1, TINY_LONG);
	vcpu = &s.vcpu[0];
	tiny_wrmsr(vcpu, MSR_SFMASK, 0x10f1);
	tiny_wrmsr(vcpu, MSR_LSTAR, KERNEL);
	s.nr_events = 0;
	ok(!tiny_wrmsr(vcpu, MSR_SFMASK, 0x1fe2) &&
	   scene_msr(vcpu, MSR_SFMASK) == 0x10e2,
	   "one bit is reported and four are kept: 0x%" PRIx64,
	   scene_msr(vcpu, MSR_SFMASK));
	ok(s.nr_events == 2 && s.events[0].action == REGPIN_MASK &&
	   s.events[0].bits == 0xf00, "the mask makes one event");
	ok(s.events[1].action == REGPIN_REPORT && s.events[1].bits == 0x11 &&
	   s.events[1].rule != s.events[0].rule &&
	   s.events[1].value == 0x10e2, "the report makes one event");
	s.nr_events = 0;
	ok(tiny_wrmsr(vcpu, MSR_SFMASK, 0x2fe0) == TINY_GP &&
	   scene_msr(vcpu, MSR_SFMASK) == 0x10e2, "the rule on the frozen bits decides");
	ok(s.events[0].action == REGPIN_GP && s.events[0].bits == 0x3000 &&
	   scene_only(&s, REGPIN_EVENT_VIOLATION), "there is one event, with #GP");
	scene_close(&s);
}

/**
 * struct pair - two rules that one write violates
 * @a, @b: their actions
 * @nr: the expected number of events
 */
struct pair {
	unsigned int a, b, nr;
};

static bool has_event(const struct scene *s, uint32_t rule, uint64_t bits,
		      unsigned int action)
{
	for (unsigned int i = 0; i < s->nr_events; i++) {
		const struct regpin_event *e = &s->events[i];

		if (e->rule == rule && e->bits == bits && e->action == action)
			return true;
	}
	return false;
}

/* One write clears a sticky bit and sets one that must never be set. */
static void test_pair(const struct pair *pair)
{
	unsigned int most = pair->a > pair->b ? pair->a : pair->b;
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);
	struct scene s;

	printf("# %s and %s\n", regpin_action_names[pair->a],
	       regpin_action_names[pair->b]);
	add_pin(policy, RULE_STICKY, MSR_STAR, 1ull << 40, pair->a);
	add_pin(policy, RULE_NEVER, MSR_STAR, 1ull << 41, pair->b);
	scene_open(&s, policy, 1, TINY_LONG);
	tiny_wrmsr(&s.vcpu[0], MSR_STAR, 1ull << 40);
	tiny_wrmsr(&s.vcpu[0], MSR_LSTAR, KERNEL);
	s.nr_events = 0;
	tiny_wrmsr(&s.vcpu[0], MSR_STAR, 1ull << 41);
	ok(s.nr_events == pair->nr, "%u events: %u", pair->nr, s.nr_events);
	if (pair->nr == 1)
		ok(s.events[0].action == most, "the stricter of the two rules decides");
	else
		ok(has_event(&s, 0, 1ull << 40, most == REGPIN_PAUSE ?
			     most : pair->a) &&
		   has_event(&s, 1, 1ull << 41, most == REGPIN_PAUSE ?
			     most : pair->b),
		   "each rule that allows the write, or whose verdict an answer may override, makes one event");
	scene_close(&s);
}

static void test_pairs(void)
{
	static const struct pair pairs[] = {
		{ REGPIN_REPORT, REGPIN_REPORT, 2 },
		{ REGPIN_REPORT, REGPIN_MASK, 2 },
		{ REGPIN_MASK, REGPIN_REPORT, 2 },
		{ REGPIN_MASK, REGPIN_MASK, 2 },
		{ REGPIN_REPORT, REGPIN_PAUSE, 2 },
		{ REGPIN_PAUSE, REGPIN_GP, 2 },
		{ REGPIN_GP, REGPIN_REPORT, 1 },
		{ REGPIN_MASK, REGPIN_DROP, 1 },
		{ REGPIN_GP, REGPIN_GP, 1 },
		{ REGPIN_STOP, REGPIN_REPORT, 1 },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		test_pair(&pairs[i]);
}

/* A write that fails without regpin also fails with it, however mild the action. */
static void test_refused_value(void)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);
	struct scene s;

	add_pin(policy, RULE_FROZEN, MSR_LSTAR, ALL, REGPIN_REPORT);
	scene_open(&s, policy, 1, TINY_LONG);
	tiny_wrmsr(&s.vcpu[0], MSR_LSTAR, KERNEL);
	s.nr_events = 0;
	ok(tiny_wrmsr(&s.vcpu[0], MSR_LSTAR, 1ull << 60) == TINY_GP,
	   "a reported write of a non-canonical address is a #GP");
	ok(s.events[0].value == KERNEL &&
	   scene_only(&s, REGPIN_EVENT_VIOLATION),
	   "its event has the register's value");
	scene_close(&s);
}

/* KVM makes these canonical: it copies bit 47 to bit 63. */
static void test_canonical(void)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);
	const uint64_t cut = 0xffff000081000000;
	struct scene s;

	add_pin(policy, RULE_STICKY, MSR_SYSENTER_EIP, 1ull << 63, REGPIN_GP);
	scene_open(&s, policy, 1, TINY_LONG);
	tiny_wrmsr(&s.vcpu[0], MSR_SYSENTER_EIP, KERNEL);
	tiny_wrmsr(&s.vcpu[0], MSR_LSTAR, KERNEL);
	s.nr_events = 0;
	if (scene_msr(&s.vcpu[0], MSR_SYSENTER_EIP) != KERNEL) {
		tap_skip("SYSENTER_EIP", "this KVM keeps its low half only");
	} else {
		tiny_wrmsr(&s.vcpu[0], MSR_SYSENTER_EIP, cut);
		ok(scene_msr(&s.vcpu[0], MSR_SYSENTER_EIP) >> 63,
		   "a sticky bit 63 cannot be cleared through bit 47");
	}
	scene_close(&s);
}

int main(void)
{
	const char *why_not = tiny_why_not();

	if (why_not)
		tap_skip_all(why_not);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (unsigned int action = REGPIN_REPORT;
		     action <= REGPIN_GP; action++)
			if (rows[i].type != RULE_DENY || action != REGPIN_MASK)
				test_row(&rows[i], action);
	test_reads();
	test_together();
	test_pairs();
	test_refused_value();
	test_canonical();
	return tap_done();
}
