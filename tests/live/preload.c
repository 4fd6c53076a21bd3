// SPDX-License-Identifier: GPL-2.0-only
/* The handoff to the shim, made by hand. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "blob.h"
#include "preload.h"

#define SEALS	(F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static _Noreturn void bail(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(99);
}

static int sealed_blob(const struct regpin_policy *policy)
{
	int fd = memfd_create("blob", MFD_ALLOW_SEALING);
	char *blob = malloc(BLOB_MAX_SIZE);
	size_t size;

	if (fd < 0 || !blob)
		bail("memfd");
	size = blob_seal(policy, blob);
	if (write(fd, blob, size) != (ssize_t)size ||
	    fcntl(fd, F_ADD_SEALS, SEALS))
		bail("blob");
	free(blob);
	return fd;
}

static struct handoff *map(int fd)
{
	struct handoff *handoff = mmap(NULL, sizeof(*handoff),
				       PROT_READ | PROT_WRITE, MAP_SHARED, fd,
				       0);

	if (handoff == MAP_FAILED)
		bail("handoff");
	return handoff;
}

static int shared_handoff(void)
{
	int fd = memfd_create("handoff", 0);
	struct handoff *handoff;

	if (fd < 0 || ftruncate(fd, sizeof(*handoff)))
		bail("handoff");
	handoff = map(fd);
	handoff->magic = HANDOFF_MAGIC;
	handoff->version = HANDOFF_VERSION;
	ring_init(&handoff->ring);
	munmap(handoff, sizeof(*handoff));
	return fd;
}

/* In the child: the environment that `regpin run` makes. */
static void hand_over(const char *shim, const struct regpin_policy *policy)
{
	int blob = sealed_blob(policy), shared = shared_handoff();
	int wake = eventfd(0, EFD_NONBLOCK);
	char env[64];

	if (wake < 0)
		bail("eventfd");
	snprintf(env, sizeof(env), "%d,%d,%d", blob, shared, wake);
	setenv(HANDOFF_ENV, env, 1);
	setenv("LD_PRELOAD", shim, 1);
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			bail("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   128 + WTERMSIG(status);
}

int preload_run(const char *shim, const struct regpin_policy *policy,
		char *const argv[], int out)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		bail("fork");
	if (pid)
		return wait_for(pid);
	if (out != STDOUT_FILENO && dup2(out, STDOUT_FILENO) < 0)
		bail("dup2");
	if (shim)
		hand_over(shim, policy);
	execv("/proc/self/exe", argv);
	_exit(98);
}

struct handoff *preload_handoff(void)
{
	const char *env = getenv(HANDOFF_ENV);
	int blob, shared;

	if (!env || sscanf(env, "%d,%d", &blob, &shared) != 2)
		return NULL;
	return map(shared);
}

bool preload_works(const char *shim)
{
	char command[4096];

	snprintf(command, sizeof(command),
		 "LD_PRELOAD='%s' /bin/true 2>&1 | grep -q . && exit 1; "
		 "LD_PRELOAD='%s' /bin/true", shim, shim);
	return system(command) == 0;
}
