// SPDX-License-Identifier: GPL-2.0-only
/* The client's side of the control protocol. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/proc.h"
#include "base/words.h"
#include "ctl_client.h"
#include "ctl_socket.h"
#include "policy/policy_kept.h"

#define TRY_MS	100	/* between attempts, while the agent's backlog is full */

/* Waits until @fd has room or data. Returns 0 or -ETIMEDOUT. */
static int wait_for(int fd, short events, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int n;

	do
		n = poll(&pfd, 1, ms);
	while (n < 0 && errno == EINTR);
	return n == 0 ? -ETIMEDOUT : n < 0 ? -errno : 0;
}

/* Receives more input behind that which is in the buffer. Returns 0 or a negative errno. */
static int receive(struct ctl_client *client, int ms)
{
	ssize_t n;
	int err;

	client->len -= client->taken;
	memmove(client->buf, client->buf + client->taken, client->len);
	client->taken = 0;
	if (client->len == sizeof(client->buf))
		return -EPROTO;
	do {
		err = wait_for(client->fd, POLLIN, ms);
		if (err)
			return err;
		n = recv(client->fd, client->buf + client->len,
			 sizeof(client->buf) - client->len, MSG_DONTWAIT);
	} while (n < 0 && (errno == EAGAIN || errno == EINTR));
	if (n <= 0)
		return n < 0 ? -errno : -EPIPE;
	client->len += (size_t)n;
	return 0;
}

/* Returns the next line, without its '\n', or NULL and sets @err. */
static char *next_line(struct ctl_client *client, int ms, int *err)
{
	for (;;) {
		char *line = client->buf + client->taken, *end;

		end = memchr(line, '\n', client->len - client->taken);
		if (end) {
			*end = 0;
			client->taken = (size_t)(end - client->buf) + 1;
			return line;
		}
		*err = receive(client, ms);
		if (*err)
			return NULL;
	}
}

static const char *fault_text(int err)
{
	switch (err) {
	case -ENOENT:
		return "there is no VM of this name";
	case -ECONNREFUSED:
		return "its agent is gone: if its VMM still runs, the VM is pinned, but unobserved (no events, no commands)";
	case -ETIMEDOUT:
		return "its agent does not answer: is it stopped?";
	case -EPIPE:
	case -ECONNRESET:
		return "its agent has closed the connection: the VM has ended, 60 s went by, or the agent was killed";
	case -EPROTO:
		return "its agent's answer can't be understood: is the agent of another version?";
	default:
		return ctl_files_fault(err) ? ctl_files_fault(err) : strerror(-err);
	}
}

static int fail(struct ctl_client *client, int err)
{
	snprintf(client->error, sizeof(client->error), "%s", fault_text(err));
	return err;
}

static int connect_in_time(const char *dir, const char *name, int ms)
{
	int fd = ctl_connect(dir, name);

	for (; fd == -EAGAIN && ms > 0; ms -= TRY_MS) {
		poll(NULL, 0, TRY_MS);
		fd = ctl_connect(dir, name);
	}
	return fd == -EAGAIN ? -ETIMEDOUT : fd;
}

static int greeting(struct ctl_client *client, int ms)
{
	int version = 0, err = 0;
	char *line = next_line(client, ms, &err);

	if (!line)
		return fail(client, err);
	make_printable(line);
	if (strncmp(line, "error ", 6) == 0) {
		snprintf(client->error, sizeof(client->error), "%s", line + 6);
		return -EACCES;
	}
	if (sscanf(line, "regpin-ctl %d ", &version) != 1)
		return fail(client, -EPROTO);
	if (version == CTL_VERSION)
		return 0;
	snprintf(client->error, sizeof(client->error), "its agent uses version %d of the protocol, and this regpin uses version %d",
		 version, CTL_VERSION);
	return -EPROTO;
}

int client_open(struct ctl_client *client, const char *dir, const char *name,
		int ms)
{
	int err;

	client->len = client->taken = 0;
	client->error[0] = 0;
	client->fd = connect_in_time(dir, name, ms);
	if (client->fd < 0)
		return fail(client, client->fd);
	err = greeting(client, ms);
	if (err)
		client_close(client);
	return err;
}

void client_close(struct ctl_client *client)
{
	close(client->fd);
	client->fd = -1;
}

void client_send(struct ctl_client *client, const char *text, size_t len)
{
	while (len) {
		ssize_t n = send(client->fd, text, len,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			if (wait_for(client->fd, POLLOUT, CTL_WAIT_MS))
				return;
		} else if (n < 0 && errno != EINTR) {
			return;
		} else if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
}

enum ctl_answer_kind
client_answer(struct ctl_client *client, int ms, void (*line)(const char *line),
	      void (*dropped)(const char *count))
{
	int err = 0;
	char *text;

	while ((text = next_line(client, ms, &err))) {
		/* JSON may contain UTF-8, but a terminal must not get control characters. */
		if (isatty(STDOUT_FILENO) || strncmp(text, "data ", 5) != 0)
			make_printable(text);
		if (strncmp(text, "data ", 5) == 0) {
			line(text + 5);
		} else if (strncmp(text, "dropped ", 8) == 0) {
			dropped(text + 8);
		} else if (strncmp(text, "ok", 2) == 0) {
			snprintf(client->error, sizeof(client->error), "%s",
				 text[2] == ' ' ? text + 3 : "");
			return CTL_OK;
		} else if (strncmp(text, "error ", 6) == 0) {
			text = strchr(text + 6, ' ');
			snprintf(client->error, sizeof(client->error), "%s",
				 text ? text + 1 : "it failed");
			return CTL_REFUSED;
		}
		/* Other lines belong to a later version, and may be ignored. */
	}
	fail(client, err);
	return CTL_LOST;
}

/* Passes on @left bytes. Returns 0 or a negative errno. */
static int take_text(struct ctl_client *client, int ms, size_t left,
		     void (*text)(const char *bytes, size_t len))
{
	while (left) {
		size_t len = client->len - client->taken;
		int err = len ? 0 : receive(client, ms);

		if (err)
			return err;
		if (len > left)
			len = left;
		text(client->buf + client->taken, len);
		client->taken += len;
		left -= len;
	}
	return 0;
}

static void ignore(const char *line)
{
	(void)line;
}

enum ctl_answer_kind
client_text(struct ctl_client *client, int ms,
	    void (*text)(const char *bytes, size_t len))
{
	int err = 0;
	char *line = next_line(client, ms, &err);
	uint64_t size = 0;

	if (line && strncmp(line, "error ", 6) == 0) {
		/* It is read again, as the end of an answer. */
		line[strlen(line)] = '\n';
		client->taken = (size_t)(line - client->buf);
		return client_answer(client, ms, ignore, ignore);
	}
	if (line && (strncmp(line, "text ", 5) != 0 ||
		     number_read(line + 5, strlen(line + 5), KEPT_MAX_SIZE, &size)))
		err = -EPROTO;
	if (!err)
		err = take_text(client, ms, (size_t)size, text);
	if (!err)
		return client_answer(client, ms, ignore, ignore);
	fail(client, err);
	return CTL_LOST;
}
