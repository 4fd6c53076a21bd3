// SPDX-License-Identifier: GPL-2.0-only
/* Server side of `regpin ctl`: connections and their limits. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent_state.h"
#include "base/clock.h"
#include "ctl.h"
#include "ctl_answer.h"
#include "ctl_clients.h"
#include "ctl_event.h"
#include "ctl_proposal.h"
#include "ctl_return.h"
#include "vmm_command.h"

#define ACCEPTS		16	/* in one round, so that events are not delayed */
#define ACCEPT_AGAIN_MS	1000
#define DENIED_MS	1000
#define FAREWELL_MS	500

void ctl_init(struct ctl *ctl, struct agent *agent,
	      const struct ctl_socket *socket)
{
	/* The clients' buffers, a megabyte, are not touched before there is a client. */
	memset(ctl, 0, offsetof(struct ctl, conns));
	for (unsigned int i = 0; i < CTL_CLIENTS; i++)
		if (ctl->conns[i].state != CONN_FREE)
			ctl->conns[i].state = CONN_FREE;
	ctl->agent = agent;
	ctl->socket = *socket;
	ctl->uid = geteuid();
}

/* Sends one line, if the socket has room for it, and closes; reads nothing. */
static void reject(int fd, const char *line)
{
	send(fd, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

static bool is_stalled(const struct ctl_conn *conn, uint64_t now)
{
	if (conn->state == CONN_WAITING)
		return false;
	if (conn->state == CONN_READY && !conn->out_len)
		return now - conn->since >= CTL_STALLED_MS;
	return conn->out_len && now - conn->moved >= CTL_STALLED_MS;
}

/* A free slot; if there is none, the client that has been stalled longest is closed. */
static struct ctl_conn *find_slot(struct ctl *ctl, uint64_t now)
{
	struct ctl_conn *oldest = NULL;

	for (unsigned int i = 0; i < CTL_CLIENTS; i++) {
		struct ctl_conn *conn = &ctl->conns[i];

		if (conn->state == CONN_FREE)
			return conn;
		if (is_stalled(conn, now) &&
		    (!oldest || conn->moved < oldest->moved))
			oldest = conn;
	}
	if (oldest)
		ctl_drop_client(oldest);
	return oldest;
}

static void deny(struct ctl *ctl, int fd, uint32_t uid, uint32_t pid,
		 uint64_t now)
{
	reject(fd, "error denied this VM belongs to another user\n");
	ctl->denied++;
	if (ctl->denied_at && now - ctl->denied_at < DENIED_MS)
		return;
	ctl_report_denied(ctl, uid, pid, ctl->denied);
	ctl->denied = 0;
	ctl->denied_at = now ? now : 1;
}

void ctl_adopt(struct ctl *ctl, int fd, uint32_t uid, uint32_t pid,
	       uint64_t now)
{
	struct ctl_conn *conn;
	char busy[64];

	if (uid != 0 && uid != ctl->uid) {
		deny(ctl, fd, uid, pid, now);
		return;
	}
	conn = find_slot(ctl, now);
	if (!conn) {
		snprintf(busy, sizeof(busy), "error busy %u clients are connected already\n",
			 CTL_CLIENTS);
		reject(fd, busy);
		return;
	}
	conn_open(conn, fd, uid, pid, ++ctl->clients, now);
	conn_line(conn, "regpin-ctl %d %s", CTL_VERSION, ctl->socket.name);
}

static void accept_all(struct ctl *ctl, uint64_t now)
{
	for (int i = 0; i < ACCEPTS && ctl->socket.fd >= 0; i++) {
		struct ucred peer;
		socklen_t len = sizeof(peer);
		int fd = accept4(ctl->socket.fd, NULL, NULL,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0) {
			/* poll() would return at once again, as the client still waits. */
			if (errno == EMFILE || errno == ENFILE ||
			    errno == ENOMEM || errno == ENOBUFS)
				ctl->accept_at = now + ACCEPT_AGAIN_MS;
			return;
		}
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
			reject(fd, "error denied the agent can't read the credentials of its client\n");
		else
			ctl_adopt(ctl, fd, peer.uid, (uint32_t)peer.pid, now);
	}
}

/* Is the client done or out of time? Never while it waits for the VMM or for events. */
static bool must_close(const struct ctl_conn *conn, uint64_t now)
{
	switch (conn->state) {
	case CONN_WAITING:
		return false;
	case CONN_CLOSING:
		return !conn->out_len || now - conn->since >= CTL_STALLED_MS;
	case CONN_EVENTS:
		if (conn->request.follow)
			return false;
		break;
	case CONN_READY:
		if (conn->eof && !conn->out_len)
			return true;
		break;
	case CONN_BODY:
		if (conn->eof)
			return true;
		break;
	default:
		break;
	}
	return now - conn->since >= CTL_IDLE_MS;
}

static void serve(struct ctl *ctl, struct ctl_conn *conn, uint64_t now)
{
	bool more = true;

	if (!conn_read(conn)) {
		ctl_drop_client(conn);
		return;
	}
	/* Until the client takes no more: its buffer holds only a part of a long answer. */
	while (more) {
		more = ctl_answer(ctl, conn, now);
		if (!conn_flush(conn, now)) {
			ctl_drop_client(conn);
			return;
		}
		more &= !conn->out_len;
	}
	if (must_close(conn, now))
		ctl_drop_client(conn);
}

/* Has the client closed both directions? Then it will not read an answer. */
static bool is_hung_up(const struct ctl_conn *conn)
{
	struct pollfd pfd = { .fd = conn->fd };

	return poll(&pfd, 1, 0) == 1 && pfd.revents & (POLLHUP | POLLERR);
}

void ctl_run(struct ctl *ctl, uint64_t now)
{
	if (now >= ctl->accept_at)
		accept_all(ctl, now);
	for (unsigned int i = 0; i < CTL_CLIENTS; i++) {
		struct ctl_conn *conn = &ctl->conns[i];

		if (conn->state == CONN_FREE)
			continue;
		if (is_hung_up(conn))
			ctl_drop_client(conn);
		else
			serve(ctl, conn, now);
	}
	vmm_command_run(ctl, now);
	/* Sends the answers to commands, and their events to the clients that follow. */
	for (unsigned int i = 0; i < CTL_CLIENTS; i++)
		if (ctl->conns[i].state != CONN_FREE)
			serve(ctl, &ctl->conns[i], now);
}

static void shorten(int *timeout, uint64_t due, uint64_t now)
{
	int left = due <= now ? 0 : due - now > 60000 ? 60000 : (int)(due - now);

	if (*timeout < 0 || left < *timeout)
		*timeout = left;
}

nfds_t ctl_poll(struct ctl *ctl, struct pollfd *pfd, int *timeout,
		uint64_t now)
{
	nfds_t nr = 0;

	if (now >= ctl->accept_at)
		pfd[nr++] = (struct pollfd){ ctl->socket.fd, POLLIN, 0 };
	else
		shorten(timeout, ctl->accept_at, now);
	if (ctl->command.given)
		shorten(timeout, now + CTL_TICK_MS, now);
	else if (return_due(ctl))
		shorten(timeout, return_due(ctl), now);
	for (unsigned int i = 0; i < CTL_CLIENTS; i++) {
		struct ctl_conn *conn = &ctl->conns[i];

		if (conn->state == CONN_FREE)
			continue;
		pfd[nr++] = (struct pollfd){
			conn->fd, (short)((conn_wants_input(conn) ? POLLIN : 0) |
					  (conn->out_len ? POLLOUT : 0)), 0,
		};
		if (conn->state == CONN_CLOSING)
			shorten(timeout, conn->since + CTL_STALLED_MS, now);
		else if (conn->state != CONN_WAITING &&
			 !(conn->state == CONN_EVENTS && conn->request.follow))
			shorten(timeout, conn->since + CTL_IDLE_MS, now);
	}
	return nr;
}

void ctl_end_commands(struct ctl *ctl)
{
	static const char text[] = "the VMM has ended";
	uint64_t now = clock_now();

	if (ctl->command.given && !ctl->command.expired)
		ctl_report_command(ctl, &ctl->command, "ended", text, now);
	proposal_free(ctl->command.proposal);
	ctl->command = (struct vmm_command){ .given = false };
	return_free(ctl);
	for (unsigned int i = 0; i < CTL_CLIENTS; i++)
		if (ctl->conns[i].state == CONN_WAITING)
			conn_error(&ctl->conns[i], now, "ended", "%s", text);
	ctl_unlisten(&ctl->socket);
	ctl->ended = true;
}

void ctl_end(struct ctl *ctl)
{
	uint64_t end = clock_now() + FAREWELL_MS;
	struct pollfd pfd[CTL_POLLS];
	bool left = true;

	while (left && clock_now() < end) {
		int timeout = CTL_TICK_MS;

		left = false;
		ctl_run(ctl, clock_now());
		for (unsigned int i = 0; i < CTL_CLIENTS; i++)
			left |= ctl->conns[i].state != CONN_FREE &&
				ctl->conns[i].out_len;
		if (left)
			poll(pfd, ctl_poll(ctl, pfd, &timeout, clock_now()),
			     timeout);
	}
	ctl_drop_clients(ctl);
	ctl_log_free(&ctl->log);
}
