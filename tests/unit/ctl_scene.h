/* SPDX-License-Identifier: GPL-2.0-only */
/* The agent's control socket and its clients, without a VMM. */
#ifndef REGPIN_TESTS_UNIT_CTL_SCENE_H
#define REGPIN_TESTS_UNIT_CTL_SCENE_H

#include "cm.h"

#include <errno.h>
#include <stdio.h>

#include "fake_agent.h"

static struct ctl *ctl;
static char got[1 << 20];		/* the text received last */

static inline int begin(void **state)
{
	ctl = fake_begin();
	return 0;
}

static inline int end(void **state)
{
	fake_end(ctl);
	return 0;
}

static inline void run(void)
{
	ctl_run(ctl, fake_now);
}

static inline void later(uint64_t ms)
{
	fake_now += ms;
	run();
}

static inline void say_bytes(int fd, const char *text, size_t len)
{
	assert_int_equal(send(fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT), len);
	run();
}

static inline void say(int fd, const char *text)
{
	say_bytes(fd, text, strlen(text));
}

/* Reads all that has arrived into `got`. Returns false at the end of the connection. */
static inline bool hear(int fd)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = recv(fd, got + len, sizeof(got) - 1 - len, MSG_DONTWAIT);
		len += n > 0 ? (size_t)n : 0;
		run();
	} while (n > 0);
	got[len] = 0;
	return n != 0 && (n > 0 || errno == EAGAIN);
}

static inline void expect(int fd, const char *text)
{
	hear(fd);
	assert_string_equal(got, text);
}

/* Checks that a command is done: one data line or more, and "ok" without a "but". */
static inline void expect_done(int fd)
{
	size_t len;

	hear(fd);
	len = strlen(got);
	assert_memory_equal(got, "data ", 5);
	assert_true(len > 4);
	assert_string_equal(got + len - 4, "\nok\n");
	assert_null(strstr(got, "error "));
}

/* Connects a client and reads the greeting. */
static inline int client(void)
{
	int fd = fake_client(ctl);

	run();
	expect(fd, "regpin-ctl 1 vm1\n");
	return fd;
}

static inline void expect_closed(int fd)
{
	char byte;

	assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), 0);
	close(fd);
}

static inline unsigned int lines(const char *prefix)
{
	unsigned int nr = 0;

	for (const char *at = got; *at; at = strchr(at, '\n') + 1)
		nr += strncmp(at, prefix, strlen(prefix)) == 0;
	return nr;
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, begin, end)

#endif
