// SPDX-License-Identifier: GPL-2.0-only
/* The agent's clients: followers, hostile ones, unauthorised ones; and its socket. */
#include "ctl_scene.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "agent/agent_output.h"

static void put_events(unsigned int nr)
{
	char line[64];

	for (unsigned int i = 0; i < nr; i++) {
		int len = snprintf(line, sizeof(line), "{\"n\":%u}\n", i);

		agent_write_line(&fake_agent, line, (size_t)len);
	}
}

/* Expects lines of put_events(), by their @numbers; @seq is the number of the first one. */
static void expect_events(int fd, const char *numbers, unsigned int seq)
{
	const char *at = got;
	char head[64];

	hear(fd);
	assert_int_equal(lines("data "), strlen(numbers));
	for (; *numbers; numbers++) {
		snprintf(head, sizeof(head), "data {\"n\":%c,\"version\":1,\"seq\":%u,\"name\":\"vm1\",\"host\":",
			 *numbers, seq++);
		at = strstr(at, head);
		assert_non_null(at);
	}
}

static void follows(void **state)
{
	int fd = client(), all = client();

	put_events(3);
	say(fd, "events follow=yes\n");
	say(all, "events last=2 follow=yes\n");
	expect(fd, "");
	expect_events(all, "12", 2);
	put_events(2);
	run();
	expect_events(fd, "01", 4);
	/* A follower is never idle. */
	later(10 * CTL_IDLE_MS);
	put_events(1);
	run();
	expect_events(fd, "0", 6);
	fake_end(ctl);
	hear(fd);
	assert_string_equal(got, "ok the VMM has ended\n");
	expect_closed(fd);
	close(all);
	ctl = fake_begin();
}

/* A follower that falls behind loses lines, receives their number, and delays no one. */
static void slow_follower(void **state)
{
	unsigned int dropped = 0, seen = 0;
	int fd = client();
	char *at;

	say(fd, "events follow=yes\n");
	for (int i = 0; i < 200; i++) {
		put_events(1000);
		run();
	}
	for (int i = 0; i < 50; i++) {
		hear(fd);
		seen += lines("data ");
		for (at = strstr(got, "dropped "); at; at = strstr(at, "dropped ")) {
			dropped += (unsigned int)strtoul(at + 8, NULL, 10);
			at++;
		}
	}
	assert_true(dropped > 0);
	assert_int_equal(seen + dropped, 200 * 1000);
	close(fd);
}

static void too_many_clients(void **state)
{
	int fds[CTL_CLIENTS], fd;

	for (unsigned int i = 0; i < CTL_CLIENTS; i++)
		fds[i] = client();
	fd = fake_client(ctl);
	hear(fd);
	assert_int_equal(lines("error busy "), 1);
	expect_closed(fd);
	for (unsigned int i = 0; i < CTL_CLIENTS; i++) {
		say(fds[i], "events follow=yes\n");
		hear(fds[i]);
		assert_int_equal(lines("error busy "), i >= CTL_FOLLOWERS);
	}
	/* An idle client is disconnected to make room; a follower that keeps up is not. */
	later(CTL_STALLED_MS);
	fd = client();
	say(fd, "help\n");
	hear(fd);
	assert_int_equal(lines("ok"), 1);
	assert_true(hear(fds[0]));
	close(fd);
	for (unsigned int i = 0; i < CTL_CLIENTS; i++)
		close(fds[i]);
	run();
	for (unsigned int i = 0; i < CTL_CLIENTS; i++)
		assert_int_equal(ctl->conns[i].state, CONN_FREE);
}

static void idle_clients(void **state)
{
	int fd = client(), slow = client(), body = client();

	say(body, "policy size=100\nversion: 1\n");
	later(CTL_IDLE_MS - 1);
	assert_true(hear(fd));
	/* Bytes that do not complete a request do not extend the time. */
	say(slow, "sta");
	say(body, "rules:\n");
	later(1);
	expect_closed(fd);
	expect_closed(slow);
	expect_closed(body);
}

static void long_lines(void **state)
{
	char line[CTL_LINE_MAX];
	int fd = client();

	memset(line, 'x', sizeof(line));
	say_bytes(fd, line, sizeof(line) - 1);
	expect(fd, "");
	say_bytes(fd, "x", 1);
	hear(fd);
	assert_int_equal(lines("error too-long "), 1);
	expect_closed(fd);
	fd = client();
	line[sizeof(line) - 1] = '\n';
	say_bytes(fd, line, sizeof(line));
	hear(fd);
	assert_int_equal(lines("error syntax "), 1);
	close(fd);
}

/*
 * A client floods requests and reads no answer: the backlog is bounded, and others are
 * served.
 */
static void flooding_client(void **state)
{
	int fd = client(), other = client();
	char lines_[4096];
	size_t sent = 0;
	ssize_t n;

	for (size_t i = 0; i + 7 <= sizeof(lines_); i += 7)
		memcpy(lines_ + i, "status\n", 7);
	for (int i = 0; i < 2000; i++) {
		n = send(fd, lines_, 4095, MSG_NOSIGNAL | MSG_DONTWAIT);
		sent += n > 0 ? (size_t)n : 0;
		run();
	}
	/*
	 * The bound is the socket buffers and the agent's own, which is less than the
	 * client could send.
	 */
	assert_true(sent < 2000 * 4095 / 2);
	say(other, "help\n");
	hear(other);
	assert_int_equal(lines("ok"), 1);
	close(fd);
	run();
	close(other);
}

