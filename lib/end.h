/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How to end a process that must not run what a VMM registered with atexit(). */
#ifndef REGPIN_LIB_END_H
#define REGPIN_LIB_END_H

#include <unistd.h>

/*
 * _exit() also skips what gcov writes at the end of a process. Without that data the
 * agent and a VMM that the shim ends would count as code that no test runs. Only
 * -Db_coverage defines REGPIN_COVERAGE: gcov's library is linked in no other build.
 */
#ifdef REGPIN_COVERAGE
void __gcov_dump(void);
#endif

_Noreturn static inline void end_process(int status)
{
#ifdef REGPIN_COVERAGE
	__gcov_dump();
#endif
	_exit(status);
}

#endif
