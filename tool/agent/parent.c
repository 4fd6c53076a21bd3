// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "parent.h"

/* Signals that `run` passes on to the VMM. */
static const int passed[] = {
	SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2,
};

static int fail(const char *what)
{
	fprintf(stderr, "regpin: can't start the VMM: %s: %s\n", what,
		strerror(errno));
	return EXIT_RUN;
}

/*
 * Passes on only signals that a process sent, because the VMM gets signals of the terminal
 * itself.
 */
static int wait_for(pid_t child, const sigset_t *signals)
{
	siginfo_t info;
	int status;

	for (;;) {
		pid_t ended = waitpid(child, &status, WNOHANG);

		if (ended == child)
			return status;
		if (ended < 0 && errno != EINTR)
			return EXIT_RUN << 8;
		if (sigwaitinfo(signals, &info) > 0 && info.si_signo != SIGCHLD &&
		    info.si_code <= 0)
			kill(child, info.si_signo);
	}
}

/* Ends as the VMM ended, by the same signal, but without a core file. */
static int end_as(int status)
{
	const struct rlimit none = { 0, 0 };
	int number = WTERMSIG(status);

	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	setrlimit(RLIMIT_CORE, &none);
	signal(number, SIG_DFL);
	raise(number);
	return 128 + number;
}

/* The agent holds the other end, and closes it without a byte if there was no VM. */
static bool saw_vm(int fd)
{
	char byte;
	ssize_t n;

	do {
		n = read(fd, &byte, 1);
	} while (n < 0 && errno == EINTR);
	close(fd);
	return n == 1;
}

static int parent_main(pid_t child, int seen, const sigset_t *signals, bool quiet)
{
	int status = wait_for(child, signals);

	sigprocmask(SIG_UNBLOCK, signals, NULL);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return end_as(status);
	if (saw_vm(seen))
		return EXIT_OK;
	if (!quiet)
		fprintf(stderr, "regpin: the VMM has created no KVM VM, and --require-vm demands one\n");
	return EXIT_RUN;
}

int parent_fork(int *seen, bool quiet)
{
	struct sigaction old, plain = { .sa_handler = SIG_DFL };
	sigset_t signals, before;
	pid_t self = getpid(), child;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail("pipe");
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
		sigaddset(&signals, passed[i]);
	sigprocmask(SIG_BLOCK, &signals, &before);
	/* If SIGCHLD were ignored, waitpid() would not return the status. */
	sigaction(SIGCHLD, &plain, &old);
	child = fork();
	if (child < 0)
		return fail("fork");
	if (child > 0) {
		close(ends[1]);
		return parent_main(child, ends[0], &signals, quiet);
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	sigaction(SIGCHLD, &old, NULL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (getppid() != self)
		return fail("its parent has ended");
	close(ends[0]);
	*seen = ends[1];
	return -1;
}
