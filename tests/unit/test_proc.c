// SPDX-License-Identifier: GPL-2.0-only
/* proc.c: who has the shim, and who is only about to be gone. */
#include "cm.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc.h"

static void the_living(void **state)
{
	assert_int_equal(proc_has_shim(getpid(), "/x/libcmocka.so"), 1);
	assert_int_equal(proc_has_shim(getpid(), "/x/no-such-thing.so"), 0);
}

/* It has ended, and its parent has not asked: no memory, which is not "no shim". */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_living),
		cmocka_unit_test(the_dead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
