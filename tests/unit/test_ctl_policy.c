// SPDX-License-Identifier: GPL-2.0-only
/* The agent's side of `regpin ctl`: policies, and modes. */
#include "agent/launch_state.h"
#include "agent/policies.h"
#include "agent/report.h"
#include "ctl_scene.h"
#include "lib/policy/blob.h"
#include "lib/policy/registers.h"
#include "lib/ring.h"

static const char text[] = "version: 1\nrules:\n  - register: EFER\n    sticky: [NXE, SCE]\n";

static void send_policy(int fd, const char *policy)
{
	char head[64];

	snprintf(head, sizeof(head), "policy size=%zu name=new.yaml\n",
		 strlen(policy));
	say(fd, head);
	say(fd, policy);
	/* The agent reads one part of it at a time. */
	for (size_t i = 0; i < strlen(policy) / CTL_LINE_MAX; i++)
		run();
}

static void policies(void **state)
{
	static struct regpin_policy opened;
	const struct control *control = &fake_control;
	int fd = client();

	send_policy(fd, text);
	hear(fd);
	assert_non_null(strstr(got, "data loosens: CR0 WP: clearing: pause -> free\n"));
	assert_non_null(strstr(got, "data tightens: EFER SCE: clearing: free -> gp\n"));
	assert_int_equal(lines("ok loosens="), 1);
	assert_int_equal(atomic_load(&control->request), 0);
	say(fd, "apply\n");
	assert_int_equal(control->command, CONTROL_POLICY);
	assert_int_equal(blob_open(control->blob, control->blob_size, &opened), 0);
	assert_string_equal(opened.source, "new.yaml");
	/* The policy is not in force before the VMM confirms it. */
	assert_string_equal(fake_launch.policy.source, "test.yaml");
	later(CTL_POLICY_MS - 1);
	fake_answer(0);
	run();
	expect_done(fd);
	assert_string_equal(fake_launch.policy.source, "new.yaml");
	say(fd, "apply\n");
	hear(fd);
	assert_int_equal(lines("error nothing "), 1);
	say(fd, "events last=1\n");
	hear(fd);
	assert_non_null(strstr(got, "\"command\":\"policy\",\"policy_file\":\"new.yaml\",\"loosens\":"));
	close(fd);
}

/* The @n-th line received, counted from 0. */
static const char *nth_line(unsigned int n)
{
	const char *line = got;

	while (n--)
		line = strchr(line, '\n') + 1;
	return line;
}

#define IS_LINE(n, text)	assert_memory_equal(nth_line(n), text, strlen(text))

/*
 * The changes that loosen the policy are in the first lines, before everything else
 * that its text causes: rules that tighten, warnings, rules that this host cannot
 * enforce.
 */
static void loosening_is_first(void **state)
{
	char new[32768] = "version: 1\nrules:\n";
	char many[32];
	int fd = client();

	fake_launch.host.cr_filter = false;
	for (int i = 0; i < 300; i++)
		snprintf(new + strlen(new), sizeof(new) - strlen(new),
			 "  - {register: 0x%x, deny: write}\n", 0x1000 + 2 * i);
	/* These rules cause a warning, and errors on a host that cannot enforce them. */
	strcat(new, "  - {register: TSC, deny: read}\n");
	for (int i = 0; i < 60; i++)
		snprintf(new + strlen(new), sizeof(new) - strlen(new),
			 "  - {register: CR4, sticky: [%d], optional: true}\n",
			 i);
	send_policy(fd, new);
	hear(fd);
	if (!lines("data summary: "))
		print_message("%.3000s\n", got);
	IS_LINE(0, "data summary: loosens 2, tightens ");
	IS_LINE(1, "data mode: enforce -> enforce, 0 of ");
	IS_LINE(2, "data loosens: CR0 WP: clearing: pause -> free\n");
	IS_LINE(3, "data loosens: EFER NXE: clearing: gp -> free\n");
	assert_int_equal(lines("data loosens: "), 2);
	assert_int_equal(lines("data degraded: "), 60);
	assert_true(lines("data new.yaml:") >= 1);
	assert_true(lines("data tightens: ") >= 300);
	snprintf(many, sizeof(many), "tightens=%u", lines("data tightens: "));
	assert_non_null(strstr(got, many));
	assert_null(strstr(got, "more changes"));
	close(fd);
}

