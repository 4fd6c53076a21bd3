// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The process of a VM asks the agent for the policy and the shared memory.
 *
 * Neither is inherited, because helpers that a launcher starts beside the VMM, as other
 * users or in a sandbox, have the same environment and open files. The agent gives policy
 * and memory only to a process of this `run` that shows it a VM. No file of regpin's
 * stays open in the process, so the VMM cannot close one or pass it on. All this happens
 * before the first vCPU is created, when no VMM has entered its own sandbox yet.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "join.h"

#define JOIN_MS	30000	/* the agent may be busy with a command that takes long */

static const char not_reached[] =
	"the policy did not reach this process: it cannot connect to its agent (was the agent killed? does a wrapper close all files and enter another network namespace, or is there no /proc?)";

static const char *const refusals[HANDOFF_WORDS] = {
	[HANDOFF_USER] = "the policy did not reach this process: its user is neither that of `regpin run` nor that of the process that `regpin run` became; name that user by --vmm-user",
	[HANDOFF_STRANGER] = "the policy did not reach this process: the agent cannot see that this `regpin run` has started it (its parents have ended, and the files that it inherited are closed); start it by `regpin run` directly",
	[HANDOFF_BUSY] = "the policy did not reach this process: too many processes create VMs under this `regpin run` at the same time; start them one after the other",
	[HANDOFF_NO_VM] = "the policy did not reach this process: the agent found that its VM's file is not a VM",
	[HANDOFF_UNFIT] = "with the VMM's command line the guest could end its pins itself; `regpin run` has printed how, and the event 'refused' reports it as well",
	[HANDOFF_FAILED] = "the policy did not reach this process: its agent is out of memory or file descriptors",
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

bool join_read(const char *env, struct join_address *address)
{
	unsigned int user;
	int used = 0;

	if (sscanf(env, "%d,%u,%63[0-9a-z-]%n", &address->file, &user,
		   address->name, &used) != 3 || env[used])
		return false;
	address->user = user;
	return true;
}

static int connect_to(const struct sockaddr_un *sun, socklen_t len)
{
	const struct timeval time = { JOIN_MS / 1000, 0 };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), ret;

	if (fd < 0)
		return -1;
	/* Other users may fill the agent's backlog, so connect() may have to wait. */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time));
	do
		ret = connect(fd, (const struct sockaddr *)sun, len);
	while (ret && errno == EINTR);
	if (!ret)
		return fd;
	close(fd);
	return -1;
}

/* Connects through the inherited file, which works in any mount or network namespace. */
static int connect_file(int file)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	if (file < 0)
		return -1;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "/proc/self/fd/%d", file);
	return connect_to(&sun, sizeof(sun));
}

/*
 * Connects by the abstract name. Any process may take such a name, so the peer must run
 * as the agent's user or as this process's user.
 */
static int connect_name(const struct join_address *address)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	size_t len = strlen(address->name);
	struct ucred peer;
	socklen_t size = sizeof(peer);
	int fd;

	memcpy(sun.sun_path + 1, address->name, len);
	fd = connect_to(&sun, (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
					  1 + len));
	if (fd < 0 ||
	    (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	     (peer.uid == address->user || peer.uid == geteuid())))
		return fd;
	close(fd);
	return -1;
}

static bool wait_for_message(int conn, int64_t end)
{
	struct pollfd pfd = { .fd = conn, .events = POLLIN };

	for (;;) {
		int64_t left = end - now_ms();
		int n = poll(&pfd, 1, left > 0 ? (int)left : 0);

		if (n > 0)
			return true;
		if (n == 0 || errno != EINTR)
			return false;
	}
}

/* Takes the files of a message; -1 for each file that is missing. */
static void take_files(struct msghdr *header, int files[HANDOFF_FILES])
{
	struct cmsghdr *part = CMSG_FIRSTHDR(header);
	size_t nr;

	for (int i = 0; i < HANDOFF_FILES; i++)
		files[i] = -1;
	if (!part || part->cmsg_level != SOL_SOCKET ||
	    part->cmsg_type != SCM_RIGHTS)
		return;
	nr = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(files, CMSG_DATA(part),
	       (nr < HANDOFF_FILES ? nr : HANDOFF_FILES) * sizeof(int));
}

/*
 * Receives the agent's next message. Returns NULL if its word is @word, otherwise a text
 * that describes what happened.
 */
