// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/proc.h"
#include "ctl_vmm.h"

#define SUFFIX	".vmm"
#define FILE_MAX	(NAME_MAX + 1)
#define TARGET_MAX	4096

/* A number for this process's PID namespace; 0: it can't be read. */
static uint64_t pid_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) < 0 ? 0 : st.st_ino;
}

static void file_name(char file[FILE_MAX], const char *name, const char *suffix)
{
	snprintf(file, FILE_MAX, "%.*s%s", NAME_MAX - 8, name, suffix);
}

void ctl_vmm_write(int dir, const char *name, const pid_t *pids, unsigned int nr)
{
	char file[FILE_MAX], new[FILE_MAX], target[TARGET_MAX];
	size_t len = (size_t)snprintf(target, sizeof(target), "%" PRIu64 ":",
				      pid_namespace());

	if (!nr || nr > CTL_VMM_MAX) {
		ctl_vmm_remove(dir, name);
		return;
	}
	for (unsigned int i = 0; i < nr; i++)
		len += (size_t)snprintf(target + len, sizeof(target) - len, "%s%d-%" PRIu64,
					i ? "," : "", (int)pids[i], proc_started(pids[i]));
	file_name(file, name, SUFFIX);
	file_name(new, name, SUFFIX "+");
	unlinkat(dir, new, 0);
	if (symlinkat(target, dir, new) < 0 || renameat(dir, new, dir, file) < 0)
		ctl_vmm_remove(dir, name);
}

void ctl_vmm_remove(int dir, const char *name)
{
	char file[FILE_MAX];

	file_name(file, name, SUFFIX);
	unlinkat(dir, file, 0);
}

/* One process: "4711-58023". The same id with another start is another process. */
static enum ctl_vmm_state state_of(const char *text, pid_t *pid)
{
	unsigned long id;
	uint64_t started, now;

	if (sscanf(text, "%lu-%" SCNu64, &id, &started) != 2 || !id || id > INT_MAX)
		return CTL_VMM_UNKNOWN;
	if (kill((pid_t)id, 0) < 0 && errno == ESRCH)
		return CTL_VMM_GONE;
	now = proc_started((pid_t)id);
	if (!now || !started)
		return CTL_VMM_UNKNOWN;
	if (now != started)
		return CTL_VMM_GONE;
	*pid = (pid_t)id;
	return CTL_VMM_RUNS;
}

enum ctl_vmm_state ctl_vmm_read(int dir, const char *name, pid_t *pid)
{
	enum ctl_vmm_state state = CTL_VMM_GONE;
	char file[FILE_MAX], target[TARGET_MAX], *at;
	ssize_t len;

	*pid = 0;
	file_name(file, name, SUFFIX);
	len = readlinkat(dir, file, target, sizeof(target) - 1);
	if (len < 0 && errno == ENOENT)
		return CTL_VMM_NO_LINK;
	if (len <= 0 || (size_t)len == sizeof(target) - 1)
		return CTL_VMM_UNKNOWN;
	target[len] = 0;
	at = strchr(target, ':');
	/* Elsewhere these ids are those of other processes. */
	if (!at || !pid_namespace() || strtoull(target, NULL, 10) != pid_namespace())
		return CTL_VMM_UNKNOWN;
	for (; at && state != CTL_VMM_RUNS; at = strchr(at, ',')) {
		enum ctl_vmm_state one = state_of(++at, pid);

		state = one == CTL_VMM_GONE ? state : one;
	}
	return state;
}
