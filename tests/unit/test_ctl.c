// SPDX-License-Identifier: GPL-2.0-only
/* The agent's side of `regpin ctl`: answers, the queue, and clients that harm. */
#include "cm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "fake_agent.h"
#include "tell.h"

static struct ctl *ctl;
static char got[1 << 20];

static int begin(void **state)
{
	ctl = fake_begin();
	return 0;
}

static int end(void **state)
{
	fake_end(ctl);
	return 0;
}

static void run(void)
{
	ctl_run(ctl, fake_now);
}

static void later(uint64_t ms)
{
	fake_now += ms;
	run();
}

static void say_bytes(int fd, const char *text, size_t len)
{
	assert_int_equal(send(fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT), len);
	run();
}

static void say(int fd, const char *text)
{
	say_bytes(fd, text, strlen(text));
}

/* All that is there, in `got`. Returns false at the end of the connection. */
static bool hear(int fd)
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

static void expect(int fd, const char *text)
{
	hear(fd);
	assert_string_equal(got, text);
}

/* A client that has been greeted. */
static int client(void)
{
	int fd = fake_client(ctl);

	run();
	expect(fd, "regpin-ctl 1 vm1\n");
	return fd;
}

static void expect_closed(int fd)
{
	char byte;

	assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), 0);
	close(fd);
}

static unsigned int lines(const char *prefix)
{
	unsigned int nr = 0;

	for (const char *at = got; *at; at = strchr(at, '\n') + 1)
		nr += strncmp(at, prefix, strlen(prefix)) == 0;
	return nr;
}

static void answers(void **state)
{
	int fd = client();

	say(fd, "status\n");
	expect(fd, "data vm1: policy test.yaml (2 rules, mode enforce), 0 violations stopped, 0 let pass, 0 detected, 0 events dropped\n"
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
	assert_non_null(strstr(got, "data {\"vm\":0,\"vcpu\":1,\"armed\":true,\"fresh\":false,\"held\":true,\"why\":{\"time\":\"1970-01-01T00:00:00.000000000Z\",\"event\":\"violation\",\"vm\":0,\"vcpu\":1,\"register\":\"CR0\",\"access\":\"write\",\"bits\":[\"WP\"],\"old\":\"0x80050033\",\"new\":\"0x80040033\",\"value\":\"0x80050033\",\"rule\":\"sticky\",\"where\":\"test.yaml:2:1\",\"verdict\":\"pause\"}}\nok\n"));
	say(fd, "nonsense\n");
	expect(fd, "error syntax there is no request 'nonsense': 'help' lists them\n");
	say(fd, "help\n");
	hear(fd);
	assert_int_equal(lines("data "), CTL_VERB_MAX);
	close(fd);
}

/* Many requests in one go are answered in their order. */
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
		{ "window for=60000 once=yes vm=0\n", CONTROL_WINDOW, 0, 60000 },
		{ "window-end\n", CONTROL_WINDOW_END, CONTROL_ALL_VMS, 0 },
		{ "allow vcpu=1 vm=0\n", CONTROL_ANSWER, 0, REGPIN_ALLOW },
		{ "gp vcpu=1 vm=0\n", CONTROL_ANSWER, 0, REGPIN_GP },
		{ "stop vcpu=1\n", CONTROL_ANSWER, 0, REGPIN_STOP },
	};
	const struct control *control = &fake_handoff.control;
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
		expect(fd, "ok\n");
	}
	assert_int_equal(control->vcpu, 1);
	close(fd);
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
		assert_memory_equal(got, rows[i].answer,
				    strlen(rows[i].answer));
	}
	/* The VMM's process names what did not fit. */
	fake_handoff.control.overflow_base = 0x80000000;
	fake_handoff.control.overflow_nmsrs = 16;
	fake_handoff.control.overflow_flags = ACCESS_READ | OVERFLOW_VMM;
	fake_handoff.control.overflow_more = UINT32_MAX;
	say(fd, "mode to=report\n");
	hear(fd);
	fake_answer(-E2BIG);
	run();
	hear(fd);
	assert_non_null(strstr(got, "error refused KVM's 16 ranges have no room for reads of MSRs 0x80000000-0x8000000f (the VMM's filter) and 4294967295 more: "));
	assert_non_null(strstr(got, ": the old policy stays\n"));
	/* Known without asking the VMM. */
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

