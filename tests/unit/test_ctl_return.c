// SPDX-License-Identifier: GPL-2.0-only
/*
 * The agent's side of `regpin ctl`: printing the policy in force, rolling back, and policies
 * that have to be confirmed.
 */
#include "agent/launch_state.h"
#include "agent/vmm_command.h"
#include "ctl_scene.h"
#include "policy/policy_kept.h"

static const char first[] = "version: 1\nrules:\n  - {register: EFER, sticky: [NXE]}\n";
static const char second[] = "version: 1\nrules:\n  - {register: EFER, sticky: [NXE, SCE]}\n";
/* It does not accept nested virtualisation, and `accepting` does. */
static const char accepting[] =
	"version: 1\naccept: [nested]\nrules:\n  - {register: EFER, sticky: [NXE, SCE]}\n";

/* Sends @policy to be compared, under the name @name. */
static void compare(int fd, const char *name, const char *policy)
{
	char head[64];

	snprintf(head, sizeof(head), "policy size=%zu name=%s\n", strlen(policy), name);
	say(fd, head);
	say(fd, policy);
	/* The agent reads one part of it at a time. */
	for (size_t i = 0; i < strlen(policy) / CTL_LINE_MAX; i++)
		run();
	hear(fd);
}

/* Gives the request `apply`, with @rest, which the VMM answers with @result. */
static void apply(int fd, const char *rest, int32_t result)
{
	char request[64];

	assert_int_equal(lines("ok loosens="), 1);
	snprintf(request, sizeof(request), "apply%s\n", rest);
	say(fd, request);
	fake_answer(result);
	run();
	hear(fd);
}

static void put_in_force(int fd, const char *name, const char *policy, const char *rest)
{
	compare(fd, name, policy);
	apply(fd, rest, 0);
	assert_int_equal(lines("error "), 0);
	assert_string_equal(fake_launch.policy.source, name);
}

static void expect_error(int fd, const char *request, const char *code)
{
	char line[64];

	say(fd, request);
	hear(fd);
	snprintf(line, sizeof(line), "error %s ", code);
	assert_int_equal(lines(line), 1);
}

/* The last event of a command; valid until the next request of @fd. */
static const char *last_event(int fd)
{
	say(fd, "events last=1\n");
	hear(fd);
	assert_non_null(strstr(got, "\"event\":\"control\""));
	return got;
}

#define EXPECT_EVENT(fd, text)	assert_non_null(strstr(last_event(fd), text))

/* The text is complete, whatever its size, and can be read back. */
static void print(void **state)
{
	static char big[60000], expected[sizeof(big)];
	const char *end, *text;
	struct kept kept;
	int fd = client();
	size_t size;

	snprintf(big, sizeof(big), "%s", second);
	while (strlen(big) < sizeof(big) - 64)
		strcat(big, "# \303\244 comment with\ta tab, to fill the page\n");
	put_in_force(fd, "big.yaml", big, "");
	snprintf(expected, sizeof(expected), "%s", big);
	say(fd, "print\nhelp\n");
	hear(fd);
	assert_int_equal(sscanf(got, "text %zu\n", &size), 1);
	text = strchr(got, '\n') + 1;
	assert_null(kept_read(&kept, text, size));
	assert_string_equal(kept.name, "big.yaml");
	assert_string_equal(kept.hash, fake_launch.written.hash);
	assert_int_equal(kept.size, strlen(expected));
	assert_memory_equal(kept.text, expected, kept.size);
	end = text + size;
	assert_memory_equal(end, "ok\ndata help\n", 13);
	close(fd);
}

