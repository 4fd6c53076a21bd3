// SPDX-License-Identifier: GPL-2.0-only
/* Held vCPUs that get their answer after a time, and operators who answer meanwhile. */
#include "ctl_scene.h"

#include <sys/mman.h>

#include "agent/report.h"
#include "agent/timed.h"

#define AFTER	30000u

static const struct control *const control = &fake_control;
static uint64_t holds;

static int begin_timed(void **state)
{
	ctl = fake_begin();
	fake_launch.answer_ms = AFTER;
	fake_launch.answer = REGPIN_GP;
	return timed_begin(&fake_agent);
}

static int end_timed(void **state)
{
	fake_end(ctl);
	return munmap(fake_agent.timed.holds, STATUS_VCPUS * sizeof(struct timed_hold));
}

/* Holds a vCPU, and puts the event into the ring. */
static void hold(unsigned int vcpu)
{
	fake_hold(vcpu);
	fake_handoff.vcpus[vcpu].held.time = ++holds;
	ring_put(&fake_handoff.ring, &fake_handoff.vcpus[vcpu].held);
	report_events(&fake_agent);
	run();
}

/* The vCPU gets its answer and runs. */
static void release(unsigned int vcpu)
{
	struct regpin_event event = {
		.type = REGPIN_EVENT_ANSWERED, .vcpu = vcpu, .action = (uint8_t)control->arg,
	};

	atomic_fetch_and(&fake_handoff.vcpus[vcpu].flags, ~STATUS_HELD);
	ring_put(&fake_handoff.ring, &event);
	fake_answer(0);
	report_events(&fake_agent);
	run();
}

static uint32_t commands(void)
{
	return atomic_load(&control->request);
}

/* The @n-th line from the end of the agent's log, from 1. */
static const char *line(unsigned int n)
{
	return ctl_log_line(&ctl->log, ctl->log.next - n);
}

static void after_the_time(void **state)
{
	hold(1);
	later(AFTER - 1);
	assert_int_equal(commands(), 0);
	later(1);
	assert_int_equal(commands(), 1);
	assert_int_equal(control->command, CONTROL_ANSWER);
	assert_int_equal(control->arg, REGPIN_GP);
	assert_int_equal(control->vcpu, 1);
	assert_int_equal(control->vm, 0);
	release(1);
	assert_non_null(strstr(line(2), "\"event\":\"answered\""));
	assert_non_null(strstr(line(2), "\"hold\":1,\"by\":\"time\","));
	assert_non_null(strstr(line(1), "\"command\":\"gp\",\"vm\":0,\"vcpu\":1,\"by\":\"time\",\"result\":\"done\""));
	assert_non_null(strstr(line(1), "\"hold\":1,"));
	assert_null(strstr(line(1), "operator"));
	assert_int_equal(fake_agent.violations, 1);
	later(10 * AFTER);
	assert_int_equal(commands(), 1);
}

static void a_stop(void **state)
{
	fake_launch.answer = REGPIN_STOP;
	hold(0);
	later(AFTER);
	assert_int_equal(control->arg, REGPIN_STOP);
	release(0);
	assert_non_null(strstr(line(1), "\"command\":\"stop\""));
}

/* A deadline has no access that could get #GP. */
static void a_deadline(void **state)
{
	int fd = client();

	fake_hold(1);
	fake_handoff.vcpus[1].held.type = REGPIN_EVENT_DEADLINE;
	fake_handoff.vcpus[1].held.time = ++holds;
	run();
	say(fd, "status\n");
	hear(fd);
	assert_non_null(strstr(got, "HELD: deadline; without an answer: stop in 30 s\n"));
	later(AFTER);
	assert_int_equal(control->arg, REGPIN_STOP);
	release(1);
	close(fd);
}

/* An operator's answer that has arrived when the time is over is the one that is given. */
static void operator_first(void **state)
{
	int fd = client();

	hold(1);
	fake_now += AFTER;
	say(fd, "allow vcpu=1\n");
	assert_int_equal(commands(), 1);
	assert_int_equal(control->arg, REGPIN_ALLOW);
	/* While it is carried out, and when it is done. */
	later(1000);
	assert_int_equal(commands(), 1);
	release(1);
	expect_done(fd);
	later(AFTER);
	assert_int_equal(commands(), 1);
	assert_null(strstr(line(1), "\"by\""));
	assert_null(strstr(line(2), "\"by\""));
	close(fd);
}

