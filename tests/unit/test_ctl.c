// SPDX-License-Identifier: GPL-2.0-only
/* The agent's side of `regpin ctl`: answers, the queue, events. */
#include "ctl_scene.h"

static void answers(void **state)
{
	int fd = client();

	say(fd, "status\n");
	expect(fd, "data vm1: policy test.yaml, mode enforce (2 rules: 2 enforced, 0 detected, 0 report only, 0 left out); violations: 0 stopped, 0 held, 0 passed, 0 detected; 0 events dropped\n"
		   "data vm 0: armed, control registers filtered\n"
		   "data vm 0 vcpu 0: armed\n"
		   "data vm 0 vcpu 1: armed\n"
		   "ok\n");
	fake_hold(1);
	atomic_fetch_or(&fake_handoff.vcpus[0].flags, STATUS_FRESH);
	say(fd, "status\n");
	hear(fd);
	assert_non_null(strstr(got, "vcpu 0: armed, fresh since its INIT\n"));
	assert_non_null(strstr(got, "vcpu 1: armed, HELD: write of CR0: 0x80050033 -> 0x80040033 (WP): sticky, test.yaml:2:1\n"));
	say(fd, "status format=json\n");
	hear(fd);
	assert_non_null(strstr(got, "data {\"version\":1,\"vm\":0,\"vcpu\":1,\"armed\":true,\"in_setup\":false,\"fresh\":false,\"held\":true,\"reached\":true,\"held_by\":{\"time\":\"1970-01-01T00:00:00.000000000Z\",\"event\":\"violation\",\"vm\":0,\"vcpu\":1,\"register\":\"CR0\",\"access\":\"write\",\"bits\":[\"WP\"],\"old\":\"0x80050033\",\"new\":\"0x80040033\",\"value\":\"0x80050033\",\"rule\":\"sticky\",\"where\":\"test.yaml:2:1\",\"verdict\":\"pause\",\"action\":\"pause\",\"severity\":\"alert\"}}\nok\n"));
	/* Once the agent has read the event that held the vCPU, the hold has a number. */
	pauses_add(&fake_agent.pauses, &fake_handoff.vcpus[1].held);
	pauses_hold(&fake_agent.pauses, &fake_handoff.vcpus[1].held, 412);
	say(fd, "status\n");
	hear(fd);
	assert_non_null(strstr(got, "(WP): sticky, test.yaml:2:1, hold 412\nok\n"));
	say(fd, "status format=json\n");
	hear(fd);
	assert_non_null(strstr(got, "\"held\":true,\"hold\":412,\"reached\":true,\"held_by\""));
	say(fd, "nonsense\n");
	expect(fd, "error syntax there is no request 'nonsense': 'help' lists them\n");
	say(fd, "help\n");
	hear(fd);
	assert_int_equal(lines("data "), CTL_VERB_MAX);
	close(fd);
}

/* Several requests in one packet are answered in their order. */
static void pipelined(void **state)
{
	int fd = client();

	say(fd, "help\narm vcpu=1\nstatus\nevents\n");
	hear(fd);
	assert_int_equal(lines("ok"), 3);
	assert_int_equal(lines("error syntax"), 1);
	say(fd, "sta");
	expect(fd, "");
	say(fd, "tus\n");
	hear(fd);
	assert_int_equal(lines("ok"), 1);
	close(fd);
}

static void commands(void **state)
{
	static const struct {
		const char *request;
		uint32_t command, vm, arg;
	} rows[] = {
		{ "arm\n", CONTROL_ARM, CONTROL_ALL_VMS, 0 },
		{ "arm vm=2\n", CONTROL_ARM, 2, 0 },
		{ "disarm vm=0\n", CONTROL_DISARM, 0, 0 },
		{ "window for=60s once=yes vm=0\n", CONTROL_WINDOW, 0, 60000 },
		{ "window-end\n", CONTROL_WINDOW_END, CONTROL_ALL_VMS, 0 },
		{ "allow vcpu=1 vm=0\n", CONTROL_ANSWER, 0, REGPIN_ALLOW },
		{ "gp vcpu=1 vm=0\n", CONTROL_ANSWER, 0, REGPIN_GP },
		{ "stop vcpu=1\n", CONTROL_ANSWER, 0, REGPIN_STOP },
	};
	const struct control *control = &fake_control;
	int fd = client();

	fake_hold(1);
	for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		say(fd, rows[i].request);
		expect(fd, "");
		assert_int_equal(atomic_load(&control->request), i + 1);
		assert_int_equal(control->command, rows[i].command);
		assert_int_equal(control->vm, rows[i].vm);
		assert_int_equal(control->arg, rows[i].arg);
		fake_answer(0);
		run();
		expect_done(fd);
	}
	assert_int_equal(control->vcpu, 1);
	close(fd);
}

