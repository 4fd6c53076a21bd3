// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hook for tests: writes what it has got to its own file's name with ".got" at the end.
 * First lines of "KEY VALUE" about its process, then its stdin.
 */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

extern char **environ;

/* The numbers of the open files, and their names. */
static void put_files(FILE *out)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	char to[PATH_MAX];

	while (dir && (entry = readdir(dir))) {
		int fd = atoi(entry->d_name);
		ssize_t n;

		if (*entry->d_name == '.' || fd == dirfd(dir) || fd == fileno(out))
			continue;
		n = readlinkat(dirfd(dir), entry->d_name, to, sizeof(to) - 1);
		fprintf(out, "file %d %.*s\n", fd, n < 0 ? 0 : (int)n, to);
	}
	if (dir)
		closedir(dir);
}

static void put_signals(FILE *out)
{
	struct sigaction action;
	sigset_t blocked;
	int bad = 0;

	sigprocmask(SIG_SETMASK, NULL, &blocked);
	for (int sig = 1; sig < NSIG; sig++)
		if (sigismember(&blocked, sig) == 1 ||
		    (sigaction(sig, NULL, &action) == 0 && action.sa_handler != SIG_DFL))
			bad++;
	fprintf(out, "signals %d\n", bad);
}

int main(int argc, char **argv)
{
	char name[PATH_MAX + 8], dir[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", name, PATH_MAX - 1);
	struct rlimit files, core;
	unsigned int variables = 0;
	FILE *out;
	int c;

	if (n < 0 || !getcwd(dir, sizeof(dir)))
		err(70, "/proc/self/exe");
	strcpy(name + n, ".got");
	out = fopen(name, "ae");
	if (!out)
		err(70, "%s", name);
	while (environ && environ[variables])
		variables++;
	getrlimit(RLIMIT_NOFILE, &files);
	getrlimit(RLIMIT_CORE, &core);
	fprintf(out, "arguments %d\nname %s\nenvironment %u\nfolder %s\nsession %d\n"
		"new-privileges %d\nmax-files %d\nmax-core %d\n",
		argc, argv[0], variables, dir, getsid(0) == getpid(),
		!prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), (int)files.rlim_cur, (int)core.rlim_max);
	put_files(out);
	put_signals(out);
	/* Neither a write nor a change of the size may succeed. */
	fprintf(out, "writable %d\n", write(0, "x", 1) == 1 || ftruncate(0, 0) == 0);
	while ((c = getchar()) != EOF)
		putc(c, out);
	fputs("end\n", out);
	return fclose(out) ? 70 : 0;
}
