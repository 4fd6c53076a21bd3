// SPDX-License-Identifier: GPL-2.0-only
/*
 * One line to all the agents there are. In a process of its own, so that none of them
 * can keep ours waiting; and to all at once, so that none keeps another one waiting.
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
#define SEND_MS		2000u	/* for all of it */
#define TRY_MS		100

/**
 * struct peer - another agent
 * @name: its VM's
 * @fd: the connection; -1: not yet, or no more
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

/* The line fits into the socket's buffer, and the greeting need not be waited for. */
static void connect_peer(struct peer *peer, int dir, const char *line)
{
	int fd = ctl_connect_at(dir, peer->name);

	if (fd == -EAGAIN)	/* its backlog is full: later again */
		return;
	peer->done = fd < 0;
	if (fd < 0)
		return;
	peer->fd = fd;
	if (send(fd, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ||
	    shutdown(fd, SHUT_WR) < 0)
		peer->done = true;
}

/* Its answer is of no interest; but who closes before it is taken has said nothing. */
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
	/* None of the agent's files: the VMM's end, and its own, are seen by them. */
	close_range(3, (unsigned int)own->dir - 1, 0);
	close_range((unsigned int)own->dir + 1, ~0u, 0);
	prctl(PR_SET_NAME, "regpin-arrived");
	send_to_all(peers, find_peers(own, peers), own->dir, line);
	end_process(0);
}