/* The last line received, with its line break. */
static const char *last_line(void)
{
	const char *line = got, *next;

	while ((next = strchr(line, '\n')) && next[1])
		line = next + 1;
	return line;
}

static void refusals(void **state)
{
	static const struct {
		const char *request;
		int32_t result;
		const char *answer;
	} rows[] = {
		{ "arm vm=9\n", -ENOENT, "error no-such " },
		{ "allow vcpu=1 vm=0\n", -EINVAL, "error not-held " },
		{ "window-end\n", -EINVAL, "error no-window " },
		{ "arm\n", -ETIMEDOUT, "ok some vCPUs " },
		{ "arm\n", -EIO, "error failed the VMM's process answered -5 (Input/output error)" },
		{ "arm\n", INT32_MIN, "error failed the VMM's process answered -2147483648 (nonsense)" },
		{ "arm\n", 7, "error failed " },
		{ "mode to=report\n", -EPERM, "error refused " },
		{ "mode to=report\n", -E2BIG, "error refused " },
		{ "mode to=report\n", -EINVAL, "error refused " },
	};
	int fd = client();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		say(fd, rows[i].request);
		hear(fd);
		fake_answer(rows[i].result);
		run();
		hear(fd);
		assert_memory_equal(last_line(), rows[i].answer,
				    strlen(rows[i].answer));
	}
	/* The VMM's process reports which MSRs had no room. */
	fake_handoff.answer.overflow_base = 0x80000000;
	fake_handoff.answer.overflow_nmsrs = 16;
	fake_handoff.answer.overflow_flags = ACCESS_READ | OVERFLOW_VMM;
	fake_handoff.answer.overflow_more = UINT32_MAX;
	say(fd, "mode to=report\n");
	hear(fd);
	fake_answer(-E2BIG);
	run();
	hear(fd);
	assert_non_null(strstr(got, "error refused KVM's 16 ranges have no room for reads of MSRs 0x80000000-0x8000000f (the VMM's filter) and 4294967295 more: "));
	assert_non_null(strstr(got, ": the old policy stays\n"));
	/* The agent refuses these without asking the VMM. */
	say(fd, "gp vcpu=0\n");
	hear(fd);
	assert_int_equal(lines("error not-held "), 1);
	fake_hold(0);
	fake_handoff.vcpus[5].vm = 1;
	atomic_store(&fake_handoff.vcpus[5].flags, STATUS_PRESENT | STATUS_HELD);
	say(fd, "gp vcpu=0\n");
	hear(fd);
	assert_int_equal(lines("error which "), 1);
	fake_agent.attached = 0;
	say(fd, "arm\n");
	expect(fd, "error no-vm there is no VM yet\n");
	close(fd);
}

/* Each command is an event that names the operator. */
static void events_of_commands(void **state)
{
	int fd = client();

	say(fd, "window for=5s vm=0\n");
	fake_now += 7;
	fake_answer(0);
	run();
	hear(fd);
	say(fd, "events last=1\n");
	hear(fd);
	assert_non_null(strstr(got, "\"event\":\"control\",\"command\":\"window\",\"vm\":0,\"for_ms\":5000,\"once\":false,\"operator\":{\"uid\":0,\"pid\":4711},\"result\":\"done\",\"took_ms\":7,\"severity\":\"notice\",\"version\":1,\"seq\":1,\"name\":\"vm1\""));
	/* A query changes nothing, so it is no event. */
	say(fd, "events\n");
	hear(fd);
	assert_int_equal(lines("data "), 1);
	close(fd);
}

/* The condition that an unarmed VM waits for. */
static void closed_is_shown(void **state)
{
	static const struct {
		uint32_t arming;
		const char *shows;
	} rows[] = {
		{ ARM_SYSCALL_ENTRY, "vm 0: not armed (DISARMED by the operator, until 'arm'), control" },
		{ ARM_START, "vm 0: not armed (DISARMED by the operator, until 'arm'), control" },
		{ ARM_OPERATOR, "vm 0: not armed (waits for 'arm'), control" },
		{ ARM_REQUEST, "vm 0: not armed (waits for the guest's request, or 'arm'), control" },
	};
	uint32_t was = fake_launch.policy.arming;
	int fd = client();

	atomic_fetch_and(&fake_handoff.vms[0].flags, ~STATUS_ARMED);
	say(fd, "status\n");
	hear(fd);
	assert_non_null(strstr(got, "vm 0: not armed, control"));
	atomic_fetch_or(&fake_handoff.vms[0].flags, STATUS_CLOSED);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fake_launch.policy.arming = rows[i].arming;
		say(fd, "status\n");
		hear(fd);
		assert_non_null(strstr(got, rows[i].shows));
	}
	fake_launch.policy.arming = was;
	atomic_fetch_or(&fake_handoff.vms[0].flags, STATUS_WINDOW);
	say(fd, "status\n");
	hear(fd);
	assert_non_null(strstr(got, "vm 0: not armed, control"));
	close(fd);
}

