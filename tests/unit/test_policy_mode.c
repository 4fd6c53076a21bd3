// SPDX-License-Identifier: GPL-2.0-only
/* A policy's own mode, and the operator's mode that replaces it. */
#include "cm.h"

#include <errno.h>
#include <string.h>

#include "agent/pauses.h"
#include "policy/policy_mode.h"
#include "policy/effective.h"
#include "policy/policy_written.h"

static struct policy_written written;
static struct regpin_policy policy;
static struct problems problems;

static int forget(void **state)
{
	policy_forget(&written);
	return 0;
}

static int read_as(const char *text, enum policy_mode mode)
{
	policy_forget(&written);
	assert_int_equal(policy_keep(&written, "test.yaml", text, strlen(text)), 0);
	return policy_in_mode(&written, mode, NULL, &policy, &problems);
}

static enum policy_mode effective(enum policy_mode mode)
{
	return policy_effective(&policy, written.own, mode);
}

#define RULES(mode)							\
	"version: 1\n" mode						\
	"init: pause\ndetect: {every: 10ms, reaction: restore}\nrules:\n"	\
	"  - {register: EFER, sticky: [NXE]}\n"				\
	"  - {register: EFER, sticky: [SCE], action: report}\n"		\
	"  - {register: LSTAR, uniform: true, mode: report}\n"		\
	"  - {register: CR4, sticky: [SMEP], action: stop, optional: true}\n"	\
	"  - {register: 0x8b, value: 7}\n"					\
	"  - {register: 0x79, allow: write}\n"

/* The operator's mode has the same effect as the same mode in the policy. */
static void same_as_written(void **state)
{
	static struct regpin_policy other;

	assert_int_equal(read_as(RULES("mode: report\n"), MODE_POLICY), 0);
	assert_int_equal(written.own, MODE_REPORT);
	other = policy;
	assert_int_equal(read_as(RULES(""), MODE_REPORT), 0);
	assert_int_equal(written.own, MODE_ENFORCE);
	assert_int_equal(policy.nr_rules, other.nr_rules);
	for (uint32_t i = 0; i < policy.nr_rules; i++) {
		/* The rules are one line higher in this text. */
		other.rules[i].line--;
		assert_memory_equal(&policy.rules[i], &other.rules[i],
				    sizeof(policy.rules[i]));
	}
	assert_memory_equal(&policy.settings, &other.settings,
			    sizeof(policy.settings));
	assert_int_equal(policy.settings.init_action, REGPIN_REPORT);
	assert_int_equal(policy.settings.deadline_action, REGPIN_REPORT);
	assert_int_equal(policy.settings.detect_action, REGPIN_REPORT);
	assert_int_equal(effective(MODE_REPORT), MODE_REPORT);

	assert_int_equal(read_as(RULES(""), MODE_POLICY), 0);
	other = policy;
	assert_int_equal(read_as(RULES("mode: report\n"), MODE_ENFORCE), 0);
	assert_int_equal(written.own, MODE_REPORT);
	for (uint32_t i = 0; i < policy.nr_rules; i++) {
		other.rules[i].line++;
		assert_memory_equal(&policy.rules[i], &other.rules[i],
				    sizeof(policy.rules[i]));
	}
	assert_memory_equal(&policy.settings, &other.settings,
			    sizeof(policy.settings));
	assert_int_equal(policy.settings.init_action, REGPIN_PAUSE);
	assert_int_equal(effective(MODE_ENFORCE), MODE_ENFORCE);
}

static void tally(void **state)
{
	struct policy_tally n;
	char text[128];

	assert_int_equal(read_as(RULES(""), MODE_ENFORCE), 0);
	for (uint32_t i = 0; i < policy.nr_rules; i++)
		if (policy.rules[i].kind == REGPIN_CR4)
			policy.rules[i].flags |= RULE_DETECT;
	n = policy_tally(&policy, 3);
	/* `allow` is never violated; `value` answers in each mode. */
	assert_int_equal(n.rules, 8);
	assert_int_equal(n.enforced, 2);
	assert_int_equal(n.detected, 1);
	assert_int_equal(n.report, 2);
	assert_int_equal(n.left_out, 3);
	assert_string_equal(policy_tally_text(text, sizeof(text), &n),
			    "8 rules: 2 enforced, 1 detected, 2 report only, 3 left out");
	assert_string_equal(policy_mode_text(text, sizeof(text), &policy,
					     MODE_REPORT, MODE_ENFORCE),
			    "mode enforce by the operator (the policy says report)");
	assert_string_equal(policy_mode_text(text, sizeof(text), &policy,
					     MODE_ENFORCE, MODE_ENFORCE),
			    "mode enforce by the operator");
	assert_string_equal(policy_mode_text(text, sizeof(text), &policy,
					     MODE_ENFORCE, MODE_POLICY),
			    "mode enforce");
}