static void bad_policies(void **state)
{
	int fd = client();

	send_policy(fd, "version: 1\nrules:\n  - register: EFER\n    stikcy: [NXE]\n");
	hear(fd);
	assert_non_null(strstr(got, "data new.yaml:4:5: error: "));
	assert_int_equal(lines("error rejected "), 1);
	say(fd, "apply\n");
	hear(fd);
	assert_int_equal(lines("error nothing "), 1);
	fake_launch.host.cr_filter = false;
	send_policy(fd, "version: 1\nrules:\n  - register: CR4\n    sticky: [SMEP]\n");
	hear(fd);
	assert_int_equal(lines("data new.yaml:4:5: 'sticky' on CR4 can't be enforced on this KVM: "), 1);
	assert_int_equal(lines("error rejected "), 1);
	/* The bytes after a refused head are a policy's text, not requests. */
	say(fd, "policy size=594433\ndisarm\n");
	hear(fd);
	assert_int_equal(lines("error syntax "), 1);
	assert_int_equal(atomic_load(&fake_control.request), 0);
	expect_closed(fd);
}

/* Two operators at once: the changes shown to the second one are no longer true. */
static void changed_meanwhile(void **state)
{
	int fd = client(), other = client();

	send_policy(fd, text);
	send_policy(other, text);
	hear(fd);
	hear(other);
	say(fd, "apply\n");
	say(other, "apply\n");
	fake_answer(0);
	run();
	expect_done(fd);
	hear(other);
	assert_int_equal(lines("error changed "), 1);
	/* A mode applies to the policy in force when its turn comes. */
	say(other, "mode to=report\n");
	hear(other);
	say(fd, "mode to=report\n");
	hear(fd);
	fake_answer(0);
	run();
	expect_done(other);
	assert_string_equal(fake_launch.policy.source, "new.yaml");
	fake_answer(0);
	run();
	expect_done(fd);
	assert_int_equal(fake_launch.mode, MODE_REPORT);
	/* The next request discards the policy that was shown. */
	send_policy(other, text);
	hear(other);
	say(other, "status\n");
	hear(other);
	say(other, "apply\n");
	hear(other);
	assert_int_equal(lines("error nothing "), 1);
	close(fd);
	close(other);
}

/* Puts @policy in force, with @mode; returns false if it is refused. */
static bool apply_in(int fd, const char *mode, const char *policy)
{
	char head[96];

	snprintf(head, sizeof(head), "policy size=%zu%s%s name=new.yaml\n",
		 strlen(policy), *mode ? " mode=" : "", mode);
	say(fd, head);
	say(fd, policy);
	hear(fd);
	if (lines("error "))
		return false;
	assert_int_equal(lines("ok loosens="), 1);
	say(fd, "apply\n");
	fake_answer(0);
	run();
	expect_done(fd);
	return true;
}

/* Sets the mode alone. */
static bool mode_to(int fd, const char *mode)
{
	char request[64];

	snprintf(request, sizeof(request), "mode to=%s\n", mode);
	say(fd, request);
	fake_answer(0);
	run();
	hear(fd);
	return !lines("error ");
}

/*
 * Checks the rules' actions in what the VMM's process is given, in the agent's own
 * policy, and in status.
 */
static void in_force(int fd, const char *actions, const char *mode)
{
	static struct regpin_policy opened;
	const struct control *control = &fake_control;
	char json[64];

	assert_int_equal(blob_open(control->blob, control->blob_size, &opened), 0);
	for (uint32_t i = 0; actions[i]; i++) {
		uint8_t action = actions[i] == 'r' ? REGPIN_REPORT :
				 actions[i] == 'p' ? REGPIN_PAUSE : REGPIN_GP;

		assert_int_equal(opened.rules[i].action, action);
		assert_int_equal(fake_launch.policy.rules[i].action, action);
	}
	assert_int_equal(opened.nr_rules, strlen(actions));
	snprintf(json, sizeof(json), "\"mode\":\"%s\",", mode);
	say(fd, "status format=json\n");
	hear(fd);
	assert_non_null(strstr(got, json));
}

static const char own_report[] =
	"version: 1\nmode: report\nrules:\n"
	"  - {register: EFER, sticky: [NXE]}\n"
	"  - {register: EFER, never: [SVME], action: report}\n"
	"  - {register: STAR, uniform: true, mode: report}\n";

