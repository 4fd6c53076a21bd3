// SPDX-License-Identifier: GPL-2.0-only
/*
 * The agent's control socket with four clients, a VMM and a clock that follow the
 * input: no crash; a command that the VMM is doing never changes; answers are lines of
 * printable text; and the policy in force is always valid.
 *
 * Input: a byte, whose upper three bits are the event and whose lower two bits the
 * client; then, for most events, one more byte; then, for `send`, as many bytes as that
 * byte gives.
 */
#include <stdio.h>
#include <string.h>

#include "agent/agent_output.h"
#include "agent/launch_state.h"
#include "agent/moves.h"
#include "fake_agent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(x)	do { if (!(x)) abort(); } while (0)
#define NR_CLIENTS	4

enum op { SEND, OPEN, HEAR, CLOSE, ANSWER, WAIT, EVENT, SCRIBBLE };

static struct ctl *ctl;
static int clients[NR_CLIENTS];
static struct control given;
static uint32_t last;
static bool printed;

/*
 * Clients read lines of printable text, and rely on this. Only the text of a policy, in the
 * answer to `print`, has other bytes; what follows such an answer is not checked.
 */
static void check_answer(const char *text, ssize_t n)
{
	printed |= n > 0 && memmem(text, (size_t)n, "text ", 5);
	if (printed)
		return;
	for (ssize_t i = 0; i < n; i++)
		REQUIRE(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'));
}

/* Between `request` and `done` nothing may change, except that it may be withdrawn. */
static void check_control(void)
{
	const struct control *control = &fake_control;
	uint32_t command;

	if (!ctl->command.given)
		return;
	if (ctl->command.number != last) {
		REQUIRE(ctl->command.number == last + 1);
		REQUIRE(control->command > CONTROL_NONE &&
			control->command < CONTROL_MAX);
		REQUIRE(control->blob_size <= BLOB_MAX_SIZE);
		last = ctl->command.number;
		memcpy(&given, control, sizeof(given));
	}
	command = control->command;
	REQUIRE(command == given.command ||
		(command == CONTROL_NONE && ctl->command.expired));
	given.command = command;
	REQUIRE(atomic_load(&control->request) == ctl->command.number);
	REQUIRE(!memcmp(&given, control, sizeof(given)));
}

static void check(void)
{
	unsigned int followers = 0;

	for (unsigned int i = 0; i < CTL_CLIENTS; i++) {
		const struct ctl_conn *conn = &ctl->conns[i];

		REQUIRE(conn->state <= CONN_CLOSING);
		if (conn->state == CONN_FREE)
			continue;
		REQUIRE(conn->uid == 0 || conn->uid == ctl->uid);
		REQUIRE(conn->in_len <= sizeof(conn->in));
		REQUIRE(conn->out_len <= sizeof(conn->out));
		REQUIRE(conn->state != CONN_BODY || conn->body);
		followers += conn->state == CONN_EVENTS && conn->request.follow;
	}
	REQUIRE(followers <= CTL_FOLLOWERS);
	REQUIRE(!ctl->command.given || ctl->command.kind != CONTROL_POLICY ||
		ctl->command.proposal);
	check_control();
}

static void hear(int fd)
{
	static char text[65536];
	ssize_t n = recv(fd, text, sizeof(text), MSG_DONTWAIT);

	check_answer(text, n);
}

static void put_event(uint8_t byte)
{
	char line[32];
	int len = snprintf(line, sizeof(line), "{\"n\":%u}\n", byte);

	for (unsigned int i = 0; i <= byte; i++)
		agent_write_line(&fake_agent, line, (size_t)len);
}

static void scribble(uint8_t byte)
{
	unsigned char *bytes = (unsigned char *)&fake_handoff.vms;

	fake_hold(byte & 1);
	for (unsigned int i = 0; i < 4; i++)
		bytes[(byte * 37 + i * 101) % 4096] = (unsigned char)(byte << i);
}

/* An event that needs a client gets one; otherwise most inputs would have no effect. */
static void open_client(unsigned int n, uint32_t uid)
{
	if (clients[n] >= 0)
		close(clients[n]);
	clients[n] = fake_client_of(ctl, uid);
}

static void do_byte(enum op op, unsigned int n, uint8_t byte)
{
	switch (op) {
	case OPEN:
		open_client(n, byte & 1 ? 4711 : 0);
		break;
	case CLOSE:
		if (byte & 1) {
			shutdown(clients[n], SHUT_WR);
		} else {
			close(clients[n]);
			clients[n] = -1;
		}
		break;
	case ANSWER:
		fake_answer(byte & 0x80 ? -(byte & 0x7f) : byte);
		break;
	case WAIT:
		fake_now += 1ull << (byte % 17);
		break;
	case EVENT:
		put_event(byte);
		break;
	case SCRIBBLE:
		scribble(byte);
		break;
	case HEAR:
	case SEND:
		break;
	}
}

static size_t step(const uint8_t *data, size_t size)
{
	enum op op = (enum op)(data[0] >> 5);
	unsigned int n = data[0] % NR_CLIENTS;
	size_t len = 0;

	if (clients[n] < 0)
		open_client(n, 0);
	if (op == HEAR) {
		hear(clients[n]);
	} else if (size >= 2 && op == SEND) {
		len = data[1] < size - 2 ? data[1] : size - 2;
		if (send(clients[n], data + 2, len,
			 MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			len = 0;
	} else if (size >= 2) {
		do_byte(op, n, data[1]);
	}
	ctl_run(ctl, fake_now);
	moves_run(&fake_agent, fake_now);
	check();
	return op == HEAR ? 1 : 2 + len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char blob[BLOB_MAX_SIZE];
	static struct regpin_policy opened;

	ctl = fake_begin();
	last = 0;
	printed = false;
	memset(clients, -1, sizeof(clients));
	while (size) {
		size_t used = step(data, size);

		if (used > size)
			break;
		data += used;
		size -= used;
	}
	REQUIRE(!blob_open(blob, blob_seal(&fake_launch.policy, blob), &opened));
	for (unsigned int i = 0; i < NR_CLIENTS; i++) {
		if (clients[i] < 0)
			continue;
		hear(clients[i]);
		close(clients[i]);
	}
	fake_end(ctl);
	return 0;
}
