// SPDX-License-Identifier: GPL-2.0-only
/* usage: logd SOCKET: a syslog that prints what it receives, for tests. */
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char text[16384];

	if (argc != 2 || strlen(argv[1]) >= sizeof(sun.sun_path))
		errx(70, "usage: logd SOCKET");
	strcpy(sun.sun_path, argv[1]);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0)
		err(70, "%s", argv[1]);
	alarm(120);
	for (;;) {
		ssize_t n = recv(fd, text, sizeof(text), 0);

		if (n < 0)
			err(70, "recv");
		printf("%.*s\n", (int)n, text);
		fflush(stdout);
	}
}