static void modes(void **state)
{
	int fd = client();

	say(fd, "mode to=report\n");
	hear(fd);
	/* Two rules, and the action at a missed deadline. */
	assert_int_equal(lines("data loosens: "), 3);
	assert_int_equal(lines("data mode: enforce -> report by the operator (the policy says enforce), 2 of 2 rules only report\n"), 1);
	assert_int_equal(fake_control.command, CONTROL_POLICY);
	fake_answer(0);
	run();
	expect_done(fd);
	in_force(fd, "rr", "report");
	assert_non_null(strstr(got, "\"policy_mode\":\"enforce\",\"operator_mode\":\"report\""));
	assert_true(mode_to(fd, "enforce"));
	assert_int_equal(lines("data tightens: "), 3);
	in_force(fd, "gp", "enforce");
	assert_true(mode_to(fd, "policy"));
	in_force(fd, "gp", "enforce");
	assert_null(strstr(got, "operator_mode"));
	close(fd);
}

/* The operator's mode replaces the policy's, but not that of a rule. */
static void modes_of_a_reporting_policy(void **state)
{
	int fd = client();

	assert_true(apply_in(fd, "", own_report));
	in_force(fd, "rrr", "report");
	assert_true(mode_to(fd, "enforce"));
	assert_int_equal(lines("data mode: report -> enforce by the operator (the policy says report), 2 of 3 rules only report\n"), 1);
	assert_int_equal(lines("data tightens: EFER NXE: clearing: report -> gp\n"), 1);
	in_force(fd, "grr", "enforce");
	assert_true(mode_to(fd, "report"));
	in_force(fd, "rrr", "report");
	assert_true(mode_to(fd, "policy"));
	in_force(fd, "rrr", "report");
	close(fd);
}

/*
 * `enforce` is refused if it would enforce nothing, or something that cannot be
 * enforced.
 */
static void modes_in_vain(void **state)
{
	int fd = client();

	assert_true(apply_in(fd, "", "version: 1\nrules:\n"
				     "  - {register: EFER, sticky: [NXE], action: report}\n"
				     "  - {register: STAR, uniform: true, mode: report}\n"));
	assert_false(mode_to(fd, "enforce"));
	assert_non_null(strstr(got, "mode enforce would enforce nothing"));
	assert_int_equal(lines("error rejected "), 1);
	in_force(fd, "rr", "report");	/* so does a missed deadline, by default */
	assert_true(apply_in(fd, "", "version: 1\nfloor: {action: pause}\nrules:\n"
				     "  - {register: EFER, sticky: [NXE], action: report}\n"));
	in_force(fd, "r", "enforce");	/* a missed deadline holds the vCPU */
	/* Only `mode: report` permits these actions. */
	assert_true(apply_in(fd, "", "version: 1\nmode: report\nrules:\n"
				     "  - {register: EFER, deny: write, action: mask}\n"));
	in_force(fd, "r", "report");
	assert_false(mode_to(fd, "enforce"));
	assert_true(lines("data new.yaml:4:") >= 1);
	assert_int_equal(lines("error rejected "), 1);
	in_force(fd, "r", "report");
	/* A rule that cannot report is refused in mode report. */
	assert_true(apply_in(fd, "", "version: 1\nrules:\n"
				     "  - {register: 0x79, deny: write}\n"
				     "  - {register: 0x8c, deny: write, action: drop}\n"));
	assert_false(mode_to(fd, "report"));
	assert_int_equal(lines("error rejected "), 1);
	close(fd);
}

/* A new policy starts in the operator's mode, or in the one that is given with it. */
static void swaps_keep_the_mode(void **state)
{
	static const char enforcing[] =
		"version: 1\nrules:\n  - {register: EFER, frozen: [NXE]}\n";
	uint32_t commands;
	int fd = client();

	assert_true(mode_to(fd, "report"));
	assert_true(apply_in(fd, "", enforcing));
	in_force(fd, "r", "report");
	assert_true(apply_in(fd, "policy", enforcing));
	in_force(fd, "g", "enforce");
	commands = atomic_load(&fake_control.request);
	assert_true(apply_in(fd, "report", text));
	in_force(fd, "r", "report");
	/* This is one step: the VMM's process has seen no other policy in between. */
	assert_int_equal(atomic_load(&fake_control.request), commands + 1);
	assert_true(apply_in(fd, "enforce", own_report));
	in_force(fd, "grr", "enforce");
	assert_true(apply_in(fd, "", own_report));
	in_force(fd, "grr", "enforce");
	say(fd, "policy size=9 mode=nonsense\n");
	hear(fd);
	assert_int_equal(lines("error syntax "), 1);
	expect_closed(fd);
}

