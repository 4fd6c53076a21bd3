// SPDX-License-Identifier: GPL-2.0-only
/* The handoff to the shim, made by the test itself. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/policy/blob.h"
#include "preload.h"
#include "serve.h"

#define MEMORY_ENV	"REGPIN_TEST_MEMORY"

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

/* The agent ends with the test. */
static void begin_agent(int listening, const struct served *served)
{
	pid_t parent = getpid();

	if (fork())
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	if (getppid() == parent)
		serve(listening, served);
	_exit(1);
}

/* In the child: sets the environment that `regpin run` makes, and starts an agent. */
static void hand_over(const char *shim, const struct regpin_policy *policy)
{
	struct served served;
	char env[16];

	serve_prepare(&served, sealed_blob(policy));
	begin_agent(serve_listen(), &served);
	snprintf(env, sizeof(env), "%d", fcntl(served.files[2], F_DUPFD, 100));
	setenv(MEMORY_ENV, env, 1);
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
	const char *env = getenv(MEMORY_ENV);

	return env ? map(atoi(env)) : NULL;
}

bool preload_works(const char *shim)
{
	char command[4096];

	snprintf(command, sizeof(command),
		 "LD_PRELOAD='%s' /bin/true 2>&1 | grep -q . && exit 1; "
		 "LD_PRELOAD='%s' /bin/true", shim, shim);
	return system(command) == 0;
}