static void dying_clients(void **state)
{
	const struct control *control = &fake_control;
	int fd = client(), queued = client();

	say(fd, "arm\n");
	say(queued, "disarm\n");
	close(queued);
	close(fd);
	run();
	/* The command that the VMM is doing continues; the one that waited is dropped. */
	assert_int_equal(atomic_load(&control->request), 1);
	fd = client();
	say(fd, "window-end\n");
	fake_answer(0);
	run();
	assert_int_equal(atomic_load(&control->request), 2);
	assert_int_equal(control->command, CONTROL_WINDOW_END);
	fake_answer(0);
	run();
	expect_done(fd);
	close(fd);
	/* The client has closed one direction: its requests are still answered. */
	fd = client();
	assert_int_equal(send(fd, "help\nhel", 8, 0), 8);
	shutdown(fd, SHUT_WR);
	run();
	hear(fd);
	assert_int_equal(lines("ok"), 1);
	expect_closed(fd);
	/* The client closes in the middle of a policy. */
	fd = client();
	say(fd, "policy size=5000\nversion");
	shutdown(fd, SHUT_WR);
	run();
	expect_closed(fd);
}

static void strangers(void **state)
{
	char first[256];
	int fd;

	fd = fake_client_of(ctl, 4242);
	assert_int_equal(send(fd, "arm\n", 4, MSG_NOSIGNAL), -1);
	hear(fd);
	assert_string_equal(got, "error denied this VM belongs to another user\n");
	expect_closed(fd);
	for (int i = 0; i < 500; i++)
		close(fake_client_of(ctl, 4242));
	fake_now += 1000;
	close(fake_client_of(ctl, 4243));
	assert_int_equal(atomic_load(&fake_control.request), 0);
	assert_int_equal(ctl->log.next, 2);
	snprintf(first, sizeof(first), "%s", ctl_log_line(&ctl->log, 1));
	assert_non_null(strstr(first, "\"operator\":{\"uid\":4243,\"pid\":4711},\"result\":\"denied\",\"count\":501,"));
	ctl->uid = 4242;
	fd = fake_client_of(ctl, 4242);
	run();
	expect(fd, "regpin-ctl 1 vm1\n");
	close(fd);
}

/* A compromised VMM writes random bytes into what `status` shows. */
static void hostile_memory(void **state)
{
	unsigned char *bytes = (unsigned char *)&fake_handoff.vms;
	size_t size = sizeof(fake_handoff) - offsetof(struct handoff, vms);
	uint64_t seed = 5;
	int fd = client();

	for (int round = 0; round < 8; round++) {
		for (size_t i = 0; i < size; i++)
			bytes[i] = (unsigned char)(random64(&seed) >> 24);
		say(fd, round & 1 ? "status\n" : "status format=json\n");
		hear(fd);
		assert_int_equal(lines("ok"), 1);
		for (const char *c = got; *c; c++)
			assert_true(*c == '\n' || (unsigned char)*c >= ' ');
		say(fd, "allow vcpu=1\n");
		fake_answer(-ENOENT);
		run();
		hear(fd);
	}
	close(fd);
}

static void sockets(void **state)
{
	char dir[] = "/tmp/regpin-test-XXXXXX", path[64], error[512];
	struct ctl_socket one, two;
	struct stat st;
	int fd, stale;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/ctl", dir);
	assert_int_equal(ctl_listen(&one, path, "a", error, sizeof(error)), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	snprintf(path, sizeof(path), "%s/ctl/a.sock", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	snprintf(path, sizeof(path), "%s/ctl", dir);
	assert_int_equal(ctl_listen(&two, path, "a", error, sizeof(error)),
			 -EADDRINUSE);
	assert_non_null(strstr(error, "--name"));
	fd = ctl_connect(path, "a");
	assert_true(fd >= 0);
	close(fd);
	/* The agent was killed: the file exists, and no process listens. */
	stale = dup(one.dir);
	close(one.fd);
	close(one.dir);
	assert_int_equal(ctl_connect(path, "a"), -ECONNREFUSED);
	assert_int_equal(ctl_listen(&two, path, "a", error, sizeof(error)), 0);
	ctl_unlisten(&two);
	assert_int_equal(ctl_connect(path, "a"), -ENOENT);
	/* A file that is not a socket is not removed. */
	fd = openat(stale, "b.sock", O_CREAT | O_WRONLY, 0600);
	close(fd);
	assert_int_equal(ctl_listen(&two, path, "b", error, sizeof(error)),
			 -EEXIST);
	assert_int_equal(unlinkat(stale, "b.sock", 0), 0);
	/* Other users could put a socket into this directory. */
	assert_int_equal(fchmod(stale, 0777), 0);
	assert_int_equal(ctl_listen(&two, path, "c", error, sizeof(error)),
			 -EPERM);
	assert_non_null(strstr(error, "0700"));
	close(stale);
	rmdir(path);
	rmdir(dir);
}

static void names(void **state)
{
	char name[CTL_NAME_MAX + 1];

	assert_null(ctl_name_fault("vm-1.b_c"));
	assert_null(ctl_name_fault("1234"));
	assert_non_null(ctl_name_fault(""));
	assert_non_null(ctl_name_fault("."));
	assert_non_null(ctl_name_fault("-x"));
	assert_non_null(ctl_name_fault("a/b"));
	assert_non_null(ctl_name_fault("a b"));
	assert_non_null(ctl_name_fault("\xc3\xa4"));
	memset(name, 'a', sizeof(name));
	name[CTL_NAME_MAX] = 0;
	assert_non_null(ctl_name_fault(name));
	name[CTL_NAME_MAX - 1] = 0;
	assert_null(ctl_name_fault(name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(follows), TEST(slow_follower), TEST(too_many_clients),
		TEST(idle_clients), TEST(long_lines), TEST(flooding_client),
		TEST(dying_clients), TEST(strangers), TEST(hostile_memory),
		TEST(sockets), TEST(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