#define ALL_REPORT(more)						\
	"version: 1\n" more "rules:\n"					\
	"  - {register: EFER, sticky: [NXE], action: report}\n"		\
	"  - {register: LSTAR, uniform: true, mode: report}\n"		\
	"  - {register: 0x8b, value: 7}\n"					\
	"  - {register: 0x79, allow: write}\n"

static void in_vain(void **state)
{
	assert_int_equal(read_as(ALL_REPORT(""), MODE_ENFORCE), -ENOTSUP);
	assert_non_null(strstr(problems.list[problems.nr - 1].text, "would enforce nothing"));
	assert_int_equal(read_as(ALL_REPORT("mode: report\n"), MODE_ENFORCE),
			 -ENOTSUP);
	/* Without an operator's mode, the owner may use such a policy. */
	assert_int_equal(read_as(ALL_REPORT(""), MODE_POLICY), 0);
	/* A missed deadline holds a vCPU, so the policy does more than report. */
	assert_int_equal(effective(MODE_POLICY), MODE_ENFORCE);
	assert_int_equal(read_as(ALL_REPORT("floor: {action: report}\n"),
				 MODE_POLICY), 0);
	assert_int_equal(effective(MODE_POLICY), MODE_REPORT);
	assert_int_equal(read_as(ALL_REPORT("floor: {deadline: none}\n"),
				 MODE_POLICY), 0);
	assert_int_equal(effective(MODE_POLICY), MODE_REPORT);
}

/* A policy must be valid as it was written, and in the mode. */
static void refused(void **state)
{
	static const char hidden[] =
		"version: 1\nmode: report\nrules:\n"
		"  - {register: EFER, deny: write, action: mask}\n";
	static const char strict[] =
		"version: 1\nrules:\n  - {register: 0x79, deny: write}\n"
		"  - {register: 0x8c, deny: write}\n";

	assert_int_equal(read_as("version: 1\nrules:\n  - {register: NONE}\n",
				 MODE_REPORT), -EINVAL);
	assert_int_equal(read_as("", MODE_ENFORCE), -EINVAL);
	assert_int_equal(read_as(hidden, MODE_POLICY), 0);
	assert_int_equal(read_as(hidden, MODE_REPORT), 0);
	assert_int_equal(read_as(hidden, MODE_ENFORCE), -ENOTSUP);
	assert_int_equal(problems.list[0].line, 4);
	assert_int_equal(read_as(strict, MODE_POLICY), 0);
	assert_int_equal(read_as(strict, MODE_ENFORCE), 0);
	assert_int_equal(read_as(strict, MODE_REPORT), -ENOTSUP);
}

/* A rule's own mode is a warning only if the policy's mode overrides it. */
static void warnings(void **state)
{
	static const char text[] =
		"version: 1\nmode: report\nrules:\n"
		"  - {register: EFER, sticky: [NXE], mode: enforce}\n";

	assert_int_equal(read_as(text, MODE_POLICY), 0);
	assert_int_equal(problems.nr, 1);
	assert_int_equal(policy.rules[0].action, REGPIN_REPORT);
	assert_int_equal(read_as(text, MODE_ENFORCE), 0);
	assert_int_equal(problems.nr, 0);
	assert_int_equal(policy.rules[0].action, REGPIN_GP);
}