/*
 * Values that a new policy forbids, and that were set before it, are reported to the
 * operator.
 */
static void found_by_a_new_policy(void **state)
{
	const struct regpin_event event = {
		.type = REGPIN_EVENT_DETECTED, .kind = REGPIN_MSR,
		.index = MSR_EFER, .bits = EFER_SCE, .write = 1,
		.action = REGPIN_REPORT,
	};
	int fd = client();

	ring_put(&fake_handoff.ring, &event);
	report_events(&fake_agent);
	send_policy(fd, text);
	hear(fd);
	say(fd, "apply\n");
	ring_put(&fake_handoff.ring, &event);
	ring_put(&fake_handoff.ring, &event);
	fake_answer(0);
	run();
	expect_done(fd);
	assert_non_null(strstr(got, "; 2 violations were detected meanwhile"));
	assert_true(mode_to(fd, "report"));
	assert_null(strstr(got, "detected meanwhile"));
	close(fd);
}

/* Changes that were shown for one mode are not applied in another one. */
static void mode_changes_meanwhile(void **state)
{
	int fd = client(), other = client();

	send_policy(fd, text);
	hear(fd);
	assert_true(mode_to(other, "report"));
	say(fd, "apply\n");
	hear(fd);
	assert_int_equal(lines("error changed "), 1);
	close(fd);
	close(other);
}

/* Puts a policy in force, and reads all events. */
static void new_policy_now(int fd)
{
	send_policy(fd, text);
	say(fd, "apply\n");
	fake_answer(0);
	run();
	hear(fd);
	report_events(&fake_agent);
}

/* A held vCPU is shown with the rule that held it, whatever policies came later. */
static void held_by_which_policy(void **state)
{
	int fd = client();

	fake_hold(1);
	new_policy_now(fd);
	say(fd, "status\n");
	hear(fd);
	assert_int_equal(lines("data vm 0 vcpu 1: armed, HELD: write of CR0: 0x80050033 -> 0x80040033 (WP): sticky, test.yaml:2:1"), 1);
	for (int i = 0; i < 6; i++)
		new_policy_now(fd);
	say(fd, "status\n");
	hear(fd);
	assert_int_equal(lines("data vm 0 vcpu 1: armed, HELD: write of CR0: 0x80050033 -> 0x80040033 (WP): sticky, test.yaml:2:1"), 1);
	say(fd, "status format=json\n");
	hear(fd);
	assert_non_null(strstr(got, "\"where\":\"test.yaml:2:1\""));
	/* No rule is named of a policy that the agent has forgotten, least of all another policy's. */
	fake_handoff.vcpus[1].held.policy = 1000;
	fake_handoff.vcpus[1].held.rule = 0;
	say(fd, "status\n");
	hear(fd);
	assert_int_equal(lines("data vm 0 vcpu 1: armed, HELD: write of CR0: 0x80050033 -> 0x80040033 (WP): by an older policy (number 1000)"), 1);
	close(fd);
}

/*
 * A policy whose filters KVM refused is in force; a policy that only some VMs have is
 * not.
 */
static void half_a_policy(void **state)
{
	int fd = client();

	send_policy(fd, text);
	say(fd, "apply\n");
	fake_answer(-ENOTRECOVERABLE);
	run();
	hear(fd);
	assert_int_equal(lines("error failed the policy is in force, but"), 1);
	assert_string_equal(fake_launch.policy.source, "new.yaml");
	send_policy(fd, text);
	say(fd, "apply\n");
	fake_answer(-ESTALE);
	run();
	hear(fd);
	assert_int_equal(lines("error failed some VMs have the new policy"), 1);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(policies), TEST(loosening_is_first), TEST(bad_policies), TEST(changed_meanwhile),
		TEST(modes), TEST(modes_of_a_reporting_policy),
		TEST(modes_in_vain), TEST(swaps_keep_the_mode),
		TEST(mode_changes_meanwhile), TEST(found_by_a_new_policy),
		TEST(held_by_which_policy), TEST(half_a_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
