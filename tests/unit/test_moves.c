// SPDX-License-Identifier: GPL-2.0-only
/*
 * moves.c: which state counts as moved and which as left, and how other agents are
 * informed.
 */
#include "cm.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "agent/launch_state.h"
#include "agent/moves.h"
#include "agent/moves_send.h"
#include "base/clock.h"
#include "fake_agent.h"

#define STATE	0x1234567890abcdefull

static struct moves moves;
static struct arrival arrival;
static uint64_t now;

static int begin(void **state)
{
	memset(&moves, 0, sizeof(moves));
	now = 1000000;
	return 0;
}

static enum move look_in(unsigned int slot, uint64_t regs, uint64_t clock)
{
	return moves_check_departure(&moves, slot, (struct print){ regs, clock }, now,
				     &arrival);
}

static enum move look(uint64_t regs)
{
	return look_in(0, regs, 0);
}

static bool loaded(uint64_t regs)
{
	return moves_check_loading(&moves, 0, (struct print){ regs, 0 }, now);
}

static void arrive(uint64_t state, const char *name)
{
	struct ctl_request request = { .state = state, .rules = 7 };

	snprintf(request.name, sizeof(request.name), "%s", name);
	moves_add_arrival(&moves, &request, 42, now);
}

static void no_agent_takes_it(void **state)
{
	assert_int_equal(moves_sleep(&moves, now), -1);
	assert_int_equal(look(STATE), MOVE_NONE);
	assert_int_equal(moves_sleep(&moves, now), MOVES_STANDS_MS);
	now += MOVES_STANDS_MS - 1;
	assert_int_equal(look(STATE), MOVE_NONE);
	assert_int_equal(moves_sleep(&moves, now), 1);
	now++;
	assert_int_equal(moves_sleep(&moves, now), 0);
	assert_int_equal(look(STATE), MOVE_LEFT);
	now += 1000 * MOVES_STANDS_MS;
	assert_int_equal(look(STATE), MOVE_NONE);
	assert_int_equal(moves_sleep(&moves, now), -1);
	/* The VM runs on after all, and its state is taken out again. */
	assert_int_equal(look(0), MOVE_NONE);
	assert_int_equal(look(STATE), MOVE_NONE);
	now += MOVES_STANDS_MS;
	assert_int_equal(look(STATE), MOVE_LEFT);
}

static void runs_on(void **state)
{
	look(STATE);
	now += MOVES_STANDS_MS - 1;
	/* The time starts again with each state. */
	assert_int_equal(look(STATE + 1), MOVE_NONE);
	now += MOVES_STANDS_MS - 1;
	assert_int_equal(look(STATE + 1), MOVE_NONE);
	assert_int_equal(look(0), MOVE_NONE);
	now += MOVES_STANDS_MS;
	assert_int_equal(look(0), MOVE_NONE);
	assert_int_equal(moves_sleep(&moves, now), -1);
}

static void vmm_ends(void **state)
{
	look(STATE);
	now += 100;
	moves.ended = now;
	assert_int_equal(look(STATE), MOVE_NONE);
	now += MOVES_ENDED_MS - 1;
	assert_int_equal(look(STATE), MOVE_NONE);
	now++;
	assert_int_equal(look(STATE), MOVE_LEFT);
	/* A state that is nearly old enough gets no more time than that. */
	moves.ended = 0;
	look(0);
	look(STATE);
	now += MOVES_STANDS_MS - 1;
	moves.ended = now++;
	assert_int_equal(look(STATE), MOVE_LEFT);
}

static void an_agent_takes_it(void **state)
{
	/* The message of an arrival may come before the look. */
	arrive(STATE + 1, "other");
	arrive(STATE, "target");
	now += MOVES_ARRIVED_MS - 1;
	assert_int_equal(look(STATE), MOVE_MOVED);
	assert_string_equal(arrival.name, "target");
	assert_int_equal(arrival.pid, 42);
	assert_int_equal(arrival.rules, 7);
	now += 2 * MOVES_STANDS_MS;
	arrive(STATE, "target");
	assert_int_equal(look(STATE), MOVE_NONE);
	assert_int_equal(moves_sleep(&moves, now), -1);
}

static void late_word(void **state)
{
	look(STATE);
	now += MOVES_STANDS_MS;
	assert_int_equal(look(STATE), MOVE_LEFT);
	arrive(STATE, "target");
	assert_int_equal(look(STATE), MOVE_MOVED);
}

static void word_of_old(void **state)
{
	arrive(STATE, "target");
	now += MOVES_ARRIVED_MS;
	assert_int_equal(look(STATE), MOVE_NONE);
	/* One message is for one departure. */
	arrive(STATE, "target");
	assert_int_equal(look(STATE), MOVE_MOVED);
	look(0);
	assert_int_equal(look(STATE), MOVE_NONE);
	/* 0 means that there is no state, so it never matches. */
	arrive(0, "target");
	assert_int_equal(look(0), MOVE_NONE);
}