static const char *receive_word(int conn, enum handoff_word word,
				uint32_t *number, int files[HANDOFF_FILES])
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(HANDOFF_FILES * sizeof(int))];
	} parts;
	struct handoff_message message;
	struct iovec data = { &message, sizeof(message) };
	struct msghdr header = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = &parts, .msg_controllen = sizeof(parts),
	};
	ssize_t n;

	if (!wait_for_message(conn, now_ms() + JOIN_MS))
		return "the policy did not reach this process: its agent does not answer (is the agent stopped?)";
	do
		n = recvmsg(conn, &header, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return not_reached;
	take_files(&header, files);
	if (n != (ssize_t)sizeof(message) || message.magic != HANDOFF_MAGIC ||
	    message.version != HANDOFF_VERSION)
		return "the policy did not reach this process: its agent and the shim have different versions; install both from one version";
	*number = message.number;
	if (message.word == (uint32_t)word)
		return NULL;
	if (message.word < HANDOFF_WORDS && refusals[message.word])
		return refusals[message.word];
	return not_reached;
}

const char *join_connect(const struct join_address *address, int *conn)
{
	int fd = connect_file(address->file), files[HANDOFF_FILES];
	const char *why;
	uint32_t number;

	if (fd < 0)
		fd = connect_name(address);
	if (fd < 0)
		return not_reached;
	why = receive_word(fd, HANDOFF_WELCOME, &number, files);
	if (why)
		close(fd);
	else
		*conn = fd;
	return why;
}

/* Sends ASK with the VM's file. Returns false if that failed. */
static bool send_ask(int conn, int vm_fd)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} parts = { .align = {
		.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS,
	} };
	struct handoff_message message = {
		HANDOFF_MAGIC, HANDOFF_VERSION, HANDOFF_ASK, 0,
	};
	struct iovec data = { &message, sizeof(message) };
	struct msghdr header = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = &parts, .msg_controllen = sizeof(parts),
	};
	ssize_t n;

	memcpy(CMSG_DATA(&parts.align), &vm_fd, sizeof(vm_fd));
	do
		n = sendmsg(conn, &header, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(message);
}

/* Maps a file. Children, which may be helpers, do not inherit it: see join_map_zeroes(). */
static void *map_file(int fd, size_t size, int prot)
{
	struct stat st;
	void *at;

	if (fstat(fd, &st) || st.st_size < (off_t)size)
		return NULL;
	at = mmap(NULL, size, prot, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return NULL;
	madvise(at, size, MADV_DONTFORK);
	return at;
}

static void unmap(struct joined *joined)
{
	if (joined->control)
		munmap((void *)(uintptr_t)joined->control,
		       sizeof(*joined->control));
	if (joined->handoff)
		munmap(joined->handoff, sizeof(*joined->handoff));
	joined->control = NULL;
	joined->handoff = NULL;
}

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE	23
#endif

/*
 * Maps the pages of the ring's slots, which the agent has written already: otherwise the
 * first event in each page would cost a vCPU a page fault. Linux before 5.14 does not have
 * this advice; then the faults happen.
 */
static void map_slots(struct handoff *handoff)
{
	madvise(handoff, offsetof(struct handoff, ring.lost), MADV_POPULATE_WRITE);
}

static const char *take_given(const int files[HANDOFF_FILES],
			      struct joined *joined)
{
	const int sealed = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
	const char *bad = "the policy did not reach this process: its agent sent a file that is not valid, or this process is out of memory";
	int seals = fcntl(files[0], F_GET_SEALS);

	if (seals == -1 || (seals & sealed) != sealed)
		return bad;
	joined->control = map_file(files[1], sizeof(*joined->control),
				   PROT_READ);
	joined->handoff = map_file(files[2], sizeof(*joined->handoff),
				   PROT_READ | PROT_WRITE);
	if (!joined->control || !joined->handoff ||
	    regpin_policy_open(files[0], &joined->policy)) {
		unmap(joined);
		return bad;
	}
	map_slots(joined->handoff);
	return NULL;
}

const char *join_ask(int conn, int vm_fd, struct joined *joined)
{
	int files[HANDOFF_FILES] = { -1, -1, -1 };
	uint32_t number;
	const char *why;

	if (!send_ask(conn, vm_fd))
		return not_reached;
	why = receive_word(conn, HANDOFF_GIVEN, &number, files);
	if (!why)
		why = take_given(files, joined);
	for (int i = 0; i < HANDOFF_FILES; i++)
		if (files[i] >= 0)
			close(files[i]);
	return why;
}

void join_send_refusal(int conn, enum regpin_refusal reason)
{
	struct handoff_message message = {
		HANDOFF_MAGIC, HANDOFF_VERSION, HANDOFF_REFUSED, reason,
	};

	send(conn, &message, sizeof(message), MSG_NOSIGNAL);
}

static void map_zeroes(const void *at, size_t size)
{
	if (at && mmap((void *)(uintptr_t)at, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
		       0) == MAP_FAILED)
		return;
}

void join_map_zeroes(const struct joined *joined)
{
	map_zeroes(joined->control, sizeof(*joined->control));
	map_zeroes(joined->handoff, sizeof(*joined->handoff));
}