/* One step back, in the mode of that time; then there is nothing to go back to. */
static void rollback(void **state)
{
	int fd = client();

	expect_error(fd, "rollback\n", "nothing");
	expect_error(fd, "apply\n", "nothing");
	say(fd, "mode to=report\n");
	fake_answer(0);
	run();
	hear(fd);
	expect_error(fd, "rollback\n", "nothing");
	put_in_force(fd, "first.yaml", first, "");
	compare(fd, "second.yaml", second);
	apply(fd, "", 0);
	say(fd, "mode to=enforce\n");
	fake_answer(0);
	run();
	hear(fd);
	say(fd, "rollback\n");
	hear(fd);
	assert_int_equal(lines("data mode: enforce -> report by the operator"), 1);
	assert_int_equal(lines("data loosens: EFER SCE"), 1);
	assert_string_equal(fake_launch.policy.source, "second.yaml");
	apply(fd, "", 0);
	assert_string_equal(fake_launch.policy.source, "first.yaml");
	assert_int_equal(fake_launch.mode, MODE_REPORT);
	EXPECT_EVENT(fd, "\"command\":\"rollback\",\"policy_file\":\"first.yaml\"");
	assert_null(strstr(got, "\"cause\""));
	expect_error(fd, "rollback\n", "nothing");
	close(fd);
}

/* A rollback that the VMM refuses changes nothing, and can be repeated. */
static void refused_rollback(void **state)
{
	int fd = client();

	put_in_force(fd, "first.yaml", first, "");
	put_in_force(fd, "second.yaml", second, "");
	say(fd, "rollback mode=report\n");
	hear(fd);
	apply(fd, "", -EBUSY);
	assert_int_equal(lines("error refused "), 1);
	assert_string_equal(fake_launch.policy.source, "second.yaml");
	EXPECT_EVENT(fd, "\"command\":\"rollback\"");
	say(fd, "rollback mode=report\n");
	hear(fd);
	apply(fd, "", 0);
	assert_string_equal(fake_launch.policy.source, "first.yaml");
	assert_int_equal(fake_launch.mode, MODE_REPORT);
	close(fd);
}

/* The same text in another mode is no other policy. */
static void mode_is_no_policy(void **state)
{
	int fd = client();

	put_in_force(fd, "first.yaml", first, "");
	put_in_force(fd, "second.yaml", second, "");
	put_in_force(fd, "second.yaml", second, "");
	say(fd, "rollback\n");
	hear(fd);
	apply(fd, "", 0);
	assert_string_equal(fake_launch.policy.source, "first.yaml");
	close(fd);
}

/* The VMM answers the command that takes a policy back. */
static void answer_to_return(int32_t result)
{
	assert_true(fake_agent.ctl.command.given);
	assert_true(fake_agent.ctl.command.own);
	assert_int_equal(fake_control.command, CONTROL_POLICY);
	fake_answer(result);
	run();
}

static void unconfirmed(void **state)
{
	int fd = client();

	put_in_force(fd, "first.yaml", first, "");
	put_in_force(fd, "second.yaml", second, " confirm=60s");
	assert_int_equal(lines("data in force: for 60.000 s, unless it is confirmed: second.yaml"), 1);
	EXPECT_EVENT(fd, "\"confirm_ms\":60000");
	say(fd, "status\n");
	hear(fd);
	assert_non_null(strstr(got, "; NOT CONFIRMED: in 60 s first.yaml is in force again"));
	later(1000);
	say(fd, "status format=json\n");
	hear(fd);
	assert_non_null(strstr(got, "\"trial_left_ms\":59000,\"trial_back_file\":\"first.yaml\",\"trial_back_sha256\":\""));
	later(58999);
	assert_false(fake_agent.ctl.command.given);
	later(1);
	answer_to_return(0);
	assert_string_equal(fake_launch.policy.source, "first.yaml");
	assert_memory_equal(fake_launch.written.text, first, strlen(first));
	EXPECT_EVENT(fd, "\"command\":\"rollback\",\"cause\":\"unconfirmed\",\"policy_file\":\"first.yaml\"");
	assert_non_null(strstr(got, "\"operator\":{\"uid\":0,\"pid\":4711},\"result\":\"done\""));
	say(fd, "status\n");
	hear(fd);
	assert_null(strstr(got, "CONFIRMED"));
	/* A rollback that comes a moment too late must not lead forward. */
	expect_error(fd, "rollback\n", "nothing");
	later(600000);
	assert_false(fake_agent.ctl.command.given);
	close(fd);
}

