// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hands the policy, the ring of events and the commands to processes that create VMs.
 *
 * A process gets them if it runs as an allowed user, descends from the process that `run`
 * became, and shows a VM. The allowed users are the agent's own, root, the present user of
 * the process that `run` became (a launcher may drop its rights and become the VMM), and
 * the user of --vmm-user. Helpers that a launcher starts as other users have the address as
 * well; no byte of theirs is read. All these facts come from the kernel, none from the
 * process.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "admit.h"
#include "agent_output.h"
#include "agent_state.h"
#include "base/clock.h"
#include "base/proc.h"
#include "give.h"
#include "launch_state.h"
#include "memory.h"

#define BACKLOG		64
#define DENIED_MS	1000
#define DENIED_MANY	60	/* lines an hour, after which there is one a minute */
#define DENIED_MANY_MS	60000
#define HOUR_MS		3600000

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD	77	/* Linux 6.5 */
#endif

/*
 * Binds in a directory that is removed at once, so that the socket can be reached only by
 * the open file.
 */
static int bind_in(struct give *give, const char *parent)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	char dir[80];
	int ret = -1;

	if (!parent || snprintf(dir, sizeof(dir), "%s/regpin-XXXXXX", parent) >=
			       (int)sizeof(dir) || !mkdtemp(dir))
		return -1;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/s", dir);
	/* Any user may connect, as the VMM's may be another one; is_right_user() decides. */
	if (bind(give->fds[0], (struct sockaddr *)&sun, sizeof(sun)) == 0) {
		give->file = chmod(sun.sun_path, 0666) ? -1 :
			     open(sun.sun_path, O_PATH | O_CLOEXEC);
		ret = give->file < 0 ? -1 : 0;
		unlink(sun.sun_path);
	}
	rmdir(dir);
	return ret;
}

static int new_socket(void)
{
	return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* If no directory can hold the socket, the abstract name alone is used. */
static void listen_file(struct give *give)
{
	const char *const places[] = {
		getenv("XDG_RUNTIME_DIR"), "/run", "/tmp", "/var/tmp", "/dev/shm",
	};

	give->file = -1;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		give->fds[0] = new_socket();
		if (give->fds[0] >= 0 && bind_in(give, places[i]) == 0 &&
		    listen(give->fds[0], BACKLOG) == 0)
			return;
		if (give->fds[0] >= 0)
			close(give->fds[0]);
		give->fds[0] = -1;
	}
}

static int listen_name(struct give *give)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	uint64_t random[2];
	int len;

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -1;
	len = snprintf(give->name, sizeof(give->name), "regpin-%016llx%016llx",
		       (unsigned long long)random[0],
		       (unsigned long long)random[1]);
	memcpy(sun.sun_path + 1, give->name, (size_t)len);
	give->fds[1] = new_socket();
	return give->fds[1] < 0 ||
	       bind(give->fds[1], (struct sockaddr *)&sun,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1) +
			    (socklen_t)len) < 0 ?
		-1 : listen(give->fds[1], BACKLOG);
}

int give_listen(struct give *give)
{
	memset(give, 0, sizeof(*give));
	for (unsigned int i = 0; i < GIVE_CONNS; i++)
		give->conns[i].fd = give->conns[i].pidfd = -1;
	listen_file(give);
	return listen_name(give);
}

static bool send_word(int fd, enum handoff_word word)
{
	struct handoff_message message = {
		HANDOFF_MAGIC, HANDOFF_VERSION, word, 0,
	};

	return send(fd, &message, sizeof(message),
		    MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(message);
}

bool give_denied_due(struct give *give, uint64_t now)
{
	give->denied++;
	if (!give->denied_hour || now - give->denied_hour >= HOUR_MS) {
		give->denied_hour = now;
		give->denied_lines = 0;
	}
	if (give->denied_at && now - give->denied_at <
	    (give->denied_lines < DENIED_MANY ? DENIED_MS : DENIED_MANY_MS))
		return false;
	give->denied_lines++;
	give->denied_at = now;
	return true;
}

static void deny(struct agent *agent, int fd, const struct ucred *peer,
		 enum handoff_word word, const char *reason)
{
	struct give *give = &agent->launch->give;
	uint64_t now = clock_now();
	struct agent_event event = {
		.type = "denied", .reason = reason,
		.text = "a process that asked for this VM's policy and events was refused",
		.pid = (uint32_t)peer->pid,
	};

	send_word(fd, word);
	close(fd);
	if (!give_denied_due(give, now))
		return;
	event.counts[0].name = "uid";
	event.counts[0].n = peer->uid;
	event.counts[1].name = "count";
	event.counts[1].n = give->denied;
	agent_report(agent, &event);
	give->denied = 0;
}

static bool is_right_user(const struct agent *agent, uid_t user)
{
	const struct launch *launch = agent->launch;
	const struct watch *watch = &agent->watch;

	if (user == 0 || user == geteuid() ||
	    (launch->has_vmm_user && user == launch->vmm_user))
		return true;
	for (unsigned int i = 0; i < watch->nr; i++)
		if (watch->list[i].root && proc_user(watch->list[i].pid) == user)
			return true;
	return false;
}

/*
 * A pidfd of the process that connected. Without SO_PEERPIDFD the id may belong to another
 * process by now.
 */
static int pidfd_of(int fd, pid_t pid)
{
	socklen_t size = sizeof(int);
	int pidfd;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) == 0) {
		fcntl(pidfd, F_SETFD, FD_CLOEXEC);
		return pidfd;
	}
	return pidfd_open(pid, 0);
}