/* Each command is an event, with who gave it. */
static void events_of_commands(void **state)
{
	int fd = client();

	say(fd, "window for=5000 vm=0\n");
	fake_now += 7;
	fake_answer(0);
	run();
	hear(fd);
	say(fd, "events last=1\n");
	hear(fd);
	assert_non_null(strstr(got, "\"event\":\"control\",\"command\":\"window\",\"vm\":0,\"for_ms\":5000,\"once\":false,\"operator\":{\"uid\":0,\"pid\":4711},\"result\":\"done\",\"took_ms\":7}\nok\n"));
	/* What is asked changes nothing, and is none. */
	say(fd, "events\n");
	hear(fd);
	assert_int_equal(lines("data "), 1);
	close(fd);
}

static void window_is_shown(void **state)
{
	int fd = client();

	say(fd, "window for=60000 once=yes\n");
	fake_answer(0);
	run();
	atomic_fetch_or(&fake_handoff.vms[0].flags, STATUS_WINDOW);
	later(20500);
	hear(fd);
	say(fd, "status\n");
	hear(fd);
	assert_non_null(strstr(got, "WINDOW OPEN for 40 s more or until a guest sets LSTAR"));
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
		assert_int_equal(atomic_load(&fake_handoff.control.request),
				 i + 1);
		assert_int_equal(fake_handoff.control.vm, CTL_CLIENTS - i);
		fake_answer(0);
		run();
		expect(fds[(i * 7) % CTL_CLIENTS], "ok\n");
	}
	for (uint32_t i = 0; i < CTL_CLIENTS; i++)
		close(fds[i]);
}

/* A VMM that is stopped: told in time, and its late answer is nobody else's. */
static void late_answer(void **state)
{
	const struct control *control = &fake_handoff.control;
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
	/* Withdrawn, and nothing else is put in its place. */
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

	atomic_store(&fake_handoff.control.done, 77);
	say(fd, "arm\n");
	expect(fd, "");
	atomic_store(&fake_handoff.control.done, 0xffffffff);
	atomic_store(&fake_handoff.control.request, 99);
	run();
	expect(fd, "");
	atomic_store(&fake_handoff.control.done, 1);
	run();
	expect(fd, "ok\n");
	close(fd);
}

static const char text[] = "version: 1\nrules:\n  - register: EFER\n    sticky: [NXE, SCE]\n";

static void send_policy(int fd, const char *policy)
{
	char head[64];

	snprintf(head, sizeof(head), "policy size=%zu name=new.yaml\n",
		 strlen(policy));
	say(fd, head);
	say(fd, policy);
}

static void policies(void **state)
{
	static struct regpin_policy opened;
	const struct control *control = &fake_handoff.control;
	int fd = client();

	send_policy(fd, text);
	hear(fd);
	assert_non_null(strstr(got, "data loosens: CR0 WP: clearing: pause -> free\n"));
	assert_non_null(strstr(got, "data tightens: EFER SCE: clearing: free -> gp\n"));
	assert_int_equal(lines("ok loosens="), 1);
	assert_int_equal(atomic_load(&control->request), 0);
	say(fd, "apply\n");
	assert_int_equal(control->command, CONTROL_POLICY);
	assert_int_equal(blob_open(control->blob, control->blob_size, &opened), 0);
	assert_string_equal(opened.source, "new.yaml");
	/* Not in force before the VMM says so. */
	assert_string_equal(fake_launch.policy.source, "test.yaml");
	later(CTL_POLICY_MS - 1);
	fake_answer(0);
	run();
	expect(fd, "ok\n");
	assert_string_equal(fake_launch.policy.source, "new.yaml");
	say(fd, "apply\n");
	hear(fd);
	assert_int_equal(lines("error nothing "), 1);
	say(fd, "events last=1\n");
	hear(fd);
	assert_non_null(strstr(got, "\"command\":\"policy\",\"policy\":\"new.yaml\",\"loosens\":"));
	close(fd);
}

