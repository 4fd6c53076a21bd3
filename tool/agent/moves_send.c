// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends one line to all other agents: in a process of its own, so that this agent does not
 * wait for them, and to all of them at once, so that none of them delays another.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "agent_state.h"
#include "base/clock.h"
#include "lib/end.h"
#include "moves_send.h"

#define PEERS_MAX	512u
#define SEND_MS		2000u	/* for all agents together */
#define TRY_MS		100

/**
 * struct peer - another agent
 * @name: the name of its VM
 * @fd: the connection; -1: it is not open
 * @done: nothing is left to do for it
 */
struct peer {
	char name[CTL_NAME_MAX];
	int fd;
	bool done;
};

static unsigned int find_peers(const struct ctl_socket *own,
			       struct peer peers[PEERS_MAX])
{
	int fd = openat(own->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	unsigned int nr = 0;

	while (dir && nr < PEERS_MAX && (entry = readdir(dir))) {
		if (!ctl_file_name(entry->d_name, peers[nr].name) ||
		    strcmp(peers[nr].name, own->name) == 0)
			continue;
		peers[nr++].fd = -1;
	}
	if (dir)
		closedir(dir);
	return nr;
}

/* The line fits into the socket's buffer, and may be sent before the greeting is read. */
static void connect_peer(struct peer *peer, int dir, const char *line)
{
	int fd = ctl_connect_at(dir, peer->name);

	if (fd == -EAGAIN)	/* its backlog is full: try again later */
		return;
	peer->done = fd < 0;
	if (fd < 0)
		return;
	peer->fd = fd;
	if (send(fd, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ||
	    shutdown(fd, SHUT_WR) < 0)
		peer->done = true;
}

/*
 * Reads and ignores the answer. The connection must not be closed before the agent there has
 * read the line, because it drops clients that have hung up.
 */
static void read_answer(struct peer *peer)
{
	char buf[512];
	ssize_t n;

	while ((n = recv(peer->fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		;
	peer->done = n == 0 || (errno != EAGAIN && errno != EINTR);
}

static void send_to_all(struct peer *peers, unsigned int nr, int dir, const char *line)
{
	static struct pollfd pfd[PEERS_MAX];
	uint64_t end = clock_now() + SEND_MS;
	unsigned int left;

	do {
		left = 0;
		for (unsigned int i = 0; i < nr; i++) {
			struct peer *peer = &peers[i];

			if (peer->fd < 0 && !peer->done)
				connect_peer(peer, dir, line);
			else if (!peer->done)
				read_answer(peer);
			if (peer->done && peer->fd >= 0) {
				close(peer->fd);
				peer->fd = -1;
			}
			left += !peer->done;
			pfd[i] = (struct pollfd){ peer->fd, POLLIN, 0 };
		}
		if (left)
			poll(pfd, nr, TRY_MS);
	} while (left && clock_now() < end);
}

pid_t moves_send(const struct ctl_socket *own, const char *line)
{
	static struct peer peers[PEERS_MAX];
	pid_t pid = fork();

	if (pid)
		return pid;
	/* Copies of the agent's files would hide the end of the VMM, or of the agent. */
	close_range(3, (unsigned int)own->dir - 1, 0);
	close_range((unsigned int)own->dir + 1, ~0u, 0);
	prctl(PR_SET_NAME, "regpin-arrived");
	send_to_all(peers, find_peers(own, peers), own->dir, line);
	end_process(0);
}