static bool is_running(int pidfd)
{
	struct pollfd pfd = { .fd = pidfd, .events = POLLIN };

	return poll(&pfd, 1, 0) == 0;
}

static void drop(struct give_conn *conn)
{
	close(conn->fd);
	if (conn->pidfd >= 0)
		close(conn->pidfd);
	*conn = (struct give_conn){ .fd = -1, .pidfd = -1 };
}

void give_drop(struct give *give)
{
	for (unsigned int i = 0; i < GIVE_CONNS; i++)
		if (give->conns[i].fd >= 0)
			drop(&give->conns[i]);
}

/*
 * A free slot. A process has one connection at a time, so an older one is closed: no single
 * process can take all slots.
 */
static struct give_conn *slot_for(struct give *give, pid_t pid)
{
	struct give_conn *free = NULL;

	for (unsigned int i = 0; i < GIVE_CONNS; i++) {
		struct give_conn *conn = &give->conns[i];

		if (conn->fd >= 0 && conn->pid == pid)
			drop(conn);
		if (conn->fd < 0 && !free)
			free = conn;
	}
	return free;
}

static void accept_process(struct agent *agent, int fd, const struct ucred *peer)
{
	struct give_conn *conn;
	int pidfd;

	if (!is_right_user(agent, peer->uid)) {
		deny(agent, fd, peer, HANDOFF_USER, "user");
		return;
	}
	pidfd = peer->pid > 0 ? pidfd_of(fd, peer->pid) : -1;
	if (pidfd < 0 || !watch_is_ours(&agent->watch, peer->pid) ||
	    !is_running(pidfd)) {
		deny(agent, fd, peer, HANDOFF_STRANGER, "stranger");
		if (pidfd >= 0)
			close(pidfd);
		return;
	}
	if (!admit_process(agent, peer->pid)) {
		send_word(fd, HANDOFF_UNFIT);
		close(fd);
		close(pidfd);
		return;
	}
	conn = slot_for(&agent->launch->give, peer->pid);
	if (!conn) {
		deny(agent, fd, peer, HANDOFF_BUSY, "busy");
		close(pidfd);
		return;
	}
	*conn = (struct give_conn){
		.fd = fd, .pidfd = pidfd, .pid = peer->pid,
		.policies = agent->ctl.policies,
	};
	if (!send_word(fd, HANDOFF_WELCOME))
		drop(conn);
}

/*
 * Accepts as many connections as can have waited when this began. So the guard knows all
 * processes that connected before its check, and a flood cannot keep the agent here.
 */
static void accept_all(struct agent *agent, int listening)
{
	for (int i = 0; i <= BACKLOG && listening >= 0; i++) {
		int fd = accept4(listening, NULL, NULL,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);
		struct ucred peer;
		socklen_t size = sizeof(peer);

		if (fd < 0)
			return;
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
			close(fd);
		else
			accept_process(agent, fd, &peer);
	}
}

static bool is_vm(const struct agent *agent, int fd)
{
	char path[40], name[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, name, sizeof(name) - 1);
	if (n < 0)
		return false;
	name[n] = 0;
	return agent->launch->host.pretended ||
	       strcmp(name, "anon_inode:kvm-vm") == 0;
}

/* Sends the policy in force, and the shared memory. Returns false if that failed. */
static bool send_policy(const struct agent *agent, int fd)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(HANDOFF_FILES * sizeof(int))];
	} parts = { .align = {
		.cmsg_len = CMSG_LEN(HANDOFF_FILES * sizeof(int)),
		.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
	} };
	struct handoff_message message = {
		HANDOFF_MAGIC, HANDOFF_VERSION, HANDOFF_GIVEN, 0,
	};
	struct iovec data = { &message, sizeof(message) };
	struct msghdr header = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = &parts, .msg_controllen = sizeof(parts),
	};
	const struct launch *launch = agent->launch;
	int files[HANDOFF_FILES] = {
		memory_blob(&launch->policy), launch->orders, launch->memory,
	};
	bool done;

	if (files[0] < 0)
		return false;
	memcpy(CMSG_DATA(&parts.align), files, sizeof(files));
	done = sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL) ==
	       (ssize_t)sizeof(message);
	close(files[0]);
	return done;
}

