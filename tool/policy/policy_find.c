// SPDX-License-Identifier: GPL-2.0-only
/* Policies that are found by name. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/printable.h"
#include "policy_find.h"

#define FOLDERS_ENV	"REGPIN_POLICIES"
#define FOLDERS		"/etc/regpin:" PKGDATADIR "/policies"

bool policy_is_name(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return len && !text[len] && len < POLICY_NAME_MAX && text[0] != '-';
}

/* The folder of policies of the source tree, if this is the program in a build directory. */
static bool build_folder(char to[POLICY_MAX_SOURCE])
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
	struct stat stat;
	char *end;

	if (len <= 0)
		return false;
	path[len] = 0;
	/* BUILD/tool/regpin */
	for (int i = 0; i < 2; i++) {
		end = strrchr(path, '/');
		if (!end)
			return false;
		*end = 0;
	}
	if (strlen(path) + sizeof("/meson-info") > POLICY_MAX_SOURCE)
		return false;
	stpcpy(stpcpy(to, path), "/meson-info");
	end = strrchr(path, '/');
	if (!end || lstat(to, &stat))
		return false;
	*end = 0;
	stpcpy(stpcpy(to, path), "/policies");
	return lstat(to, &stat) == 0;
}

/*
 * The folders, with colons between them. A program with more rights than its caller ignores
 * the environment.
 */
static const char *folders(void)
{
	static char with_build[POLICY_MAX_SOURCE + sizeof(FOLDERS)];
	const char *text = secure_getenv(FOLDERS_ENV);
	char build[POLICY_MAX_SOURCE];

	if (text && *text)
		return text;
	if (!build_folder(build))
		return FOLDERS;
	snprintf(with_build, sizeof(with_build), "/etc/regpin:%s", build);
	return with_build;
}

/* Takes the next folder from the list *@at. Returns false after the last one. */
static bool next_folder(const char **at, char folder[POLICY_MAX_SOURCE])
{
	size_t len;

	*at += strspn(*at, ":");
	len = strcspn(*at, ":");
	if (!len)
		return false;
	snprintf(folder, POLICY_MAX_SOURCE, "%.*s", (int)len, *at);
	*at += len;
	return true;
}

static int open_beneath(const char *folder, const char *file)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC), fd;
	struct stat stat;

	if (dir < 0)
		return -errno;
	fd = (int)syscall(SYS_openat2, dir, file, &how, sizeof(how));
	if (fd < 0)
		fd = -errno;
	close(dir);
	if (fd < 0)
		return fd;
	if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode))
		return fd;
	close(fd);
	return -ENOTSUP;
}

int policy_open(const char *name, char path[POLICY_MAX_SOURCE])
{
	char folder[POLICY_MAX_SOURCE], file[POLICY_NAME_MAX + 8];
	const char *at = folders();

	snprintf(file, sizeof(file), "%s.yaml", name);
	while (next_folder(&at, folder)) {
		int fd;

		if (snprintf(path, POLICY_MAX_SOURCE, "%s/%s", folder, file) >=
		    POLICY_MAX_SOURCE)
			return -ENAMETOOLONG;
		fd = open_beneath(folder, file);
		if (fd != -ENOENT)
			return fd;
	}
	return -ENOENT;
}

const char *policy_folders(char to[POLICY_FOLDERS_TEXT])
{
	char folder[POLICY_MAX_SOURCE];
	const char *at = folders();
	size_t len = 0;

	to[0] = 0;
	while (len < POLICY_FOLDERS_TEXT && next_folder(&at, folder))
		len += (size_t)snprintf(to + len, POLICY_FOLDERS_TEXT - len,
					"%s%s", len ? " or " : "",
					printable(folder));
	return to;
}
