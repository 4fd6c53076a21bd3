// SPDX-License-Identifier: GPL-2.0-only
/* The counters of each rule: which events count for which rule of which policy. */
#include "agent/launch_state.h"
#include "agent/limit.h"
#include "agent/policies.h"
#include "agent/report.h"
#include "agent/rule_counts.h"
#include "lib/policy/registers.h"
#include "lib/ring.h"
#include "rule_scene.h"

/* An event of the policy in force. */
static struct regpin_event event_of(uint32_t type, uint32_t rule, uint8_t action)
{
	return (struct regpin_event){
		.type = type, .kind = REGPIN_MSR, .index = MSR_EFER, .write = 1,
		.bits = EFER_NXE, .action = action, .rule = rule,
		.policy = fake_launch.policy.number, .time = 1000000000ull * (rule + 1),
	};
}

static void put(const struct regpin_event *event)
{
	ring_put(&fake_handoff.ring, event);
	report_events(&fake_agent);
}

static uint32_t rule_at(uint32_t line)
{
	uint32_t i = 0;

	while (fake_launch.policy.rules[i].line != line)
		i++;
	return i;
}

static void expect_counts(uint32_t row, uint64_t stopped, uint64_t passed, uint64_t detected)
{
	const struct rule_count *count = rule_counts_of(&fake_agent, row);

	assert_int_equal(count->stopped, stopped);
	assert_int_equal(count->passed, passed);
	assert_int_equal(count->detected, detected);
}

static void counters(void **state)
{
	int fd = client();
	struct regpin_event event;

	in_force(fd, NEW, "");
	limit_init(&fake_agent.limit, 1, 1);
	/* More events than the limit lets pass. */
	event = event_of(REGPIN_EVENT_VIOLATION, rule_at(4), REGPIN_GP);
	for (int i = 0; i < 50; i++)
		put(&event);
	event = event_of(REGPIN_EVENT_VIOLATION, rule_at(9), REGPIN_REPORT);
	put(&event);
	event = event_of(REGPIN_EVENT_DETECTED, rule_at(6), REGPIN_REPORT);
	event.kind = REGPIN_CR0;
	event.index = 0;
	put(&event);
	expect_counts(0, 50, 0, 0);
	expect_counts(1, 0, 0, 1);
	expect_counts(2, 0, 1, 0);
	say(fd, "rules format=json\n");
	hear(fd);
	assert_non_null(strstr(got, "\"violations_stopped\":50,\"violations_passed\":0,\"violations_detected\":0,\"last\":\"1970-01-01T00:00:0"));
	assert_int_equal(rule_counts_of(&fake_agent, 3)->last, 0);
	/* A change of mode keeps them, although the policy has another number. */
	event = event_of(REGPIN_EVENT_VIOLATION, rule_at(4), REGPIN_GP);
	assert_true(command(fd, "mode to=report rule=4\n"));
	expect_counts(0, 50, 0, 0);
	/* An event of the policy before it, which was still in the ring. */
	put(&event);
	event = event_of(REGPIN_EVENT_VIOLATION, rule_at(4), REGPIN_REPORT);
	put(&event);
	expect_counts(0, 51, 1, 0);
	limit_free(&fake_agent.limit);
	close(fd);
}

/* Another text begins with 0, and has the events that came before it was in force. */
static void counters_of_another_text(void **state)
{
	static const char other[] = "version: 1\nrules:\n  - register: EFER\n    sticky: [NXE]\n";
	struct regpin_event event, old;
	char head[64];
	int fd = client();

	in_force(fd, NEW, "");
	old = event_of(REGPIN_EVENT_VIOLATION, rule_at(4), REGPIN_GP);
	put(&old);
	expect_counts(0, 1, 0, 0);
	snprintf(head, sizeof(head), "policy size=%zu name=new.yaml\n", strlen(other));
	say(fd, head);
	say(fd, other);
	say(fd, "apply\n");
	event = event_of(REGPIN_EVENT_DETECTED, 0, REGPIN_REPORT);
	event.policy = fake_agent.policies.given;
	assert_int_not_equal(event.policy, fake_launch.policy.number);
	put(&event);
	put(&old);
	expect_counts(0, 2, 0, 0);
	fake_answer(0);
	run();
	hear(fd);
	expect_counts(0, 0, 0, 1);
	/* An event of the old text does not count for a rule at the same place. */
	put(&old);
	expect_counts(0, 0, 0, 1);
	/* A policy that was refused leaves nothing behind. */
	say(fd, "policy size=");
	snprintf(head, sizeof(head), "%zu name=new.yaml\n", strlen(NEW));
	say(fd, head);
	say(fd, NEW);
	say(fd, "apply\n");
	event.policy = fake_agent.policies.given;
	put(&event);
	fake_answer(-EPERM);
	run();
	hear(fd);
	put(&event);
	expect_counts(0, 0, 0, 1);
	in_force(fd, NEW, "");
	for (uint32_t i = 0; i < 5; i++)
		expect_counts(i, 0, 0, 0);
	close(fd);
}

/* A compromised VMM may name any policy and any rule. */
static void hostile_events(void **state)
{
	static const uint32_t numbers[] = { 0, 1, 2, 3, 1000, UINT32_MAX };
	static const uint32_t rules[] = { 0, 4, 5, 6, POLICY_MAX_RULES - 1, POLICY_MAX_RULES,
					  1u << 31, UINT32_MAX - 1, UINT32_MAX };
	int fd = client();
	uint64_t sum = 0;

	in_force(fd, NEW, "");
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		for (size_t j = 0; j < sizeof(rules) / sizeof(rules[0]); j++) {
			struct regpin_event event =
				event_of(REGPIN_EVENT_VIOLATION, rules[j], REGPIN_GP);

			event.policy = numbers[i];
			put(&event);
			event.action = REGPIN_PAUSE;
			put(&event);
			event.type = REGPIN_EVENT_ANSWERED;
			event.action = REGPIN_GP;
			event.rule = REGPIN_NO_RULE;
			put(&event);
		}
	}
	for (uint32_t i = 0; i < 5; i++)
		sum += rule_counts_of(&fake_agent, i)->stopped;
	/* Of all of them only the rules 0 and 4 of the policy in force exist. */
	assert_int_equal(sum, 4);
	close(fd);
}

/* A held access counts when it is answered, once for each rule that it violates. */
static void held(void **state)
{
	struct regpin_event event;
	int fd = client();

	in_force(fd, "version: 1\nrules:\n"
		     "  - register: EFER\n    sticky: [NXE]\n    action: pause\n"
		     "  - register: EFER\n    frozen: [SCE]\n    action: pause\n", "");
	event = event_of(REGPIN_EVENT_VIOLATION, rule_at(4), REGPIN_PAUSE);
	put(&event);
	event.rule = rule_at(7);
	put(&event);
	expect_counts(0, 0, 0, 0);
	event.type = REGPIN_EVENT_ANSWERED;
	event.action = REGPIN_ALLOW;
	event.rule = REGPIN_NO_RULE;
	put(&event);
	expect_counts(0, 0, 1, 0);
	expect_counts(1, 0, 1, 0);
	put(&event);
	expect_counts(0, 0, 1, 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(counters), TEST(counters_of_another_text), TEST(hostile_events), TEST(held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