/* Returns the first file of a message, or -1, and closes further files. */
static int take_file(struct msghdr *header)
{
	struct cmsghdr *part = CMSG_FIRSTHDR(header);
	int file = -1, other;

	if (!part || part->cmsg_level != SOL_SOCKET ||
	    part->cmsg_type != SCM_RIGHTS)
		return -1;
	for (size_t at = 0; CMSG_LEN(at + sizeof(int)) <= part->cmsg_len;
	     at += sizeof(int)) {
		memcpy(&other, CMSG_DATA(part) + at, sizeof(int));
		if (at)
			close(other);
		else
			file = other;
	}
	return file;
}

/* Receives a message. Returns false at the end of the connection, or if it is not valid. */
static bool receive(int fd, struct handoff_message *message, int *file)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} parts;
	struct iovec data = { message, sizeof(*message) };
	struct msghdr header = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = &parts, .msg_controllen = sizeof(parts),
	};
	ssize_t n = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	*file = n < 0 ? -1 : take_file(&header);
	if (n < 0) {
		message->word = HANDOFF_WORDS;
		return errno == EAGAIN || errno == EINTR;
	}
	return n == (ssize_t)sizeof(*message) &&
	       message->magic == HANDOFF_MAGIC &&
	       message->version == HANDOFF_VERSION;
}

/* Returns false if the connection is to be closed. */
static bool serve(struct agent *agent, struct give_conn *conn)
{
	struct handoff_message message = { .word = HANDOFF_WORDS };
	int file;
	bool goes_on = receive(conn->fd, &message, &file);

	if (goes_on && message.word == HANDOFF_REFUSED)
		atomic_store(&agent->launch->shared->refused,
			     message.number + 1);
	if (goes_on && message.word == HANDOFF_ASK) {
		conn->waiting = file >= 0 && is_vm(agent, file);
		if (!conn->waiting) {
			send_word(conn->fd, HANDOFF_NO_VM);
			goes_on = false;
		}
	}
	if (file >= 0)
		close(file);
	return goes_on;
}

/* False while a new policy is being sent: a process would get the previous one now. */
static bool may_answer(const struct agent *agent)
{
	return !agent->ctl.command.given || agent->ctl.command.expired ||
	       agent->ctl.command.kind != CONTROL_POLICY;
}

static void answer(struct agent *agent, struct give_conn *conn)
{
	conn->waiting = false;
	/* It was admitted under the previous policy: the one in force may refuse it. */
	if (conn->policies != agent->ctl.policies && !admit_process(agent, conn->pid)) {
		send_word(conn->fd, HANDOFF_UNFIT);
		drop(conn);
		return;
	}
	if (!send_policy(agent, conn->fd)) {
		send_word(conn->fd, HANDOFF_FAILED);
		drop(conn);
		return;
	}
	/* While the process runs, its id cannot belong to another one. */
	if (is_running(conn->pidfd))
		watch_add_vm(&agent->watch, conn->pid);
}

void give_run(struct agent *agent)
{
	for (int i = 0; i < 2; i++)
		accept_all(agent, agent->launch->give.fds[i]);
	for (unsigned int i = 0; i < GIVE_CONNS; i++) {
		struct give_conn *conn = &agent->launch->give.conns[i];

		if (conn->fd >= 0 && !serve(agent, conn))
			drop(conn);
		if (conn->fd >= 0 && conn->waiting && may_answer(agent))
			answer(agent, conn);
	}
}

nfds_t give_poll(const struct give *give, struct pollfd *pfd)
{
	nfds_t nr = 0;

	for (int i = 0; i < 2; i++)
		pfd[nr++] = (struct pollfd){ give->fds[i], POLLIN, 0 };
	for (unsigned int i = 0; i < GIVE_CONNS; i++)
		if (give->conns[i].fd >= 0)
			pfd[nr++] = (struct pollfd){ give->conns[i].fd, POLLIN, 0 };
	return nr;
}

bool give_is_creating(const struct give *give, pid_t pid)
{
	for (unsigned int i = 0; i < GIVE_CONNS; i++)
		if (give->conns[i].fd >= 0 && give->conns[i].pid == pid)
			return true;
	return false;
}