static void confirmed(void **state)
{
	int fd = client(), other = client();

	expect_error(other, "confirm\n", "nothing");
	put_in_force(fd, "first.yaml", first, "");
	put_in_force(fd, "second.yaml", second, " confirm=1ms");
	close(fd);
	say(other, "confirm\n");
	hear(other);
	assert_string_equal(got, "data confirmed: second.yaml stays in force\nok\n");
	EXPECT_EVENT(other, "\"command\":\"confirm\",\"operator\":");
	later(50000);
	assert_false(fake_agent.ctl.command.given);
	assert_string_equal(fake_launch.policy.source, "second.yaml");
	/* The way back by hand is the same as without a confirmation. */
	say(other, "rollback\n");
	hear(other);
	apply(other, "", 0);
	assert_string_equal(fake_launch.policy.source, "first.yaml");
	close(other);
}

/* Nothing that the agent would undo is accepted while a policy waits. */
static void refused_meanwhile(void **state)
{
	int fd = client(), other = client(), third = client();

	put_in_force(fd, "first.yaml", first, "");
	compare(other, "second.yaml", second);
	put_in_force(fd, "second.yaml", second, " confirm=60s");
	say(other, "apply\n");
	hear(other);
	assert_int_equal(lines("error changed "), 1);
	expect_error(other, "mode to=report\n", "unconfirmed");
	say(third, "policy size=10\nversion: 1");
	hear(third);
	assert_int_equal(lines("error unconfirmed "), 1);
	expect_closed(third);
	/* A mode that waits in the queue while the policy comes into force. */
	say(other, "rollback\n");
	hear(other);
	apply(other, "", 0);
	assert_string_equal(fake_launch.policy.source, "first.yaml");
	assert_false(fake_agent.ctl.trial.until);
	compare(fd, "second.yaml", second);
	say(fd, "apply confirm=60s\n");
	say(other, "mode to=report\n");
	fake_answer(0);
	run();
	hear(other);
	assert_int_equal(lines("error unconfirmed "), 1);
	assert_int_equal(fake_launch.mode, MODE_POLICY);
	close(fd);
	close(other);
}

/* The mode alone is on trial: the same text comes back in the mode before. */
static void mode_on_trial(void **state)
{
	int fd = client();

	put_in_force(fd, "first.yaml", first, "");
	say(fd, "policy size=54 mode=report name=first.yaml\n");
	assert_int_equal(strlen(first), 54);
	say(fd, first);
	hear(fd);
	apply(fd, " confirm=5s", 0);
	assert_int_equal(fake_launch.mode, MODE_REPORT);
	later(5000);
	answer_to_return(0);
	assert_int_equal(fake_launch.mode, MODE_POLICY);
	close(fd);
}

/* A VMM that does not answer an earlier command delays the way back, which is reported. */
static void stuck(void **state)
{
	int fd = client(), other = client();

	put_in_force(fd, "first.yaml", first, "");
	put_in_force(fd, "second.yaml", second, " confirm=2s");
	say(other, "arm\n");
	assert_true(fake_agent.ctl.command.given);
	later(2000);
	assert_false(fake_agent.ctl.command.own);
	assert_null(strstr(last_event(fd), "\"stuck\""));
	later(CTL_ANSWER_MS);
	EXPECT_EVENT(fd, "\"command\":\"rollback\",\"cause\":\"unconfirmed\",\"operator\":");
	assert_non_null(strstr(got, "\"result\":\"stuck\""));
	say(fd, "status\n");
	hear(fd);
	assert_non_null(strstr(got, "NOT CONFIRMED, and not taken back yet"));
	later(60000);
	/* Once it answers, the policy is taken back at once. */
	fake_answer(-ECANCELED);
	run();
	answer_to_return(0);
	assert_string_equal(fake_launch.policy.source, "first.yaml");
	close(fd);
	close(other);
}

