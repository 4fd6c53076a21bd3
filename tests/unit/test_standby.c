// SPDX-License-Identifier: GPL-2.0-only
/* The agent's standby: there is one at any time, and only one becomes the agent. */
#include "cm.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/agent_state.h"
#include "agent/launch_state.h"
#include "agent/out.h"
#include "agent/standby.h"

static struct agent agent;
static struct launch launch;
static struct handoff shared;
static struct control control;
static struct out output = { .fd = -1, .fifo = -1 };
static pid_t self, at_fork;

/* Runs before each fork(2). */
static void note_standby(void)
{
	at_fork = agent.standby.pid && kill(agent.standby.pid, 0) == 0 ? agent.standby.pid : 0;
}

/* A standby that takes over, which is a failure here, forks no further one. */
static void disable(void)
{
	agent.standby.enabled = false;
}

static int begin(void **state)
{
	self = getpid();
	launch = (struct launch){
		.shared = &shared, .control = &control, .lifeline = { -1, -1 }, .seen = -1,
		.give.fds = { -1, -1 },
	};
	agent = (struct agent){
		.launch = &launch, .events = &output, .messages = &output, .start = -1,
	};
	return standby_begin(&agent);
}

static int end(void **state)
{
	standby_end(&agent);
	return 0;
}

/* Returns in the agent only: a standby that took over would end here. */
static void renew(void)
{
	standby_renew(&agent);
	if (getpid() != self)
		_exit(9);
}

/* The older standby lives until the newer one is there, whose state is the later one. */
static void always_one(void **state)
{
	pid_t first;

	renew();
	assert_int_equal(at_fork, 0);
	first = agent.standby.pid;
	assert_true(first > 0);
	assert_int_equal(atomic_load(&agent.standby.page->heir), first);
	renew();
	assert_int_equal(at_fork, first);
	assert_int_equal(atomic_load(&agent.standby.page->heir), agent.standby.pid);
	assert_int_equal(kill(first, 0), -1);
	assert_int_equal(errno, ESRCH);
}

/* The agent dies between the two steps: the standby that is not the heir ends. */
static void only_one(void **state)
{
	pid_t pid;
	int status = -1;

	renew();
	pid = agent.standby.pid;
	atomic_store(&agent.standby.page->heir, (uint32_t)self);
	close(agent.standby.pipe);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(agent.standby.fd);
	agent.standby.pid = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(always_one, begin, end),
		cmocka_unit_test_setup_teardown(only_one, begin, end),
	};

	pthread_atfork(note_standby, NULL, disable);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
