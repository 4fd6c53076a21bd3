// SPDX-License-Identifier: GPL-2.0-only
/* The agent finds an event's policy by its number, and forgets old ones. */
#include <errno.h>

#include "agent/launch_state.h"
#include "agent/policies.h"
#include "agent/report.h"
#include "ctl_scene.h"
#include "lib/policy/registers.h"
#include "lib/ring.h"

/* Gives a policy to the VMM's process: the command is on its way. */
static void begin_policy(int fd)
{
	static const char policy[] =
		"version: 1\nrules:\n  - register: EFER\n    sticky: [NXE, SCE]\n";
	char head[64];

	snprintf(head, sizeof(head), "policy size=%zu name=new.yaml\n",
		 strlen(policy));
	say(fd, head);
	say(fd, policy);
	say(fd, "apply\n");
}

/* Puts that policy in force. */
static void end_policy(int fd)
{
	fake_answer(0);
	run();
	hear(fd);
}

/* An event of that policy, whose rule 0 is on EFER and rule 1 on CR0. */
static struct regpin_event event_of(uint32_t policy, uint32_t rule)
{
	return (struct regpin_event){
		.type = REGPIN_EVENT_VIOLATION, .write = 1, .rule = rule,
		.kind = rule ? REGPIN_CR0 : REGPIN_MSR,
		.index = rule ? 0 : MSR_EFER, .bits = 1ull << 16 >> 5 * !rule,
		.action = REGPIN_GP, .policy = policy,
	};
}

/* Reads the lines for the events that were put into the ring. */
static void read_lines(char *to, size_t size)
{
	/* Lines are kept for a log that is not there. */
	fake_out.log = true;
	fake_out.len = 0;
	report_events(&fake_agent);
	assert_true(fake_out.len < size);
	memcpy(to, fake_out.buf, fake_out.len);
	to[fake_out.len] = 0;
}

/* Expects the next line to contain @part. */
static char *expect_in_line(char *at, const char *part)
{
	char *end = strchr(at, '\n');

	assert_non_null(end);
	*end = 0;
	if (!strstr(at, part))
		fail_msg("no %s: %s", part, at);
	return end + 1;
}

/* While policies change, the ring has events of both: each names its own. */
static void event_of_which_policy(void **state)
{
	const struct regpin_policy *now = &fake_launch.policy;
	char read[16384], *at = read;
	struct regpin_event event;
	uint32_t old = now->number, new;
	int fd = client();

	begin_policy(fd);
	new = old + 1;
	assert_int_equal(fake_control.arg, new);
	assert_string_equal(policies_find(&fake_agent, old)->source, "test.yaml");
	assert_string_equal(policies_find(&fake_agent, new)->source, "new.yaml");
	assert_null(policies_find(&fake_agent, new + 1));
	assert_null(policies_find(&fake_agent, 0));
	for (unsigned int turn = 0; turn < 2; turn++) {
		/*
		 * When the new policy is in force, the ring still has events of the old
		 * one.
		 */
		for (unsigned int i = 0; i < 6; i++) {
			event = event_of(i & 1 ? new : old, 0);
			event.vcpu = turn;
			ring_put(&fake_handoff.ring, &event);
		}
		read_lines(read, sizeof(read));
		at = read;
		for (unsigned int i = 0; i < 6; i++)
			at = expect_in_line(at, i & 1 ? "\"where\":\"new.yaml:4:5\"" :
						       "\"where\":\"test.yaml:1:1\"");
		if (turn)
			break;
		end_policy(fd);
		assert_int_equal(now->number, new);
	}
	close(fd);
}

/* A compromised VMM names any policy and rule: none is mistaken for another. */
static void event_of_no_policy(void **state)
{
	static const uint32_t numbers[] = { 0, 2, 0x101, 0x80000000, ~0u };
	char read[16384], *at;
	struct regpin_event event;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		char number[48];

		snprintf(number, sizeof(number), "\"policy_number\":%u,",
			 numbers[i]);
		event = event_of(numbers[i], 1);
		ring_put(&fake_handoff.ring, &event);
		read_lines(read, sizeof(read));
		at = expect_in_line(read, number);
		assert_null(strstr(read, "where"));
		assert_true(*at == 0);
	}
	/* The VMM also names rules that the policy does not have. */
	for (uint32_t rule = 2; rule; rule *= 16) {
		event = event_of(fake_launch.policy.number, rule);
		ring_put(&fake_handoff.ring, &event);
		read_lines(read, sizeof(read));
		expect_in_line(read, "\"violation\"");
		assert_null(strstr(read, "where"));
	}
	/* The same for events that found no room in the ring. */
	for (uint32_t i = 0; i < RING_SLOTS; i++)
		ring_put(&fake_handoff.ring, &event);
	event = event_of(99, 1);
	ring_put(&fake_handoff.ring, &event);
	while (report_events(&fake_agent))
		fake_out.len = 0;
	fake_out.len = 0;
	report_dropped(&fake_agent, true);
	assert_non_null(memmem(fake_out.buf, fake_out.len, "\"policy_number\":99,",
			       strlen("\"policy_number\":99,")));
}

/* A vCPU is held by a policy that failed and was withdrawn: the agent still knows it. */
static void held_by_a_failed_policy(void **state)
{
	const struct regpin_policy *now = &fake_launch.policy;
	uint32_t old = now->number;
	int fd = client();

	begin_policy(fd);
	fake_hold(1);
	fake_handoff.vcpus[1].held = event_of(fake_control.arg, 0);
	fake_answer(-ENOMEM);
	run();
	hear(fd);
	assert_int_equal(now->number, old);
	say(fd, "status\n");
	hear(fd);
	assert_non_null(strstr(got, ": sticky, new.yaml:4:5\n"));
	/* The failed policy's number is not used again. */
	begin_policy(fd);
	assert_int_equal(fake_control.arg, old + 2);
	close(fd);
}

/*
 * With more policies than are kept, the oldest are dropped, except those that hold a vCPU.
 */
static void many_policies(void **state)
{
	uint32_t first = fake_launch.policy.number, last;
	int fd = client();

	fake_hold(1);
	for (unsigned int i = 0; i < 3 * AGENT_POLICIES; i++) {
		begin_policy(fd);
		end_policy(fd);
		fake_handoff.vms[0].policy = fake_launch.policy.number;
	}
	last = fake_launch.policy.number;
	assert_int_equal(last, first + 3 * AGENT_POLICIES);
	assert_string_equal(policies_find(&fake_agent, first)->source,
			    "test.yaml");
	for (uint32_t i = first + 1; i <= last; i++)
		assert_int_equal(policies_find(&fake_agent, i) != NULL,
				 i > last - AGENT_POLICIES);
	/* Each policy that is kept is marked as holding a vCPU, so the oldest is dropped. */
	for (unsigned int i = 0; i < AGENT_POLICIES; i++) {
		fake_handoff.vcpus[i].held.policy = fake_agent.policies.list[i].number;
		atomic_store(&fake_handoff.vcpus[i].flags,
			     STATUS_PRESENT | STATUS_HELD);
	}
	begin_policy(fd);
	end_policy(fd);
	assert_null(policies_find(&fake_agent, first));
	assert_non_null(policies_find(&fake_agent, last));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(event_of_which_policy), TEST(event_of_no_policy),
		TEST(held_by_a_failed_policy), TEST(many_policies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