/* Violations that hold a vCPU, and answers. */
static void pauses(void **state)
{
	static struct pauses set;
	struct regpin_event event = { .vm = 1, .vcpu = 2 };

	memset(&set, 0, sizeof(set));
	assert_false(pauses_take(&set, &event));
	pauses_add(&set, &event);
	/*
	 * The same vCPU pauses again after a reset, which made the first answer
	 * unnecessary.
	 */
	pauses_add(&set, &event);
	event.vm = 0;
	assert_false(pauses_take(&set, &event));
	event.vm = 1;
	assert_true(pauses_take(&set, &event));
	assert_false(pauses_take(&set, &event));
	assert_int_equal(set.nr, 0);
	for (event.vcpu = 0; event.vcpu <= PAUSES_MAX; event.vcpu++)
		pauses_add(&set, &event);
	assert_int_equal(set.nr, PAUSES_MAX);
	event.vcpu = 0;
	assert_false(pauses_take(&set, &event));
	event.vcpu = PAUSES_MAX;
	assert_true(pauses_take(&set, &event));
}

/* The event that held a vCPU and the answer have a number in common. */
static void holds(void **state)
{
	static struct pauses set;
	struct regpin_event event = { .vcpu = 2, .rip = 0x1000 };

	assert_int_equal(pauses_hold(&set, &event, 5), 0);
	pauses_add(&set, &event);
	assert_int_equal(pauses_hold(&set, &event, 5), 5);
	/* The same access violates another rule. */
	pauses_add(&set, &event);
	assert_int_equal(pauses_hold(&set, &event, 6), 5);
	/* Another one, after a reset. */
	event.rip++;
	pauses_add(&set, &event);
	assert_int_equal(pauses_hold(&set, &event, 7), 7);
	event.type = REGPIN_EVENT_ANSWERED;
	assert_int_equal(pauses_hold(&set, &event, 0), 7);
	assert_true(pauses_take(&set, &event));
	assert_int_equal(pauses_hold(&set, &event, 0), 0);
	/* An event that is not a violation holds as well, and is not counted as one. */
	event.type = REGPIN_EVENT_DEADLINE;
	pauses_add(&set, &event);
	assert_int_equal(pauses_hold(&set, &event, 0), 0);
	assert_int_equal(pauses_hold(&set, &event, 9), 9);
	assert_false(pauses_take(&set, &event));
	assert_int_equal(set.nr, 0);
	/* Both events of a poll are about one hold; a later poll makes another one. */
	event.type = REGPIN_EVENT_DETECTED;
	event.detail = 10123;
	pauses_add(&set, &event);
	assert_int_equal(pauses_hold(&set, &event, 20), 20);
	event.kind = REGPIN_CR4;
	pauses_add(&set, &event);
	assert_int_equal(pauses_hold(&set, &event, 21), 20);
	event.detail++;
	pauses_add(&set, &event);
	assert_int_equal(pauses_hold(&set, &event, 22), 22);
}

/* The hold that a vCPU shows in shared memory is known once its events have been read. */
static void shown_holds(void **state)
{
	static struct pauses set;
	struct regpin_event event = { .vcpu = 2, .time = 100 }, shown = event;

	assert_int_equal(pauses_hold_of(&set, &shown), 0);
	pauses_add(&set, &event);
	assert_int_equal(pauses_hold_of(&set, &shown), 0);
	pauses_hold(&set, &event, 5);
	assert_int_equal(pauses_hold_of(&set, &shown), 5);
	/* The vCPU shows the last event of the access, and then the first one. */
	event.time = shown.time = 110;
	pauses_add(&set, &event);
	assert_int_equal(pauses_hold_of(&set, &shown), 5);
	shown.time = 100;
	assert_int_equal(pauses_hold_of(&set, &shown), 5);
	/* A newer hold is shown than the one that was read, or an older one. */
	shown.time = 111;
	assert_int_equal(pauses_hold_of(&set, &shown), 0);
	shown.time = 99;
	assert_int_equal(pauses_hold_of(&set, &shown), 0);
	shown = event;
	shown.vcpu = 3;
	assert_int_equal(pauses_hold_of(&set, &shown), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_as_written), cmocka_unit_test(tally),
		cmocka_unit_test(in_vain), cmocka_unit_test(refused),
		cmocka_unit_test(warnings), cmocka_unit_test(pauses),
		cmocka_unit_test(holds),
		cmocka_unit_test(shown_holds),
	};

	return cmocka_run_group_tests(tests, NULL, forget);
}
