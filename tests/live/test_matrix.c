// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every type of rule with every action that it may have, under every way of arming:
 * what the guest sees, the register's value afterwards, and the one event.
 */
#include <inttypes.h>

#include "lib/judge/judge.h"
#include "lib/policy/policy.h"
#include "lib/policy/registers.h"
#include "scene.h"

#define KERNEL		0xffffffff81000000ull
#define REQUEST		0x4b4d5300u
#define NOWHERE		0x12345678u
#define BAD_TYPE	0xffull
#define EFER_ON		0xd01ull

/**
 * struct kind - a rule, and an access that violates it once the vCPU is armed
 * @type: of the rule
 * @index: of the MSR
 * @mask: of the rule
 * @write: of the access
 * @first: the register's value before
 * @second: the value written
 * @masked: its value after REGPIN_MASK
 * @actions: one bit for each action that it may have
 */
struct kind {
	unsigned int type;
	uint32_t index;
	uint64_t mask;
	bool write;
	uint64_t first, second, masked;
	uint32_t actions;
};

#define A(action)	(1u << REGPIN_##action)
#define ANY		(A(REPORT) | A(MASK) | A(DROP) | A(GP) | A(PAUSE) | \
			 A(STOP))

static const struct kind kinds[] = {
	{ RULE_STICKY, MSR_EFER, EFER_NXE, true, EFER_ON, 0x500, 0xd00, ANY },
	{ RULE_NEVER, MSR_STAR, 2, true, 1, 6, 4, ANY },
	{ RULE_FROZEN, MSR_STAR, 3, true, 1, 6, 5, ANY },
	{ RULE_ONCE, MSR_CSTAR, ALL, true, 5, 6, 5, ANY },
	{ RULE_UNIFORM, MSR_CSTAR, ALL, true, 5, 6, 5, ANY },
	{ RULE_DENY, MSR_CSTAR, ALL, true, 5, 6, 5, ANY & ~A(MASK) },
	{ RULE_DENY, MSR_CSTAR, ALL, false, 5, 0, 5, ANY & ~A(MASK) },
	{ RULE_DENY, 0x2ff, ALL, true, 0, 6, 0, A(DROP) | A(GP) | A(STOP) },
	{ RULE_DENY, NOWHERE, ALL, false, 0, 0, 0, A(DROP) | A(GP) | A(STOP) },
	{ RULE_VALUE, MSR_CSTAR, ALL, false, 5, 0, 5, A(GP) },
	{ RULE_ALLOW, MSR_CSTAR, ALL, true, 5, 6, 6, A(GP) },
	{ RULE_REPORT, MSR_CSTAR, ALL, true, 5, 6, 6, A(REPORT) },
	{ RULE_REPORT, MSR_CSTAR, ALL, false, 5, 0, 5, A(REPORT) },
	{ RULE_DEFAULT, MSR_CSTAR, ALL, true, 5, 6, 5,
	  A(DROP) | A(GP) | A(STOP) },
	{ RULE_DEFAULT, MSR_CSTAR, ALL, false, 5, 0, 5,
	  A(DROP) | A(GP) | A(STOP) },
	{ RULE_UNKNOWN, NOWHERE, ALL, true, 0, 1, 0,
	  A(REPORT) | A(DROP) },
	{ RULE_UNKNOWN, NOWHERE, ALL, false, 0, 0, 0,
	  A(REPORT) | A(DROP) },
	{ RULE_INVALID, 0x2ff, ALL, true, 0, BAD_TYPE, 0,
	  A(REPORT) | A(DROP) },
};

static bool is_pin(const struct kind *k)
{
	return k->type < RULE_DENY;
}

static struct regpin_policy *kind_policy(const struct kind *k,
					 unsigned int arming,
					 unsigned int action)
{
	struct regpin_policy *policy = new_policy(arming);

	if (arming == ARM_REQUEST)
		policy->settings.request_msr = REQUEST;
	if (k->type == RULE_VALUE) {
		add_answer(policy, k->index, 0x77);
	} else if (k->type >= RULE_DEFAULT) {
		add_wide(policy, k->type, action, 0, 0);
	} else {
		add_pin(policy, k->type, k->index, k->mask, action);
		if (!is_pin(k))
			policy->rules[0].access = k->write ? ACCESS_WRITE :
							     ACCESS_READ;
	}
	/* Without a pin no vCPU arms. */
	add_pin(policy, RULE_STICKY, MSR_SFMASK, 1, REGPIN_GP);
	if (k->type == RULE_ALLOW)
		add_default(policy, ACCESS_READ | ACCESS_WRITE, REGPIN_STOP);
	if (k->type == RULE_ALLOW || k->type == RULE_DEFAULT) {
		add_pin(policy, RULE_STICKY, MSR_LSTAR, 1, REGPIN_GP);
		add_allow(policy, 0x800, 0x100, ACCESS_READ | ACCESS_WRITE);
	}
	return policy;
}

