// SPDX-License-Identifier: GPL-2.0-only
#include <err.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "steps.h"

/* Counts the instructions between the two traps. */
static __attribute__((noinline)) void counted(void (*what)(const void *argument),
					      const void *argument)
{
	__asm__ volatile("int3" ::: "memory");
	what(argument);
	__asm__ volatile("int3" ::: "memory");
}

static int wait_stop(pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
		errx(1, "the child that is counted has ended");
	return WSTOPSIG(status);
}

/* Was the trap at RIP our own? The trap instruction is the byte before RIP. */
static bool is_mark(pid_t child)
{
	siginfo_t info;

	if (ptrace(PTRACE_GETSIGINFO, child, NULL, &info))
		err(1, "PTRACE_GETSIGINFO");
	return info.si_code == SI_KERNEL;
}

static void step(pid_t child, int how)
{
	if (ptrace(how, child, NULL, NULL))
		err(1, "ptrace");
	if (wait_stop(child) != SIGTRAP)
		errx(1, "the child that is counted got another signal");
}

static unsigned int steps_between(void (*what)(const void *argument),
				  const void *argument)
{
	unsigned int steps = 0;
	pid_t child = fork();

	if (child < 0)
		err(1, "fork");
	if (!child) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
			err(1, "PTRACE_TRACEME");
		raise(SIGSTOP);
		counted(what, argument);
		_exit(0);
	}
	wait_stop(child);
	do
		step(child, PTRACE_CONT);
	while (!is_mark(child));
	for (;;) {
		step(child, PTRACE_SINGLESTEP);
		if (is_mark(child))
			break;
		steps++;
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return steps;
}

static void nothing(const void *argument)
{
}

unsigned int steps_of(void (*what)(const void *argument), const void *argument)
{
	return steps_between(what, argument) - steps_between(nothing, NULL);
}
