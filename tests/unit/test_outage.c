// SPDX-License-Identifier: GPL-2.0-only
/* A journal that ends and is started again, and a full disk: the agent reports both. */
#include "ctl_scene.h"

#include <fcntl.h>
#include <sys/un.h>

#include "agent/agent_output.h"
#include "agent/outage.h"
#include "agent/report.h"

static char dir[] = "/tmp/regpin-outage-XXXXXX";
static char path[64];
static struct out events, messages;
static int server = -1;
static char entry[1 << 16];	/* of the journal, received last */
static size_t entry_len;

static void serve(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	unlink(path);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	server = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(server >= 0);
	assert_int_equal(bind(server, (const struct sockaddr *)&at, sizeof(at)), 0);
}

/* The line of the last entry, from @text on. */
static const char *find(const char *text)
{
	const char *at = memmem(entry, entry_len, text, strlen(text));

	assert_non_null(at);
	return at;
}

/* Receives all entries, and returns their number. */
static unsigned int receive(void)
{
	unsigned int nr = 0;
	ssize_t n;

	while ((n = recv(server, entry, sizeof(entry), MSG_DONTWAIT)) > 0) {
		entry_len = (size_t)n;
		nr++;
		report_flush(&fake_agent);
	}
	return nr;
}

static void put(void)
{
	struct agent_event event = { .type = "message", .text = "x" };

	agent_report(&fake_agent, &event);
	report_flush(&fake_agent);
}

static void expect_status(const char *text, const char *json)
{
	int fd = client();

	say(fd, "status\n");
	hear(fd);
	assert_non_null(strstr(got, text));
	say(fd, "status format=json\n");
	hear(fd);
	assert_non_null(strstr(got, json));
	close(fd);
}

static int begin_outage(void **state)
{
	ctl = fake_begin();
	memset(&messages, 0, offsetof(struct out, buf));
	memset(&events, 0, offsetof(struct out, buf));
	messages.fifo = -1;
	messages.fd = open("/dev/null", O_RDONLY);	/* so that lines stay in the buffer */
	messages.shared = false;
	fake_launch.events_name = "the journal";
	fake_agent.events = &events;
	fake_agent.messages = &messages;
	return 0;
}

static void journal(void **state)
{
	serve();
	assert_int_equal(out_open_journal(&events, path), 0);
	put();
	assert_int_equal(receive(), 1);
	expect_status("0 events dropped\n", "\"sink_works\":true,\"lines_lost\":0,");
	/* The journal ends. */
	close(server);
	put();
	assert_true(fake_agent.outage.down);
	expect_status("; EVENTS CAN'T BE WRITTEN to the journal\n", "\"sink_works\":false,");
	/* All lines fit into the buffer. */
	serve();
	report_flush(&fake_agent);
	assert_int_equal(receive(), 2);
	find("\"event\":\"sink\",\"reason\":\"restored\",\"text\":\"events can be written again: 0 lines of events were lost\",\"count\":0,");
	expect_status("0 events dropped\n", "\"sink_works\":true,\"lines_lost\":0,");
	/* It ends again, for longer. */
	fake_agent.outage.at = 0;
	close(server);
	for (unsigned int i = 0; i < 5000; i++)
		put();
	assert_true(events.lost > 0);
	expect_status(" lines of events lost\n", "\"sink_works\":false,");
	serve();
	for (unsigned int i = 0; i < 5000 && events.len; i++) {
		report_flush(&fake_agent);
		receive();
	}
	receive();
	find("\"event\":\"sink\",\"reason\":\"restored\"");
	assert_int_equal(strtoull(find("\"count\":") + 8, NULL, 10), events.lost);
	assert_int_equal(fake_agent.outage.lost, events.lost);
	close(server);
	out_close(&events);
}

/* Lines on a full disk are lost; no event about that is tried until a line was written. */
static void full_disk(void **state)
{
	uint64_t lost;

	assert_int_equal(out_open(&events, "/dev/full"), 0);
	put();
	put();
	lost = events.lost;
	assert_int_equal(lost, 2);
	for (unsigned int i = 0; i < 10; i++)
		report_flush(&fake_agent);
	assert_int_equal(events.lost, lost);
	assert_true(fake_agent.outage.down);
	out_close(&events);
	assert_int_equal(out_open(&events, strcat(strcpy(path, dir), "/events")), 0);
	events.lost = lost;
	report_flush(&fake_agent);
	assert_true(fake_agent.outage.down);
	put();
	report_flush(&fake_agent);
	assert_false(fake_agent.outage.down);
	assert_non_null(strstr(ctl_log_line(&ctl->log, ctl->log.next - 1),
			       "\"event\":\"sink\",\"reason\":\"restored\""));
	assert_non_null(strstr(ctl_log_line(&ctl->log, ctl->log.next - 1), "\"count\":2,"));
	unlink(path);
	out_close(&events);
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
	char socket[sizeof(path)];

	snprintf(socket, sizeof(socket), "%s/socket", dir);
	unlink(socket);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(journal, begin_outage, end),
		cmocka_unit_test_setup_teardown(full_disk, begin_outage, end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