static void bad_policies(void **state)
{
	int fd = client();

	send_policy(fd, "version: 1\nrules:\n  - register: EFER\n    stikcy: [NXE]\n");
	hear(fd);
	assert_non_null(strstr(got, "data new.yaml:4:5: error: "));
	assert_int_equal(lines("error rejected "), 1);
	say(fd, "apply\n");
	hear(fd);
	assert_int_equal(lines("error nothing "), 1);
	fake_launch.host.cr_filter = false;
	send_policy(fd, "version: 1\nrules:\n  - register: CR4\n    sticky: [SMEP]\n");
	hear(fd);
	assert_int_equal(lines("data new.yaml:4:5: 'sticky' on CR4 can't be enforced on this host"), 1);
	assert_int_equal(lines("error rejected "), 1);
	/* What stands behind a refused head is a policy's text, not requests. */
	say(fd, "policy size=65537\ndisarm\n");
	hear(fd);
	assert_int_equal(lines("error syntax "), 1);
	assert_int_equal(atomic_load(&fake_handoff.control.request), 0);
	expect_closed(fd);
}

/* Two at once: what the second was shown is no longer true. */
static void changed_meanwhile(void **state)
{
	int fd = client(), other = client();

	send_policy(fd, text);
	send_policy(other, text);
	hear(fd);
	hear(other);
	say(fd, "apply\n");
	say(other, "apply\n");
	fake_answer(0);
	run();
	expect(fd, "ok\n");
	hear(other);
	assert_int_equal(lines("error changed "), 1);
	/* A mode is of the policy that is in force by then. */
	say(other, "mode to=report\n");
	hear(other);
	say(fd, "mode to=report\n");
	hear(fd);
	fake_answer(0);
	run();
	expect(other, "ok\n");
	assert_string_equal(fake_launch.policy.source, "new.yaml");
	fake_answer(0);
	run();
	expect(fd, "ok\n");
	assert_true(fake_launch.report);
	/* And what was shown is forgotten with the next request. */
	send_policy(other, text);
	hear(other);
	say(other, "status\n");
	hear(other);
	say(other, "apply\n");
	hear(other);
	assert_int_equal(lines("error nothing "), 1);
	close(fd);
	close(other);
}

static void modes(void **state)
{
	int fd = client();

	say(fd, "mode to=report\n");
	hear(fd);
	/* Two rules, and what is done about a missed deadline. */
	assert_int_equal(lines("data loosens: "), 3);
	assert_int_equal(fake_handoff.control.command, CONTROL_POLICY);
	fake_answer(0);
	run();
	expect(fd, "ok\n");
	assert_int_equal(fake_launch.policy.rules[0].action, REGPIN_REPORT);
	assert_true(fake_launch.report);
	say(fd, "mode to=enforce\n");
	fake_answer(0);
	run();
	hear(fd);
	assert_int_equal(lines("data tightens: "), 3);
	assert_int_equal(lines("ok"), 1);
	assert_false(fake_launch.report);
	close(fd);
}

/* While policies change, an event's rule is looked for in both. */
static void event_of_which_policy(void **state)
{
	struct regpin_event event = {
		.type = REGPIN_EVENT_VIOLATION, .kind = REGPIN_MSR,
		.index = MSR_EFER, .bits = EFER_SCE, .write = 1,
		.action = REGPIN_GP,
	};
	int fd = client();

	/* Rule 0 is on another bit of EFER in the new policy, and rule 1 is not there. */
	assert_string_equal(tell_policy(&fake_agent, &event)->source, "test.yaml");
	send_policy(fd, text);
	say(fd, "apply\n");
	assert_string_equal(tell_policy(&fake_agent, &event)->source, "new.yaml");
	ring_put(&fake_handoff.ring, &fake_handoff.vcpus[0].held);
	fake_answer(0);
	run();
	event.rule = 1;
	event.kind = REGPIN_CR0;
	event.index = 0;
	event.bits = 1u << 16;
	event.action = REGPIN_PAUSE;
	/* It was in the ring already, perhaps. */
	assert_string_equal(tell_policy(&fake_agent, &event)->source, "test.yaml");
	tell_events(&fake_agent);
	assert_string_equal(tell_policy(&fake_agent, &event)->source, "new.yaml");
	close(fd);
}

static void put_events(unsigned int nr)
{
	char line[64];

	for (unsigned int i = 0; i < nr; i++) {
		int len = snprintf(line, sizeof(line), "{\"n\":%u}\n", i);

		tell_line(&fake_agent, line, (size_t)len);
	}
}