/* An operator's answer that comes while the agent gives its own one is too late. */
static void operator_late(void **state)
{
	int fd = client();

	hold(1);
	later(AFTER);
	assert_int_equal(control->arg, REGPIN_GP);
	say(fd, "allow vcpu=1\n");
	expect(fd, "");
	release(1);
	hear(fd);
	assert_memory_equal(got, "error not-held ", 15);
	assert_int_equal(commands(), 1);
	assert_int_equal(fake_agent.violations, 1);
	assert_int_equal(fake_agent.reports, 0);
	close(fd);
}

/* Each hold has its whole time, also if one follows the other at once. */
static void another_hold(void **state)
{
	int fd = client();

	hold(1);
	later(AFTER - 10);
	say(fd, "gp vcpu=1\n");
	release(1);
	expect_done(fd);
	hold(1);
	later(AFTER - 1);
	assert_int_equal(commands(), 1);
	/* The agent has not looked between two holds. */
	fake_handoff.vcpus[1].held.time = ++holds;
	run();
	later(AFTER - 1);
	assert_int_equal(commands(), 1);
	later(1);
	assert_int_equal(commands(), 2);
	close(fd);
}

static void status_shows_it(void **state)
{
	int fd = client();

	hold(1);
	fake_now += 12345;
	say(fd, "status\n");
	hear(fd);
	assert_non_null(strstr(got, "test.yaml:2:1, hold 1; without an answer: gp in 18 s\n"));
	say(fd, "status format=json\n");
	hear(fd);
	assert_non_null(strstr(got, "\"answer\":\"gp\",\"left_ms\":17655}"));
	close(fd);
}

/* All held vCPUs get an answer, in the order of their holds. */
static void several(void **state)
{
	hold(1);
	later(5);
	hold(0);
	later(AFTER);
	assert_int_equal(control->vcpu, 1);
	release(1);
	assert_int_equal(commands(), 2);
	assert_int_equal(control->vcpu, 0);
	release(0);
	assert_int_equal(fake_agent.violations, 2);
}

/* A VMM that refuses the answer, or does not give one, gets no flood of commands. */
static void without_effect(void **state)
{
	hold(1);
	later(AFTER);
	fake_answer(-EINVAL);
	run();
	assert_non_null(strstr(line(1), "\"by\":\"time\",\"result\":\"not-held\""));
	for (unsigned int i = 0; i < 59; i++)
		later(1000);
	assert_int_equal(commands(), 1);
	later(1000);
	assert_int_equal(commands(), 2);
	/* The VMM is stopped: the command expires, and is given again when that is over. */
	later(CTL_ANSWER_MS);
	assert_non_null(strstr(line(1), "\"result\":\"timeout\""));
	later(10 * AFTER);
	assert_int_equal(commands(), 2);
	fake_answer(-ECANCELED);
	run();
	assert_non_null(strstr(line(1), "\"result\":\"cancelled\""));
	later(60000);
	assert_int_equal(commands(), 3);
	release(1);
	assert_non_null(strstr(line(2), "\"by\":\"time\""));
}

/* The VMM's memory may hold anything. */
static void nonsense(void **state)
{
	uint64_t seed = 1;

	for (unsigned int i = 0; i < 20000; i++) {
		struct vcpu_status *vcpu;

		seed = seed * 6364136223846793005ull + 1;
		vcpu = &fake_handoff.vcpus[(seed >> 33) % STATUS_VCPUS];
		atomic_store(&vcpu->flags, (uint32_t)(seed >> 20));
		vcpu->vm = (uint32_t)(seed >> 11);
		vcpu->vcpu = (uint32_t)(seed >> 7);
		vcpu->held.time = seed;
		if (seed >> 60 == 0)
			fake_answer((int32_t)(seed >> 13));
		later(100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TIMED(name)	cmocka_unit_test_setup_teardown(name, begin_timed, end_timed)
		TIMED(after_the_time), TIMED(a_stop), TIMED(a_deadline), TIMED(operator_first),
		TIMED(operator_late), TIMED(another_hold), TIMED(status_shows_it),
		TIMED(several), TIMED(without_effect), TIMED(nonsense),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