/* Failed attempts are events, and are repeated ever less often, until one succeeds. */
static void repeated(void **state)
{
	static const uint64_t pauses[] = { 5000, 10000, 20000, 40000, 80000, 160000, 300000, 300000 };
	int fd = client();

	put_in_force(fd, "first.yaml", first, "");
	put_in_force(fd, "second.yaml", second, " confirm=2s");
	later(2000);
	expect_error(fd, "confirm\n", "late");
	for (size_t i = 0; i < sizeof(pauses) / sizeof(*pauses); i++) {
		answer_to_return(-EBUSY);
		EXPECT_EVENT(fd, "\"cause\":\"unconfirmed\"");
		assert_non_null(strstr(got, "\"result\":\"refused\""));
		assert_string_equal(fake_launch.policy.source, "second.yaml");
		close(fd);
		later(pauses[i] - 1);
		assert_false(fake_agent.ctl.command.given);
		later(1);
		fd = client();
	}
	answer_to_return(0);
	assert_string_equal(fake_launch.policy.source, "first.yaml");
	close(fd);
}

/* A policy that can't be in force any more stays away; a confirmation ends the attempts. */
static void impossible(void **state)
{
	int fd = client();

	put_in_force(fd, "first.yaml", first, "");
	put_in_force(fd, "accepting.yaml", accepting, " confirm=2s");
	/* The host has lost what the policy before needs. */
	fake_launch.host.msr_filter = fake_launch.host.msr_exits = false;
	later(2000);
	assert_false(fake_agent.ctl.command.given);
	EXPECT_EVENT(fd, "\"result\":\"rejected\"");
	assert_non_null(strstr(got, "\"cause\":\"unconfirmed\",\"policy_file\":\"first.yaml\""));
	say(fd, "confirm\n");
	hear(fd);
	assert_int_equal(lines("ok"), 1);
	later(50000);
	assert_null(strstr(last_event(fd), "rejected"));
	assert_string_equal(fake_launch.policy.source, "accepting.yaml");
	close(fd);
}

/* KVM refuses the filters of one VM: the policy is in force all the same, and taken back. */
static void half_in_force(void **state)
{
	int fd = client();

	put_in_force(fd, "first.yaml", first, "");
	compare(fd, "second.yaml", second);
	apply(fd, " confirm=2s", -ENOTRECOVERABLE);
	assert_int_equal(lines("error failed "), 1);
	assert_string_equal(fake_launch.policy.source, "second.yaml");
	later(2000);
	answer_to_return(0);
	assert_string_equal(fake_launch.policy.source, "first.yaml");
	close(fd);
}

/* A policy that did not come into force is not taken back, and its time does not run. */
static void never_in_force(void **state)
{
	int fd = client();

	put_in_force(fd, "first.yaml", first, "");
	compare(fd, "second.yaml", second);
	apply(fd, " confirm=2s", -EPERM);
	assert_int_equal(lines("error refused "), 1);
	later(10000);
	assert_false(fake_agent.ctl.command.given);
	/* A late answer begins the time. */
	compare(fd, "second.yaml", second);
	say(fd, "apply confirm=2s\n");
	later(CTL_POLICY_MS);
	hear(fd);
	assert_int_equal(lines("error timeout "), 1);
	fake_answer(0);
	run();
	assert_string_equal(fake_launch.policy.source, "second.yaml");
	later(2000);
	answer_to_return(0);
	assert_string_equal(fake_launch.policy.source, "first.yaml");
	close(fd);
}

/* A rollback can be on trial, too. */
static void rollback_on_trial(void **state)
{
	int fd = client();

	put_in_force(fd, "first.yaml", first, "");
	put_in_force(fd, "second.yaml", second, "");
	say(fd, "rollback\n");
	hear(fd);
	apply(fd, " confirm=2s", 0);
	assert_string_equal(fake_launch.policy.source, "first.yaml");
	later(2000);
	answer_to_return(0);
	assert_string_equal(fake_launch.policy.source, "second.yaml");
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(print),
		TEST(rollback),
		TEST(refused_rollback),
		TEST(mode_is_no_policy),
		TEST(unconfirmed),
		TEST(confirmed),
		TEST(refused_meanwhile),
		TEST(mode_on_trial),
		TEST(stuck),
		TEST(repeated),
		TEST(impossible),
		TEST(half_in_force),
		TEST(never_in_force),
		TEST(rollback_on_trial),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
