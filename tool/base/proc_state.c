// SPDX-License-Identifier: GPL-2.0-only
/* Whether a process runs. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proc_state.h"

/* The letter of a thread's state, as /proc has it; X if there is no such thread. */
static char state_of(int tasks, const char *thread)
{
	char path[64], text[512], *end;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%.20s/stat", thread);
	fd = openat(tasks, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 'X';
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	/* The name, in brackets, may hold any characters; the state follows. */
	end = strrchr(text, ')');
	if (!end || end[1] != ' ' || !end[2])
		return 'X';
	return end[2];
}

enum proc_state proc_state(pid_t pid)
{
	enum proc_state state = PROC_ENDED;
	const struct dirent *entry;
	char path[32];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	/* The first thread may have ended while others run on. */
	while (dir && state != PROC_RUNS && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		switch (state_of(dirfd(dir), entry->d_name)) {
		case 'T':
		case 't':
			state = PROC_STOPPED;
			break;
		case 'Z':
		case 'X':
		case 'x':
			break;
		default:
			state = PROC_RUNS;
		}
	}
	if (dir)
		closedir(dir);
	return state;
}