static void follows(void **state)
{
	int fd = client(), all = client();

	put_events(3);
	say(fd, "events follow=yes\n");
	say(all, "events last=2 follow=yes\n");
	expect(fd, "");
	expect(all, "data {\"n\":1}\ndata {\"n\":2}\n");
	put_events(2);
	run();
	expect(fd, "data {\"n\":0}\ndata {\"n\":1}\n");
	/* A follower is never idle. */
	later(10 * CTL_IDLE_MS);
	put_events(1);
	run();
	expect(fd, "data {\"n\":0}\n");
	fake_end(ctl);
	hear(fd);
	assert_string_equal(got, "ok the VMM has ended\n");
	expect_closed(fd);
	close(all);
	ctl = fake_begin();
}

/* Who does not keep up loses lines, is told how many, and holds nobody up. */
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
	/* Who is idle makes way; who follows and keeps up does not. */
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
	/* Bytes that make no request don't help. */
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

/* Floods requests and takes no answer: bounded, and the others are served. */
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
	/* Socket buffers and our own, but not all that it could send. */
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
	const struct control *control = &fake_handoff.control;
	int fd = client(), queued = client();

	say(fd, "arm\n");
	say(queued, "disarm\n");
	close(queued);
	close(fd);
	run();
	/* What the VMM has in hand goes on; what waited does not. */
	assert_int_equal(atomic_load(&control->request), 1);
	fd = client();
	say(fd, "window-end\n");
	fake_answer(0);
	run();
	assert_int_equal(atomic_load(&control->request), 2);
	assert_int_equal(control->command, CONTROL_WINDOW_END);
	fake_answer(0);
	run();
	expect(fd, "ok\n");
	close(fd);
	/* Half closed: what it asked for is still answered. */
	fd = client();
	assert_int_equal(send(fd, "help\nhel", 8, 0), 8);
	shutdown(fd, SHUT_WR);
	run();
	hear(fd);
	assert_int_equal(lines("ok"), 1);
	expect_closed(fd);
	/* In the middle of a policy. */
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
	assert_string_equal(got, "error denied this VM is another user's\n");
	expect_closed(fd);
	for (int i = 0; i < 500; i++)
		close(fake_client_of(ctl, 4242));
	fake_now += 1000;
	close(fake_client_of(ctl, 4243));
	assert_int_equal(atomic_load(&fake_handoff.control.request), 0);
	assert_int_equal(ctl->log.next, 2);
	snprintf(first, sizeof(first), "%s", ctl_log_line(&ctl->log, 1));
	assert_non_null(strstr(first, "\"operator\":{\"uid\":4243,\"pid\":4711},\"result\":\"denied\",\"count\":501}"));
	ctl->uid = 4242;
	fd = fake_client_of(ctl, 4242);
	run();
	expect(fd, "regpin-ctl 1 vm1\n");
	close(fd);
}

/* A VMM that was taken over scribbles in what `status` shows. */
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
	/* As when the agent was killed: the file stays, nobody listens. */
	stale = dup(one.dir);
	close(one.fd);
	close(one.dir);
	assert_int_equal(ctl_connect(path, "a"), -ECONNREFUSED);
	assert_int_equal(ctl_listen(&two, path, "a", error, sizeof(error)), 0);
	ctl_unlisten(&two);
	assert_int_equal(ctl_connect(path, "a"), -ENOENT);
	/* No socket: left alone. */
	fd = openat(stale, "b.sock", O_CREAT | O_WRONLY, 0600);
	close(fd);
	assert_int_equal(ctl_listen(&two, path, "b", error, sizeof(error)),
			 -EEXIST);
	assert_int_equal(unlinkat(stale, "b.sock", 0), 0);
	/* Others could put a socket there. */
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

#define TEST(name)	cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers), TEST(pipelined), TEST(commands), TEST(refusals),
		TEST(events_of_commands), TEST(window_is_shown),
		TEST(queue_is_in_order), TEST(late_answer), TEST(wrong_numbers),
		TEST(policies), TEST(bad_policies), TEST(changed_meanwhile),
		TEST(modes), TEST(event_of_which_policy), TEST(follows),
		TEST(slow_follower), TEST(too_many_clients), TEST(idle_clients),
		TEST(long_lines), TEST(flooding_client), TEST(dying_clients),
		TEST(strangers), TEST(hostile_memory), TEST(sockets), TEST(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