static void window_is_shown(void **state)
{
	int fd = client();

	say(fd, "window for=60s once=yes\n");
	fake_answer(0);
	run();
	atomic_fetch_or(&fake_handoff.vms[0].flags, STATUS_WINDOW);
	later(20500);
	hear(fd);
	say(fd, "status\n");
	hear(fd);
	assert_non_null(strstr(got, "WINDOW OPEN for 40 s more or until a kernel has done its syscall set-up"));
	say(fd, "status format=json\n");
	hear(fd);
	assert_non_null(strstr(got, "\"window\":true,\"left_ms\":39500,\"once\":true}"));
	say(fd, "window-end\n");
	fake_answer(0);
	run();
	hear(fd);
	say(fd, "status format=json\n");
	hear(fd);
	assert_non_null(strstr(got, "\"window\":true,\"left_ms\":0,"));
	close(fd);
}

static void queue_is_in_order(void **state)
{
	int fds[CTL_CLIENTS];
	char request[32];

	for (uint32_t i = 0; i < CTL_CLIENTS; i++)
		fds[i] = client();
	for (uint32_t i = 0; i < CTL_CLIENTS; i++) {
		snprintf(request, sizeof(request), "arm vm=%u\n",
			 CTL_CLIENTS - i);
		say(fds[(i * 7) % CTL_CLIENTS], request);
	}
	for (uint32_t i = 0; i < CTL_CLIENTS; i++) {
		assert_int_equal(atomic_load(&fake_control.request),
				 i + 1);
		assert_int_equal(fake_control.vm, CTL_CLIENTS - i);
		fake_answer(0);
		run();
		expect_done(fds[(i * 7) % CTL_CLIENTS]);
	}
	for (uint32_t i = 0; i < CTL_CLIENTS; i++)
		close(fds[i]);
}

/*
 * A command to a stopped VMM times out, and its late answer is not taken for another
 * command's.
 */
static void late_answer(void **state)
{
	const struct control *control = &fake_control;
	int fd = client(), other = client();

	say(fd, "arm\n");
	say(other, "disarm\n");
	later(CTL_ANSWER_MS - 1);
	expect(fd, "");
	later(1);
	hear(fd);
	assert_int_equal(lines("error timeout "), 1);
	hear(other);
	assert_int_equal(lines("error stuck "), 1);
	/* The command is withdrawn, and no other one is put in its place. */
	assert_int_equal(control->command, CONTROL_NONE);
	say(other, "disarm\n");
	hear(other);
	assert_int_equal(lines("error stuck "), 1);
	assert_int_equal(atomic_load(&control->request), 1);
	say(other, "status\n");
	hear(other);
	assert_non_null(strstr(got, "THE VMM DOES NOT ANSWER COMMANDS"));
	fake_answer(0);
	run();
	expect(fd, "");
	expect(other, "");
	say(other, "events last=1\n");
	hear(other);
	assert_non_null(strstr(got, "\"command\":\"arm\",\"operator\":{\"uid\":0,\"pid\":4711},\"result\":\"done\",\"late\":true"));
	say(other, "disarm\n");
	assert_int_equal(atomic_load(&control->request), 2);
	assert_int_equal(control->command, CONTROL_DISARM);
	fake_answer(-ECANCELED);
	run();
	hear(other);
	assert_int_equal(lines("error cancelled "), 1);
	close(fd);
	close(other);
}

/* The VMM may write any number into `done`. */
static void wrong_numbers(void **state)
{
	int fd = client();

	atomic_store(&fake_handoff.answer.done, 77);
	say(fd, "arm\n");
	expect(fd, "");
	atomic_store(&fake_handoff.answer.done, 0xffffffff);
	atomic_store(&fake_control.request, 99);
	run();
	expect(fd, "");
	atomic_store(&fake_handoff.answer.done, 1);
	run();
	expect_done(fd);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers), TEST(pipelined), TEST(commands), TEST(refusals),
		TEST(events_of_commands), TEST(closed_is_shown), TEST(window_is_shown),
		TEST(queue_is_in_order), TEST(late_answer), TEST(wrong_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
