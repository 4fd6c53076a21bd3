// SPDX-License-Identifier: GPL-2.0-only
/* The names of sinks, and a file of events that is opened again. */
#include "cm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/out.h"
#include "agent/sink.h"

static char dir[] = "/tmp/regpin-sink-XXXXXX";
static struct out out;

static void names(void **state)
{
	static const struct {
		const char *text;
		enum sink_kind kind;
		int fd;
		bool good;
	} rows[] = {
		{ NULL, SINK_DEFAULT, -1, true },
		{ "-", SINK_STDERR, -1, true },
		{ "/dev/stderr", SINK_STDERR, 2, true },
		{ "fd:2", SINK_STDERR, 2, true },
		{ "/dev/stdout", SINK_FD, 1, true },
		{ "fd:1", SINK_FD, 1, true },
		{ "/dev/fd/1", SINK_FD, 1, true },
		{ "/proc/self/fd/1", SINK_FD, 1, true },
		{ "journal", SINK_JOURNAL, -1, true },
		{ "./journal", SINK_FILE, -1, true },
		{ "fd", SINK_FILE, -1, true },
		{ "/dev/null", SINK_FILE, -1, true },
		{ "/dev/stdout2", SINK_FILE, -1, true },
		{ "", SINK_FILE, -1, true },
		{ "fd:", SINK_FD, -1, false },
		{ "fd:-1", SINK_FD, -1, false },
		{ "fd:+1", SINK_FD, -1, false },
		{ "fd: 1", SINK_FD, -1, false },
		{ "fd:0x1", SINK_FD, -1, false },
		{ "fd:4294967297", SINK_FD, -1, false },
		{ "fd:999999999", SINK_FD, 999999999, false },
		{ "/dev/fd/1/", SINK_FD, -1, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sink sink;
		const char *fault = sink_find(&sink, rows[i].text);

		assert_int_equal(!fault, rows[i].good);
		assert_int_equal(sink.kind, rows[i].kind);
		assert_int_equal(sink.fd, rows[i].fd);
	}
}

static bool is_good(int fd)
{
	struct sink sink;
	char text[32];

	snprintf(text, sizeof(text), "fd:%d", fd);
	return !sink_find(&sink, text);
}

static void descriptors(void **state)
{
	int ends[2], reader = open("/dev/null", O_RDONLY), path = open("/dev/null", O_PATH);
	int event;

	assert_int_equal(pipe(ends), 0);
	assert_true(is_good(ends[1]));
	assert_false(is_good(ends[0]));
	assert_false(is_good(reader));
	assert_false(is_good(path));
	close(ends[0]);
	close(ends[1]);
	assert_false(is_good(ends[1]));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_true(is_good(ends[0]));
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	assert_false(is_good(ends[0]));
	close(ends[0]);
	close(ends[1]);
	event = eventfd(0, 0);
	assert_true(event >= 0);
	assert_false(is_good(event));
	close(event);
	close(reader);
	close(path);
}

static void put(const char *line)
{
	out_line(&out, line, strlen(line));
}

static void expect(const char *path, const char *text)
{
	char is[256] = "";
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0);
	assert_true(read(fd, is, sizeof(is) - 1) >= 0);
	close(fd);
	assert_string_equal(is, text);
}

static void reopen(void **state)
{
	struct stat st;

	assert_int_equal(out_open(&out, "events"), 0);
	put("1\n");
	assert_int_equal(out_flush(&out), 0);
	assert_int_equal(rename("events", "events.1"), 0);
	put("2\n");
	assert_int_equal(out_reopen(&out, "events"), 0);
	put("3\n");
	assert_int_equal(out_flush(&out), 0);
	expect("events.1", "1\n");
	expect("events", "2\n3\n");
	assert_int_equal(stat("events", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* A file that cannot be opened leaves everything as it was. */
	assert_int_equal(rename("events", "events.2"), 0);
	assert_int_equal(symlink("events.2", "events"), 0);
	assert_int_equal(out_reopen(&out, "events"), -ELOOP);
	assert_int_equal(out_reopen(&out, "."), -EISDIR);
	assert_int_equal(out_reopen(&out, "no/such"), -ENOENT);
	put("4\n");
	assert_int_equal(out_flush(&out), 0);
	expect("events.2", "2\n3\n4\n");
	out_close(&out);
	assert_int_equal(out.lost, 0);
}

/* The old file has a part of a line: the new one begins with a whole line. */
static void part_of_a_line(void **state)
{
	char text[64];
	ssize_t n;
	int fd;

	assert_int_equal(mkfifo("fifo", 0600), 0);
	fd = open("fifo", O_RDONLY | O_NONBLOCK);
	assert_true(fd >= 0);
	assert_int_equal(out_open(&out, "fifo"), 0);
	fcntl(fd, F_SETPIPE_SZ, 4096);
	for (unsigned int i = 0; i < 1000; i++)
		put("0123456789\n");
	out_flush(&out);
	assert_true(out.mid);
	assert_int_equal(out_reopen(&out, "rest"), 0);
	assert_int_equal(out.lost, 1);
	assert_int_equal(out_flush(&out), 0);
	out_close(&out);
	close(fd);
	fd = open("rest", O_RDONLY);
	n = read(fd, text, sizeof(text));
	assert_int_equal(n, sizeof(text));
	assert_memory_equal(text, "0123456789\n0123", 15);
	close(fd);
}

static int set_up(void **state)
{
	return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	static const char *const files[] = {
		"events", "events.1", "events.2", "fifo", "rest",
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlink(files[i]);
	return chdir("/") || rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names), cmocka_unit_test(descriptors),
		cmocka_unit_test(reopen), cmocka_unit_test(part_of_a_line),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
