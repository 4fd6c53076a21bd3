// SPDX-License-Identifier: GPL-2.0-only
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "serve.h"

static int make_memory(const char *name, size_t size)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, (off_t)size))
		err(70, "%s", name);
	return fd;
}

void serve_prepare(struct served *served, int blob)
{
	struct handoff *handoff;

	*served = (struct served){
		.files = { blob, make_memory("control", sizeof(struct control)),
			   make_memory("handoff", sizeof(*handoff)) },
		.version = HANDOFF_VERSION, .word = HANDOFF_GIVEN,
	};
	handoff = mmap(NULL, sizeof(*handoff), PROT_READ | PROT_WRITE,
		       MAP_SHARED, served->files[2], 0);
	if (handoff == MAP_FAILED)
		err(70, "handoff");
	ring_init(&handoff->ring);
	munmap(handoff, sizeof(*handoff));
}

int serve_listen(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	char name[48], env[96];

	snprintf(name, sizeof(name), "regpin-test-%d", (int)getpid());
	memcpy(sun.sun_path + 1, name, strlen(name));
	if (fd < 0 || bind(fd, (struct sockaddr *)&sun,
			   (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				       1 + strlen(name))) || listen(fd, 8))
		err(70, "socket");
	snprintf(env, sizeof(env), "-1,%u,%s", (unsigned int)geteuid(), name);
	setenv(HANDOFF_ENV, env, 1);
	return fd;
}

static void say(int conn, const struct served *served, enum handoff_word word)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(HANDOFF_FILES * sizeof(int))];
	} parts;
	struct handoff_message message = {
		HANDOFF_MAGIC, served->version, word, 0,
	};
	struct iovec data = { &message, sizeof(message) };
	struct msghdr header = { .msg_iov = &data, .msg_iovlen = 1 };
	size_t nr = 0;

	while (word == HANDOFF_GIVEN && nr < HANDOFF_FILES &&
	       served->files[nr] >= 0)
		nr++;
	if (nr) {
		header.msg_control = &parts;
		header.msg_controllen = CMSG_SPACE(nr * sizeof(int));
		parts.align.cmsg_level = SOL_SOCKET;
		parts.align.cmsg_type = SCM_RIGHTS;
		parts.align.cmsg_len = CMSG_LEN(nr * sizeof(int));
		memcpy(CMSG_DATA(&parts.align), served->files, nr * sizeof(int));
	}
	sendmsg(conn, &header, MSG_NOSIGNAL);
}

/* Each connection has its own process, so that none delays another one. */
_Noreturn void serve(int listening, const struct served *served)
{
	for (;;) {
		int conn = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
		struct handoff_message message;

		if (conn < 0)
			err(70, "accept");
		if (fork()) {
			close(conn);
			continue;
		}
		close(listening);
		say(conn, served, HANDOFF_WELCOME);
		while (recv(conn, &message, sizeof(message), 0) ==
		       (ssize_t)sizeof(message))
			if (message.word == HANDOFF_ASK)
				say(conn, served, served->word);
		_exit(0);
	}
}
