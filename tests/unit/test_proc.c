// SPDX-License-Identifier: GPL-2.0-only
/* proc.c: which processes have the shim, and which are about to end. */
#include "cm.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/proc.h"
#include "base/proc_exit.h"
#include "base/proc_state.h"

static void states(void **state)
{
	siginfo_t info;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		pause();
		_exit(0);
	}
	assert_int_equal(proc_state(pid), PROC_RUNS);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT), 0);
	assert_int_equal(proc_state(pid), PROC_STOPPED);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(proc_state(pid), PROC_ENDED);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(proc_state(pid), PROC_ENDED);
}

static void *runs_on(void *unused)
{
	for (;;)
		pause();
	return unused;
}

/* The first thread has ended, but the process has not. */
static void states_of_threads(void **state)
{
	siginfo_t info;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		pthread_t thread;

		if (!pthread_create(&thread, NULL, runs_on, NULL))
			pthread_exit(NULL);
		_exit(1);
	}
	/* Checks both before and after the thread's end. */
	for (int i = 0; i < 20; i++) {
		assert_int_equal(proc_state(pid), PROC_RUNS);
		usleep(5000);
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(proc_state(pid), PROC_ENDED);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void the_living(void **state)
{
	assert_int_equal(proc_has_shim(getpid(), "/x/libcmocka.so"), 1);
	assert_int_equal(proc_has_shim(getpid(), "/x/no-such-thing.so"), 0);
}

/* A zombie has no memory, which is different from "no shim". */
static void the_dead(void **state)
{
	siginfo_t info;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(proc_has_shim(pid, "/x/libcmocka.so"), -ESRCH);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(proc_has_shim(pid, "/x/libcmocka.so") < 0);
}

/* The command line, and another image after each execve(), even of the same program. */
static void executed(void **state)
{
	uint64_t image = proc_image(getpid());
	int go[2], status;
	char **argv, byte;
	pid_t pid;

	assert_true(image != 0);
	assert_true(image == proc_image(getpid()));
	assert_int_equal(pipe(go), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		assert_int_equal(dup2(go[0], 0), 0);
		close(go[1]);
		execlp("sh", "sh", "-c", "read x; :", "", "a,,b", (char *)NULL);
		_exit(1);
	}
	for (int i = 0; i < 500 && proc_image(pid) == image; i++)
		usleep(10000);
	assert_true(proc_image(pid) != image && proc_image(pid));
	argv = proc_argv(pid);
	assert_non_null(argv);
	assert_string_equal(argv[0], "sh");
	assert_string_equal(argv[3], "");
	assert_string_equal(argv[4], "a,,b");
	assert_null(argv[5]);
	free(argv);
	assert_true(proc_started(pid) >= proc_started(getpid()));
	byte = '\n';
	assert_int_equal(write(go[1], &byte, 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_null(proc_argv(pid));
	close(go[0]);
	close(go[1]);
}

static void *wait_long(void *unused)
{
	pause();
	return NULL;
}

/* The first thread has ended: files, program and memory are those of the other one. */
static void without_first_thread(void **state)
{
	char name[256];
	pid_t pid = fork();
	int found = 0;

	assert_true(pid >= 0);
	if (pid == 0) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, wait_long, NULL))
			_exit(1);
		pthread_exit(NULL);
	}
	for (int i = 0; i < 500 && !found; i++) {
		char path[64], target[8];

		snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
		found = readlink(path, target, sizeof(target)) < 0;
		usleep(10000);
	}
	assert_true(found);
	assert_int_equal(proc_has_shim(pid, "/x/libcmocka.so"), 1);
	assert_int_equal(proc_has_vm(pid), 0);
	assert_true(proc_program(pid, name, sizeof(name)));
	assert_int_equal(proc_has_link(pid, "/dev/null"), proc_has_link(getpid(), "/dev/null"));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* How a process ended, before and after its parent asked. */
static void ended_how(int code, int number)
{
	int status = -1, waited;
	pid_t pid = fork();
	siginfo_t info;
	int fd;

	if (!pid) {
		if (number)
			raise(number);
		_exit(code);
	}
	fd = pidfd_open(pid, 0);
	assert_true(fd >= 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_true(proc_exit_status(pid, fd, &status));
	assert_int_equal(waitpid(pid, &waited, 0), pid);
	assert_int_equal(status, waited);
	status = -1;
	/* Not known to a kernel before 6.15. */
	if (proc_exit_status(pid, fd, &status))
		assert_int_equal(status, waited);
	close(fd);
}

static void exit_statuses(void **state)
{
	int status;
	int fd = pidfd_open(getpid(), 0);

	ended_how(0, 0);
	ended_how(7, 0);
	ended_how(0, SIGKILL);
	assert_false(proc_exit_status(getpid(), fd, &status));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states),
		cmocka_unit_test(exit_statuses),
		cmocka_unit_test(states_of_threads),
		cmocka_unit_test(the_living),
		cmocka_unit_test(the_dead),
		cmocka_unit_test(executed),
		cmocka_unit_test(without_first_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