/* Idle clones are distinguished by their clocks, if those are known. */
static void clocks(void **state)
{
	struct ctl_request request = { .state = STATE, .clock = 5, .rules = 7,
				       .name = "target" };

	look_in(0, STATE, 4);
	moves_add_arrival(&moves, &request, 42, now);
	assert_int_equal(look_in(0, STATE, 4), MOVE_NONE);
	assert_int_equal(look_in(1, STATE, 5), MOVE_MOVED);
	moves_add_arrival(&moves, &request, 42, now);
	assert_int_equal(look_in(2, STATE, 0), MOVE_MOVED);
	request.clock = 0;
	moves_add_arrival(&moves, &request, 42, now);
	assert_int_equal(look_in(0, STATE, 4), MOVE_MOVED);
	/* The same registers at another time are another state. */
	assert_int_equal(look_in(0, STATE, 6), MOVE_NONE);
	now += MOVES_STANDS_MS;
	assert_int_equal(look_in(0, STATE, 6), MOVE_LEFT);
}

static void flood_of_words(void **state)
{
	char name[100];

	memset(name, 'n', sizeof(name));
	name[99] = 0;
	for (unsigned int i = 0; i < 10 * MOVES_ARRIVALS; i++)
		arrive(STATE + 1 + i, name);
	arrive(STATE, "target");
	assert_int_equal(look(STATE), MOVE_MOVED);
	assert_int_equal(look_in(1, STATE + 10 * MOVES_ARRIVALS, 0),
			 MOVE_MOVED);
	assert_int_equal(strlen(arrival.name), CTL_NAME_MAX - 1);
	assert_int_equal(look_in(2, STATE + 1, 0), MOVE_NONE);
}

static void sent_when_quiet(void **state)
{
	assert_false(loaded(0));
	assert_false(loaded(STATE));
	now += MOVES_QUIET_MS - 1;
	assert_false(loaded(STATE + 1));
	assert_true(moves_sleep(&moves, now) <= (int)MOVES_QUIET_MS);
	now += MOVES_QUIET_MS;
	assert_true(loaded(STATE + 1));
	assert_false(loaded(STATE + 1));
	assert_int_equal(moves_sleep(&moves, now), -1);
	/* Messages are limited in rate, and one process sends them at a time. */
	loaded(STATE + 2);
	now += MOVES_QUIET_MS;
	assert_false(loaded(STATE + 2));
	now += MOVES_AGAIN_MS;
	moves.sender = 4711;
	assert_false(loaded(STATE + 2));
	moves.sender = 0;
	assert_true(loaded(STATE + 2));
}

static void rules_compare(void **state)
{
	static struct regpin_policy one, two;

	fake_begin();
	one = two = fake_launch.policy;
	snprintf(two.source, sizeof(two.source), "another.yaml");
	two.rules[0].line++;
	two.rules[1].column++;
	two.number++;
	assert_int_equal(moves_hash_rules(&one), moves_hash_rules(&two));
	two.rules[1].action = REGPIN_REPORT;
	assert_int_not_equal(moves_hash_rules(&one), moves_hash_rules(&two));
	two = one;
	two.settings.detect_ms++;
	assert_int_not_equal(moves_hash_rules(&one), moves_hash_rules(&two));
	fake_end(&fake_agent.ctl);
}

static unsigned int events(const char *text)
{
	const struct ctl_log *log = &fake_agent.ctl.log;
	unsigned int n = 0;

	for (uint64_t i = ctl_log_first(log); i < log->next; i++)
		n += strstr(ctl_log_line(log, i), text) != NULL;
	return n;
}

/* The whole way through the agent: a request arrives, and events are written. */
static void sent_by_the_agent(void **state)
{
	struct ctl *ctl = fake_begin();
	struct state_seen *seen = &fake_handoff.vms[0].state;
	char line[200];
	int client = fake_client(ctl);

	seen->taken.regs = STATE;
	moves_run(&fake_agent, fake_now);
	snprintf(line, sizeof(line), "arrived state=0x%llx rules=0x%llx from=target\n",
		 (unsigned long long)STATE,
		 (unsigned long long)moves_hash_rules(&fake_launch.policy));
	assert_true(send(client, line, strlen(line), 0) > 0);
	ctl_run(ctl, fake_now);
	moves_run(&fake_agent, fake_now);
	assert_int_equal(events("\"event\":\"moved\",\"vm\":0,\"to\":\"target\",\"policy\":\"same\",\"pid\":4711,"), 1);
	assert_false(moves_must_wait(&fake_agent, fake_now));
	fake_agent.moves.ended = 0;

	seen->taken.regs = STATE + 1;
	moves_run(&fake_agent, fake_now);
	assert_int_equal(events("\"event\":\"left\""), 0);
	assert_true(moves_must_wait(&fake_agent, fake_now));
	fake_now += MOVES_ENDED_MS;
	assert_false(moves_must_wait(&fake_agent, fake_now));
	assert_int_equal(events("\"event\":\"left\",\"vm\":0,\"reason\":\"ended\""), 1);
	assert_int_equal(events("\"event\":\"moved\""), 1);

	snprintf(line, sizeof(line), "arrived state=%llu rules=1 from=target\n",
		 (unsigned long long)STATE + 1);
	assert_true(send(client, line, strlen(line), 0) > 0);
	ctl_run(ctl, fake_now);
	moves_run(&fake_agent, fake_now);
	assert_int_equal(events("\"to\":\"target\",\"policy\":\"other\""), 1);
	close(client);
	fake_end(ctl);
}

