// SPDX-License-Identifier: GPL-2.0-only
/* A kernel that does not wipe a page for a child: refuses MADV_WIPEONFORK, and prints that. */
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int madvise(void *at, size_t size, int advice)
{
	if (advice != MADV_WIPEONFORK)
		return (int)syscall(SYS_madvise, at, size, advice);
	fputs("MADV_WIPEONFORK refused\n", stderr);
	errno = EINVAL;
	return -1;
}
