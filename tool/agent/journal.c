// SPDX-License-Identifier: GPL-2.0-only
/* Entries for the journal. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "journal.h"
#include "journal_entry.h"

int journal_connect(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd, err;

	if (strlen(path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	memcpy(to.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* An empty datagram with the file descriptor @memfd. */
static int send_fd(int fd, int memfd)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .space = "" };
	struct msghdr msg = {
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *head = CMSG_FIRSTHDR(&msg);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &memfd, sizeof(int));
	return sendmsg(fd, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* The journal maps the file, so it takes only one that can't change any more. */
static int send_large(int fd, const char *entry, size_t len)
{
	int memfd = memfd_create("regpin-event", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int err = 0;

	if (memfd < 0)
		return -ENOMEM;
	if (write(memfd, entry, len) != (ssize_t)len ||
	    fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW |
					      F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		err = -ENOMEM;
	if (!err)
		err = send_fd(fd, memfd);
	close(memfd);
	return err;
}

int journal_send(int fd, const char *line, size_t len)
{
	size_t size;
	char *entry = journal_entry(line, len, &size);
	int err = 0;

	if (!entry)
		return -ENOMEM;
	if (send(fd, entry, size, MSG_NOSIGNAL) < 0)
		err = -errno;
	if (err == -EMSGSIZE || err == -ENOBUFS)
		err = send_large(fd, entry, size);
	free(entry);
	return err;
}
