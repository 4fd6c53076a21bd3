// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each part of the path is opened in the folder that was checked before, and never through a
 * symbolic link. So a folder or a file that replaces another one meanwhile is either
 * checked as well, or not used.
 *
 * Write permission of a group is refused whatever the group is: where a file has an access
 * control list, those bits stand for all users and groups of the list. A folder like /tmp is
 * refused as well: any user could create a file under a missing name there, and it could
 * be a hard link to a program of root's.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/printable.h"
#include "hook_file.h"

/**
 * struct step - one part of the path
 * @fd: the file or folder, opened with O_PATH
 * @path: the whole path
 * @len: bytes of @path up to the end of this part
 */
struct step {
	int fd;
	const char *path;
	size_t len;
};

static int fail(const struct step *step, char *fault, const char *text)
{
	char part[PATH_MAX];

	snprintf(part, sizeof(part), "%.*s", (int)step->len, step->path);
	snprintf(fault, HOOK_FAULT_MAX, "%.300s %s", printable(part), text);
	return -1;
}

static int fail_open(const struct step *step, char *fault, int err)
{
	char text[128];

	snprintf(text, sizeof(text), "can't be opened: %s", strerror(err));
	return fail(step, fault, text);
}

/* Can a user other than root and @user change the file or the entries of the folder? */
static int check_owner(const struct step *step, uid_t user, struct stat *st,
		       char *fault)
{
	if (fstat(step->fd, st) < 0)
		return fail_open(step, fault, errno);
	if (S_ISLNK(st->st_mode))
		return fail(step, fault, "is a symbolic link, and those are not followed: give the path that it leads to");
	if (st->st_uid != 0 && st->st_uid != user)
		return fail(step, fault, "belongs neither to root nor to the user of 'regpin run'");
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return fail(step, fault, "can be written by its group or by others: take these permissions away, or choose another folder");
	return 0;
}

static int check_program(const struct step *step, const struct stat *st, char *fault)
{
	if (!S_ISREG(st->st_mode))
		return fail(step, fault, "is not a regular file");
	if (st->st_mode & (S_ISUID | S_ISGID))
		return fail(step, fault, "is set-user-ID or set-group-ID, which a hook must not be");
	if (faccessat(step->fd, "", X_OK, AT_EACCESS | AT_EMPTY_PATH) < 0)
		return fail(step, fault, "is not executable for this user, or its file system allows no programs");
	return 0;
}

/* Opens the next part in the folder of @step. @last: it is the program. */
static int advance(struct step *step, uid_t user, bool last, char *fault)
{
	const char *name = step->path + step->len;
	char part[NAME_MAX + 1];
	struct stat st;
	size_t len;
	int folder = step->fd;

	name += strspn(name, "/");
	len = strcspn(name, "/");
	step->len = (size_t)(name - step->path) + len;
	if (len > NAME_MAX)
		return fail_open(step, fault, ENAMETOOLONG);
	memcpy(part, name, len);
	part[len] = 0;
	step->fd = openat(folder, part, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	close(folder);
	if (step->fd < 0)
		return fail_open(step, fault, errno);
	if (check_owner(step, user, &st, fault) < 0)
		return -1;
	if (last)
		return check_program(step, &st, fault);
	return S_ISDIR(st.st_mode) ? 0 : fail(step, fault, "is not a folder");
}

int hook_open(const char *path, uid_t user, char fault[HOOK_FAULT_MAX])
{
	struct step step = { .path = path, .len = 1 };
	struct stat st;
	int err;

	if (*path != '/') {
		snprintf(fault, HOOK_FAULT_MAX, "an absolute path is needed, which begins with /");
		return -1;
	}
	if (strlen(path) > HOOK_PATH_MAX) {
		snprintf(fault, HOOK_FAULT_MAX, "its path has more than %u bytes", HOOK_PATH_MAX);
		return -1;
	}
	if (path[strlen(path) - 1] == '/') {
		snprintf(fault, HOOK_FAULT_MAX, "a folder can't be a hook");
		return -1;
	}
	step.fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (step.fd < 0)
		return fail_open(&step, fault, errno);
	err = check_owner(&step, user, &st, fault);
	while (!err && path[step.len])
		err = advance(&step, user, !strchr(path + step.len +
				strspn(path + step.len, "/"), '/'), fault);
	if (!err)
		return step.fd;
	if (step.fd >= 0)
		close(step.fd);
	return -1;
}
