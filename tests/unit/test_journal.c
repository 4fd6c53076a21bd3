// SPDX-License-Identifier: GPL-2.0-only
/* Events as entries of the journal, which a socket of the test receives. */
#include "cm.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/journal.h"
#include "agent/journal_entry.h"
#include "agent/journal_table.h"
#include "agent/out.h"

#define SEALS	(F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

static const char violation[] =
	"{\"time\":\"2026-11-30T08:06:30.892697855Z\",\"event\":\"violation\",\"vm\":0,"
	"\"vcpu\":3,\"register\":\"EFER\",\"index\":\"0xc0000080\",\"access\":\"write\","
	"\"bits\":[\"SCE\",\"NXE\",16],\"value\":\"0x1\",\"rule\":\"sticky\","
	"\"where\":\"linux.yaml:66:5\",\"verdict\":\"gp\",\"severity\":\"alert\"}";

static char dir[] = "/tmp/regpin-journal-XXXXXX", path[64];
static char got[1 << 20];	/* the entry received last */
static size_t got_len;
static struct out out;

static int serve(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0), size = 1 << 20;

	unlink(path);
	memcpy(at.sun_path, path, strlen(path));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

/* Receives an entry. Returns 1 for a datagram, 2 for a sealed file, 0 for none. */
static int receive(int fd)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { got, sizeof(got) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT);
	const struct cmsghdr *head = CMSG_FIRSTHDR(&msg);
	struct stat st;
	int memfd;

	got_len = n > 0 ? (size_t)n : 0;
	if (n < 0 || !head)
		return n >= 0;
	assert_int_equal(n, 0);
	memcpy(&memfd, CMSG_DATA(head), sizeof(int));
	assert_int_equal(fcntl(memfd, F_GET_SEALS), SEALS);
	assert_int_equal(fstat(memfd, &st), 0);
	assert_in_range(st.st_size, 1, sizeof(got));
	got_len = (size_t)st.st_size;
	assert_int_equal(pread(memfd, got, got_len, 0), got_len);
	close(memfd);
	return 2;
}

/* The value of the @nth field @name, or NULL. The whole entry must be well-formed. */
static const char *field(const char *name, unsigned int nth, size_t *len)
{
	const char *found = NULL;

	for (size_t at = 0; at < got_len;) {
		char *end = memchr(got + at, '\n', got_len - at);
		size_t name_len;
		uint64_t size;

		assert_non_null(end);
		name_len = (size_t)(end - got) - at;
		assert_in_range(name_len, 1, 64);
		assert_int_equal(strspn(got + at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"),
				 name_len);
		assert_true(got[at] >= 'A' && got[at] <= 'Z');
		memcpy(&size, end + 1, sizeof(size));
		size = le64toh(size);
		assert_in_range(size, 0, got_len - (size_t)(end + 10 - got));
		assert_int_equal(end[9 + size], '\n');
		if (name_len == strlen(name) && !memcmp(got + at, name, name_len) && !nth--) {
			found = end + 9;
			*len = size;
		}
		at = (size_t)(end - got) + 10 + size;
	}
	return found;
}

static void expect_bytes(const char *name, unsigned int nth, const char *value, size_t size)
{
	size_t len = 0;
	const char *is = field(name, nth, &len);

	assert_non_null(is);
	assert_int_equal(len, size);
	assert_memory_equal(is, value, size);
}

static void expect(const char *name, const char *value)
{
	expect_bytes(name, 0, value, strlen(value));
}

static void make(const char *line)
{
	char *entry = journal_entry(line, strlen(line), &got_len);

	assert_non_null(entry);
	assert_in_range(got_len, 1, sizeof(got));
	memcpy(got, entry, got_len);
	free(entry);
}

static void all_keys(void **state)
{
	size_t len;

	make(violation);
	expect("REGPIN_TIME", "2026-11-30T08:06:30.892697855Z");
	expect("REGPIN_EVENT", "violation");
	expect("REGPIN_VM", "0");
	expect("REGPIN_VCPU", "3");
	expect("REGPIN_REGISTER", "EFER");
	expect("REGPIN_INDEX", "0xc0000080");
	expect("REGPIN_ACCESS", "write");
	expect("REGPIN_BITS", "SCE");
	expect_bytes("REGPIN_BITS", 1, "NXE", 3);
	expect_bytes("REGPIN_BITS", 2, "16", 2);
	assert_null(field("REGPIN_BITS", 3, &len));
	expect("REGPIN_VALUE", "0x1");
	expect("REGPIN_RULE", "sticky");
	expect("REGPIN_WHERE", "linux.yaml:66:5");
	expect("REGPIN_VERDICT", "gp");
	expect("REGPIN_JSON", violation);
	expect("SYSLOG_IDENTIFIER", "regpin");
	expect("REGPIN_SEVERITY", "alert");
	expect("PRIORITY", "3");
	expect("MESSAGE_ID", journal_type("violation")->id);
	expect("MESSAGE", "a guest's access violated a rule of its policy (vm 0, vcpu 3, register EFER, access write, bits SCE NXE 16, rule sticky, where linux.yaml:66:5, verdict gp)");
}

static void values(void **state)
{
	static const char bytes[] = "a\nMESSAGE=x\n\0\x1f\"\\\xc3\xa9\xe2\x80\xa8\xc2\x85\t/";

	make("{\"time\":\"x\",\"event\":\"message\",\"text\":\"a\\nMESSAGE=x\\n\\u0000\\u001f\\\"\\\\\xc3\xa9\\u2028\\u0085\\t\\/\"}");
	expect_bytes("REGPIN_TEXT", 0, bytes, sizeof(bytes) - 1);
	expect("REGPIN_EVENT", "message");
	make("{\"event\":\"control\",\"operator\":{\"uid\":0,\"pid\":[4711,\"}\"]},\"late\":true,\"took_ms\":3}");
	expect("REGPIN_OPERATOR", "{\"uid\":0,\"pid\":[4711,\"}\"]}");
	expect("REGPIN_LATE", "true");
	expect("REGPIN_TOOK_MS", "3");
	make("{\"event\":\"new-event\",\"a-b\":\"\",\"json\":1,\"list\":[]}");
	expect("REGPIN_A_B", "");
	expect("MESSAGE", "an event");
	expect("REGPIN_JSON", "{\"event\":\"new-event\",\"a-b\":\"\",\"json\":1,\"list\":[]}");
	make("{}");
	expect("PRIORITY", "5");
}

static void priorities(void **state)
{
	make("{\"event\":\"left\",\"severity\":\"warning\"}");
	expect("PRIORITY", "4");
	make("{\"event\":\"left\",\"severity\":\"notice\"}");
	expect("PRIORITY", "5");
	make("{\"event\":\"left\",\"severity\":\"info\"}");
	expect("PRIORITY", "6");
	make("{\"event\":\"left\",\"severity\":\"another\"}");
	expect("PRIORITY", "5");
}

/* Whatever the line is, the entry is well-formed and holds it. */
static void broken_lines(void **state)
{
	static const char *const lines[] = {
		"", "x", "{", "{\"", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":}", "{\"a\":[}",
		"{\"a\":[1}", "{\"a\":[,]}", "{\"a\":\"\\", "{\"a\":\"\\u12\"}", "{\"a\":1}}",
		"{\"a\":1 }", "[1]", "{\"a\":{]}", "{\"a\":\"b\"c}", "regpin: text",
	};
	char copy[sizeof(violation)];

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		make(lines[i]);
		expect("REGPIN_JSON", lines[i]);
	}
	for (size_t i = 0; i < sizeof(violation); i++) {
		memcpy(copy, violation, i);
		copy[i] = 0;
		make(copy);
		expect("REGPIN_JSON", copy);
	}
}

