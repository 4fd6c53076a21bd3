// SPDX-License-Identifier: GPL-2.0-only
/* Policies that are found by name. */
#include <dirent.h>
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

#define SUFFIX		".yaml"
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

	snprintf(file, sizeof(file), "%s" SUFFIX, name);
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

/* Is @file the file of a policy? Then its name is written to @name. */
static bool is_policy(const char *file, char name[POLICY_NAME_MAX])
{
	size_t len = strlen(file), suffix = strlen(SUFFIX);

	if (len <= suffix || len - suffix >= POLICY_NAME_MAX ||
	    strcmp(file + len - suffix, SUFFIX) != 0)
		return false;
	memcpy(name, file, len - suffix);
	name[len - suffix] = 0;
	return policy_is_name(name);
}

static int add_name(struct policy_names *names, const char *name)
{
	void *list;

	for (size_t i = 0; i < names->nr; i++)
		if (!strcmp(names->list[i], name))
			return 0;
	list = realloc(names->list, (names->nr + 1) * sizeof(*names->list));
	if (!list)
		return -ENOMEM;
	names->list = list;
	snprintf(names->list[names->nr++], sizeof(*names->list), "%s", name);
	return 0;
}

static int add_folder(struct policy_names *names)
{
	DIR *dir = opendir(names->folder);
	const struct dirent *entry;
	char name[POLICY_NAME_MAX];
	int err = dir || errno == ENOENT ? 0 : -errno;

	while (dir && !err && (entry = readdir(dir)))
		if (is_policy(entry->d_name, name))
			err = add_name(names, name);
	if (dir)
		closedir(dir);
	return err;
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

int policy_names_find(struct policy_names *names)
{
	const char *at = folders();
	int err = 0;

	*names = (struct policy_names){ .nr = 0 };
	while (!err && next_folder(&at, names->folder))
		err = add_folder(names);
	if (!err && names->nr)
		qsort(names->list, names->nr, sizeof(*names->list), compare);
	return err;
}

void policy_names_free(struct policy_names *names)
{
	free(names->list);
	*names = (struct policy_names){ .nr = 0 };
}

void policy_folders_each(void (*call)(void *context, const char *folder), void *context)
{
	char folder[POLICY_MAX_SOURCE];
	const char *at = folders();

	while (next_folder(&at, folder))
		call(context, folder);
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
