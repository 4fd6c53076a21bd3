// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hook gets its stdin, and nothing else of the agent's: no other file, no environment, no
 * signal that is blocked or ignored, no way to more rights than its user has.
 *
 * The kernel passes a script to its interpreter as /dev/fd/N, so N must stay open in the
 * interpreter. Only scripts get that file; a binary program gets none.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/proc.h"
#include "hook_child.h"
#include "lib/end.h"

#define FILES	1024	/* the usual limit: the agent has raised its own */
#define STATUS	127

static _Noreturn void fail(struct hook_page *page, const char *text)
{
	snprintf(page->fault, sizeof(page->fault), "%s", text);
	end_process(STATUS);
}

static int set_files(int input)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(input, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
		return -1;
	return close_range(3, ~0u, 0);
}

static void reset_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void set_limits(void)
{
	const struct rlimit none = { 0, 0 };
	struct rlimit files;

	setrlimit(RLIMIT_CORE, &none);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur > FILES) {
		files.rlim_cur = FILES;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	umask(077);
}

_Noreturn void hook_child(const char *program, int input, struct hook_page *page)
{
	char *argv[] = { (char *)program, NULL }, *environment[] = { NULL };
	char fault[HOOK_FAULT_MAX];
	int fd;

	setsid();
	atomic_store(&page->started, proc_started(getpid()));
	atomic_store(&page->pid, (uint32_t)getpid());
	if (set_files(input) < 0)
		fail(page, "its files can't be set up");
	reset_signals();
	set_limits();
	if (chdir("/") < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		fail(page, "its process can't be set up");
	fd = hook_open(program, geteuid(), fault);
	if (fd < 0)
		fail(page, fault);
	execveat(fd, "", argv, environment, AT_EMPTY_PATH);
	/* ENOENT: a script, whose interpreter would find the file closed. */
	if (errno == ENOENT && fcntl(fd, F_SETFD, 0) == 0)
		execveat(fd, "", argv, environment, AT_EMPTY_PATH);
	snprintf(fault, sizeof(fault), "it can't be executed: %s%s", strerror(errno),
		 errno == ENOENT ? " (the interpreter that its first line names)" : "");
	fail(page, fault);
}