/* The registers as the guest's kernel leaves them, and armed. */
static void arm(struct scene *s, const struct kind *k, unsigned int arming)
{
	struct tiny_vcpu *vcpu = &s->vcpu[0];

	tiny_set_msr(vcpu, k->index, k->first);
	ok(!tiny_wrmsr(vcpu, MSR_LSTAR, KERNEL) &&
	   !tiny_wrmsr(vcpu, MSR_SFMASK, 0x47701),
	   "the kernel sets up its entry");
	if (arming == ARM_REQUEST)
		ok(!tiny_wrmsr(vcpu, REQUEST, 1), "the guest requests its pins");
	else if (arming == ARM_OPERATOR)
		ok(!regpin_vm_arm(s->vm.regpin), "the operator arms");
	ok(!tiny_wrmsr(vcpu, MSR_SFMASK, 0x47701), "the guest runs after that");
	ok(scene_count(s, REGPIN_EVENT_ARMED) == 1 && s->nr_events == 1,
	   "the vCPU is armed, and there is no other event");
	s->nr_events = 0;
}

static int try(struct tiny_vcpu *vcpu, const struct kind *k, uint64_t *value)
{
	return k->write ? tiny_wrmsr(vcpu, k->index, k->second) :
			  tiny_rdmsr(vcpu, k->index, value);
}

/* The end of the access for the guest. */
static int outcome_of(const struct kind *k, unsigned int action)
{
	if (k->type == RULE_VALUE || k->type == RULE_ALLOW)
		return 0;
	if (k->type > RULE_DEFAULT)
		return action == REGPIN_DROP ? 0 : TINY_GP;
	switch (action) {
	case REGPIN_GP:
		return TINY_GP;
	case REGPIN_PAUSE:
		return TINY_HELD;
	case REGPIN_STOP:
		return TINY_STOPPED;
	default:
		return 0;
	}
}

static uint64_t holds_after(const struct kind *k, unsigned int action)
{
	if (k->type == RULE_ALLOW)
		return k->second;
	if (!k->write || k->type > RULE_DEFAULT)
		return k->first;
	return action == REGPIN_REPORT ? k->second :
	       action == REGPIN_MASK ? k->masked : k->first;
}

static uint64_t read_value(const struct kind *k, unsigned int action)
{
	return k->type == RULE_VALUE ? 0x77 :
	       action == REGPIN_REPORT ? k->first : 0;
}

static bool event_right(struct scene *s, const struct kind *k,
			unsigned int action)
{
	const struct regpin_event *e = &s->events[0];

	if (k->type == RULE_VALUE || k->type == RULE_ALLOW)
		return !s->nr_events;
	return s->nr_events == 1 && e->type == REGPIN_EVENT_VIOLATION &&
	       e->rule < s->policy->nr_rules &&
	       s->policy->rules[e->rule].type == k->type &&
	       e->index == k->index && e->write == k->write &&
	       e->action == action && e->vcpu == 0 && e->vm == SCENE_VM &&
	       (!k->write || (e->new_value == k->second &&
			      e->old_value == k->first)) &&
	       e->has_rip && e->rip == (k->write ? TINY_WRMSR : TINY_RDMSR);
}

/* The operator answers the held vCPU with gp. */
static void answer(struct scene *s)
{
	ok(!regpin_vcpu_answer(s->vcpu[0].regpin, REGPIN_GP) &&
	   tiny_run(&s->vcpu[0]) == 0 &&
	   s->vcpu[0].run->exit_reason == KVM_EXIT_HLT,
	   "held, and answered with a #GP");
}

static void test_one(const struct kind *k, unsigned int arming,
		     unsigned int action)
{
	static const char *const armings[] = { "start", "syscall-entry",
					       "request", "operator" };
	uint64_t value = 0x55, seen;
	struct scene s;
	int outcome;

	scene_open(&s, kind_policy(k, arming, action), 1, TINY_LONG);
	arm(&s, k, arming);
	outcome = try(&s.vcpu[0], k, &value);
	ok(outcome == outcome_of(k, action) && event_right(&s, k, action),
	   "%s on 0x%x, %s, arming %s: ends with %d, and its event",
	   rule_type_names[k->type], k->index, regpin_action_names[action],
	   armings[arming], outcome);
	ok(k->write || outcome || value == read_value(k, action),
	   "a read gives 0x%" PRIx64, value);
	if (outcome == TINY_HELD)
		answer(&s);
	if (!tiny_get_msr(&s.vcpu[0], k->index, &seen))
		ok(seen == holds_after(k, action), "the register's value is 0x%" PRIx64, seen);
	scene_close(&s);
}

/* Before arming no pin holds; rules that are not pins always hold. */
static void test_before(const struct kind *k, unsigned int arming)
{
	unsigned int action = k->actions & A(GP) ? REGPIN_GP : REGPIN_REPORT;
	uint64_t value = 0x55;
	struct scene s;
	int outcome;

	if (arming == ARM_START)
		return;
	scene_open(&s, kind_policy(k, arming, action), 1, TINY_LONG);
	tiny_set_msr(&s.vcpu[0], k->index, k->first);
	outcome = try(&s.vcpu[0], k, &value);
	if (is_pin(k))
		ok(!outcome && !s.nr_events, "%s: writes are free before arming",
		   rule_type_names[k->type]);
	else
		ok(outcome == outcome_of(k, action) &&
		   event_right(&s, k, action),
		   "%s: the rule holds before arming", rule_type_names[k->type]);
	scene_close(&s);
}

int main(void)
{
	const char *why_not = tiny_why_not();

	if (why_not)
		tap_skip_all(why_not);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		for (unsigned int arming = 0; arming < ARM_MAX; arming++) {
			test_before(&kinds[i], arming);
			for (unsigned int a = 0; a < REGPIN_ACTION_MAX; a++)
				if (kinds[i].actions & (1u << a))
					test_one(&kinds[i], arming, a);
		}
	}
	return tap_done();
}