static void large_values(void **state)
{
	static const size_t sizes[] = { 10, 4096, 100000, 400000 };
	int server = serve(), fd = journal_connect(path), small = 4608;
	static char line[500000], text[500000];

	assert_true(fd >= 0);
	memset(text, 'y', sizeof(text));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t size = sizes[i], len;

		len = (size_t)snprintf(line, sizeof(line),
				       "{\"event\":\"message\",\"text\":\"%.*s\"}",
				       (int)size, text);
		assert_int_equal(journal_send(fd, line, len), 0);
		assert_int_equal(receive(server), size > 1000 ? 2 : 1);
		expect_bytes("REGPIN_TEXT", 0, text, size);
		expect_bytes("REGPIN_JSON", 0, line, len);
	}
	assert_int_equal(receive(server), 0);
	close(fd);
	close(server);
}

static void put(unsigned int number)
{
	char line[64];
	int len = snprintf(line, sizeof(line), "{\"event\":\"armed\",\"vm\":%u}\n", number);

	out_line(&out, line, (size_t)len);
	assert_int_equal(out_flush(&out), 0);
}

static void expect_number(int server, const char *number)
{
	assert_int_equal(receive(server), 1);
	expect("REGPIN_VM", number);
}

static void journal_comes_and_goes(void **state)
{
	int server;

	unlink(path);
	assert_int_equal(out_open_journal(&out, path), -ENOENT);
	server = serve();
	close(server);
	assert_int_equal(out_open_journal(&out, path), -ECONNREFUSED);
	server = serve();
	assert_int_equal(out_open_journal(&out, path), 0);
	put(1);
	put(2);
	expect_number(server, "1");
	expect_number(server, "2");
	/* The journal is started again: the lines from the time without it are kept. */
	close(server);
	put(3);
	unlink(path);
	put(4);
	assert_int_equal(receive(-1), 0);
	server = serve();
	put(5);
	expect_number(server, "3");
	expect_number(server, "4");
	expect_number(server, "5");
	assert_int_equal(out.len, 0);
	assert_int_equal(out.lost, 0);
	close(server);
	/*
	 * The journal does not come back: the agent does not wait, and counts the lost
	 * lines.
	 */
	for (unsigned int i = 0; i < OUT_SIZE / 16; i++)
		put(1000000 + i);
	assert_in_range(out.lost, 1, OUT_SIZE / 16);
	out_give_up(&out);
	assert_int_equal(out.lost, OUT_SIZE / 16);
	out_close(&out);
}

/* A journal that does not read must not make the agent wait. */
static void slow_journal(void **state)
{
	int server = serve(), nr = 0;

	assert_int_equal(out_open_journal(&out, path), 0);
	for (unsigned int i = 0; i < 3000; i++)
		put(i);
	assert_true(out.len > 0);
	assert_int_equal(out.lost, 0);
	while (receive(server)) {
		char number[12];

		snprintf(number, sizeof(number), "%d", nr++);
		expect("REGPIN_VM", number);
		assert_int_equal(out_flush(&out), 0);
	}
	assert_int_equal(nr, 3000);
	out_close(&out);
	close(server);
}

static int set_up(void **state)
{
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/socket", dir);
	return 0;
}

static int tear_down(void **state)
{
	unlink(path);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_keys), cmocka_unit_test(values),
		cmocka_unit_test(priorities),
		cmocka_unit_test(broken_lines), cmocka_unit_test(large_values),
		cmocka_unit_test(journal_comes_and_goes), cmocka_unit_test(slow_journal),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
