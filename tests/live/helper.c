// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hostile helper beside a VMM: it has the environment and the open files that
 * `regpin run` handed down, and prints what it gets by them.
 *
 *	helper [ask|vm|map|flood|hold] [ENVIRON]
 *
 * ask: asks the agent, by either address, with a file that is not a VM. vm: asks with a VM
 * of its own. map: maps as much as possible of all open files, writes into it, and adds to
 * each eventfd. flood: connects in an endless loop. hold: connects, and stays connected.
 * ENVIRON: the file from which to read HANDOFF_ENV, instead of the environment.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "handoff.h"

static const char *const words[HANDOFF_WORDS] = {
	"welcome", "ask", "GIVEN", "refused", "user", "stranger", "busy", "no-vm",
	"failed",
};

static int file = -1;
static char name[64];

static void find_address(const char *path)
{
	static char text[1 << 20];
	const char *env = getenv(HANDOFF_ENV);
	unsigned int user;

	if (path) {
		int fd = open(path, O_RDONLY);
		ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

		env = NULL;
		for (char *at = text; n > 0 && at < text + n; at += strlen(at) + 1)
			if (!strncmp(at, HANDOFF_ENV "=", sizeof(HANDOFF_ENV)))
				env = at + sizeof(HANDOFF_ENV);
	}
	if (!env || sscanf(env, "%d,%u,%63s", &file, &user, name) != 3)
		errx(70, "no address");
	if (path)
		file = -1;	/* that number is now another process's */
}

static int try_connect(bool by_name)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	size_t len = strlen(name);

	if (by_name)
		memcpy(sun.sun_path + 1, name, len);
	else
		len = (size_t)snprintf(sun.sun_path, sizeof(sun.sun_path),
				       "/proc/self/fd/%d", file);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&sun,
			       (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
					   1 + len)) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Prints each word received, and the number of files with it. */
static bool hear(int fd)
{
	char room[CMSG_SPACE(16 * sizeof(int))];
	struct handoff_message message;
	struct iovec data = { &message, sizeof(message) };
	struct msghdr header = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = room, .msg_controllen = sizeof(room),
	};
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	if (poll(&pfd, 1, 20000) != 1) {
		puts("silence");
		return false;
	}
	if (recvmsg(fd, &header, 0) != (ssize_t)sizeof(message))
		return false;
	printf(" %s%s", message.word < HANDOFF_WORDS ? words[message.word] : "?",
	       header.msg_controllen ? "+FILES" : "");
	return message.word == HANDOFF_WELCOME;
}

static void ask(int vm)
{
	char room[CMSG_SPACE(sizeof(int))];
	struct handoff_message message = {
		HANDOFF_MAGIC, HANDOFF_VERSION, HANDOFF_ASK, 0,
	};
	struct iovec data = { &message, sizeof(message) };
	struct msghdr header = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = room, .msg_controllen = sizeof(room),
	};
	struct cmsghdr *part = CMSG_FIRSTHDR(&header);

	part->cmsg_level = SOL_SOCKET;
	part->cmsg_type = SCM_RIGHTS;
	part->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(part), &vm, sizeof(int));
	for (int i = file < 0; i < 2; i++) {
		int fd = try_connect(i);

		printf("%s:", i ? "name" : "file");
		if (fd < 0) {
			printf(" %s\n", strerror(errno));
			continue;
		}
		if (hear(fd) && sendmsg(fd, &header, MSG_NOSIGNAL) > 0)
			hear(fd);
		puts("");
		close(fd);
	}
}

static void map_all(void)
{
	unsigned int mapped = 0, added = 0;

	for (int fd = 3; fd < 1024; fd++) {
		char path[40], link[64] = "";
		const uint64_t one = 1;
		struct stat st;
		void *at;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (readlink(path, link, sizeof(link) - 1) < 0 || fstat(fd, &st))
			continue;
		if (!strcmp(link, "anon_inode:[eventfd]"))
			added += write(fd, &one, sizeof(one)) > 0;
		if (st.st_size <= 0 || !strstr(link, "regpin"))
			continue;
		at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
		if (at == MAP_FAILED)
			continue;
		mapped++;
		if (!mprotect(at, (size_t)st.st_size, PROT_READ | PROT_WRITE))
			memset(at, 0x5a, (size_t)st.st_size);
	}
	printf("mapped %u, added to %u\n", mapped, added);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	find_address(argc > 2 ? argv[2] : NULL);
	printf("uid %d\n", (int)geteuid());
	if (!strcmp(mode, "ask"))
		ask(open("/dev/null", O_RDWR));
	else if (!strcmp(mode, "vm"))
		ask((int)syscall(SYS_ioctl, open("/dev/kvm", O_RDWR),
				 KVM_CREATE_VM, 0));
	else if (!strcmp(mode, "map"))
		map_all();
	else if (!strcmp(mode, "hold"))
		try_connect(true);
	else if (strcmp(mode, "flood") != 0)
		errx(70, "what is %s?", mode);
	alarm(60);
	for (unsigned int n = 0; !strcmp(mode, "flood"); n++) {
		int fd = try_connect(n % 2);

		if (n == 1000)
			puts("flooding");
		if (fd >= 0)
			close(fd);
	}
	while (!strcmp(mode, "hold")) {
		puts("holding");
		pause();
	}
	return 0;
}