static char dir[] = "/tmp/regpin-moves-XXXXXX";

static void listen_as(struct ctl_socket *sock, const char *name)
{
	char error[200];

	assert_int_equal(ctl_listen(sock, dir, name, error, sizeof(error)), 0);
}

/* Receives what comes to @sock until its end. */
static void expect_line(const struct ctl_socket *sock, const char *wanted)
{
	struct pollfd pfd = { sock->fd, POLLIN, 0 };
	char text[200] = "";
	size_t len = 0;
	ssize_t n;
	int fd;

	assert_int_equal(poll(&pfd, 1, 2000), 1);
	fd = accept(sock->fd, NULL, NULL);
	assert_true(fd >= 0);
	while ((n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	assert_string_equal(text, wanted);
	close(fd);
}

static void sends_to_all(void **state)
{
	static const char line[] = "arrived state=1 rules=1 from=own\n";
	struct ctl_socket own, one, two, deaf, dead;
	char file[200];
	uint64_t begun;
	int status;
	pid_t pid;

	assert_non_null(mkdtemp(dir));
	listen_as(&own, "own");
	listen_as(&one, "one");
	listen_as(&deaf, "deaf");
	listen_as(&dead, "dead");
	listen_as(&two, "two");
	close(dead.fd);
	snprintf(file, sizeof(file), "%s/no-socket.sock", dir);
	close(creat(file, 0600));
	begun = clock_now();
	pid = moves_send(&own, line);
	assert_true(pid > 0);
	expect_line(&one, line);
	expect_line(&two, line);
	/* One agent never answers, so only the timeout ends the process. */
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_in_range(clock_now() - begun, 1500, 10000);
	ctl_unlisten(&deaf);
	begun = clock_now();
	pid = moves_send(&own, line);
	expect_line(&one, line);
	expect_line(&two, line);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_in_range(clock_now() - begun, 0, 1000);
	/* The agent has not sent the message to itself. */
	assert_true(accept(own.fd, NULL, NULL) < 0);
	ctl_unlisten(&one);
	ctl_unlisten(&two);
	ctl_unlisten(&own);
	close(dead.dir);
	snprintf(file, sizeof(file), "rm -r %s", dir);
	assert_int_equal(system(file), 0);
}

static void name_is_given_up(void **state)
{
	struct ctl_socket own, next;
	char name[CTL_NAME_MAX];
	char file[200];

	snprintf(dir, sizeof(dir), "/tmp/regpin-moves-XXXXXX");
	assert_non_null(mkdtemp(dir));
	listen_as(&own, "vm");
	ctl_give_up_name(&own);
	snprintf(file, sizeof(file), "vm.ended-%d", getpid());
	assert_string_equal(own.name, file);
	listen_as(&next, "vm");
	/* Both sockets exist, and each agent removes its own. */
	close(ctl_connect(dir, "vm"));
	close(ctl_connect(dir, own.name));
	ctl_unlisten(&own);
	assert_true(ctl_connect(dir, file) == -ENOENT);
	close(ctl_connect(dir, "vm"));
	ctl_unlisten(&next);
	/* Only the lock file remains. */
	snprintf(file, sizeof(file), "%s/.lock", dir);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(dir), 0);
	assert_true(ctl_file_name("vm.ended-1.sock", name));
	assert_string_equal(name, "vm.ended-1");
	assert_false(ctl_file_name(".sock", name));
	assert_false(ctl_file_name("vm.socks", name));
	assert_false(ctl_file_name("-vm.sock", name));
}

#define TEST(name)	cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_agent_takes_it),
		TEST(runs_on),
		TEST(vmm_ends),
		TEST(an_agent_takes_it),
		TEST(late_word),
		TEST(word_of_old),
		TEST(clocks),
		TEST(flood_of_words),
		TEST(sent_when_quiet),
		TEST(rules_compare),
		TEST(sent_by_the_agent),
		TEST(sends_to_all),
		TEST(name_is_given_up),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
