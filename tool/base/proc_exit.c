// SPDX-License-Identifier: GPL-2.0-only
/* The exit status of a process that is not a child of this one. */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>

#include "proc_exit.h"

/*
 * The first 64 bytes of Linux's struct pidfd_info. A build machine may lack the headers of
 * Linux 6.15, which have it.
 */
struct info {
	uint64_t mask;
	uint64_t cgroup;
	uint32_t ids[11];
	int32_t exit_code;
};

#define INFO_EXIT	(1ull << 3)
#define GET_INFO	_IOWR(0xff, 11, struct info)

_Static_assert(sizeof(struct info) == 64, "PIDFD_INFO_SIZE_VER0");

/* Reads the exit status from a line of /proc/PID/stat, where it is word 50 after the name. */
static bool read_stat(FILE *file, int *status)
{
	char line[2048], *at, *word, *next = NULL;
	unsigned int n = 0;

	if (!fgets(line, sizeof(line), file))
		return false;
	/* The program's name may have blanks and parentheses. */
	at = strrchr(line, ')');
	if (!at || strncmp(at, ") Z", 3) != 0)
		return false;
	for (word = strtok_r(at + 1, " \n", &next); word;
	     word = strtok_r(NULL, " \n", &next))
		if (++n == 50)
			return sscanf(word, "%d", status) == 1;
	return false;
}

/* Reads the status of an ended process. Returns false if it runs or has been reaped. */
static bool status_of_zombie(pid_t pid, int *status)
{
	char path[64];
	FILE *file;
	bool good;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	good = read_stat(file, status);
	fclose(file);
	return good;
}

bool proc_exit_status(pid_t pid, int pidfd, int *status)
{
	struct info info = { .mask = INFO_EXIT };

	/*
	 * If the process of @pidfd has not been reaped even now, it still had the id @pid
	 * when the status was read.
	 */
	if (status_of_zombie(pid, status) &&
	    pidfd_send_signal(pidfd, 0, NULL, 0) == 0)
		return true;
	if (ioctl(pidfd, GET_INFO, &info) < 0 || !(info.mask & INFO_EXIT))
		return false;
	*status = info.exit_code;
	return true;
}
