// SPDX-License-Identifier: GPL-2.0-only
/* The folders in which policies are kept. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/printable.h"
#include "store_folder.h"

#define FOLDER_ENV	"REGPIN_STORE"
#define ROOT_PARENT	"/var/lib/regpin"
#define ROOT_FOLDER	ROOT_PARENT "/policies"

const char *store_folder_chosen(void)
{
	const char *chosen = secure_getenv(FOLDER_ENV);

	return chosen && *chosen ? chosen : NULL;
}

/* Why a folder can't be used, or NULL. */
static const char *fault_of(const struct stat *st, uid_t owner)
{
	if (st->st_uid != owner)
		return "it belongs to another user";
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return "other users can write in it";
	return NULL;
}

/* Opens @path below the folder @at. Returns 0, or a negative errno with a sentence. */
static int open_checked(struct store_folder *folder, int at, const char *path, uid_t owner,
			char error[STORE_ERROR_MAX])
{
	const char *fault = NULL;
	struct stat st;
	int err = 0;

	folder->owner = owner;
	folder->fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (folder->fd < 0 || fstat(folder->fd, &st) < 0)
		err = -errno;
	else
		fault = fault_of(&st, owner);
	if (!err && !fault)
		return 0;
	/* O_DIRECTORY with O_NOFOLLOW reports a symbolic link as ENOTDIR. */
	snprintf(error, STORE_ERROR_MAX, "%s: %s", printable(folder->path), fault ? fault :
		 err == -ENOTDIR ? "it is not a folder: symbolic links are not followed" :
		 strerror(-err));
	if (folder->fd >= 0)
		close(folder->fd);
	folder->fd = -1;
	return err ? err : -EPERM;
}

static int set_path(struct store_folder *folder, const char *format, const char *text,
		    char error[STORE_ERROR_MAX])
{
	if (snprintf(folder->path, sizeof(folder->path), format, text) < PATH_MAX)
		return 0;
	snprintf(error, STORE_ERROR_MAX, "the path of the folder is too long");
	return -ENAMETOOLONG;
}

/* Makes @folder->path and the missing folders above it. */
static void make_path(const struct store_folder *folder)
{
	char path[PATH_MAX];

	memcpy(path, folder->path, sizeof(path));
	for (char *at = path + 1; (at = strchr(at, '/')); at++) {
		*at = 0;
		mkdir(path, 0700);
		*at = '/';
	}
	mkdir(path, 0700);
}

/*
 * Others may pass through root's folder, because their own may be in it, but not list it. The
 * files in it are root's alone: a policy's owner may have kept it from others.
 */
static void make_root_folder(void)
{
	if (mkdir(ROOT_PARENT, 0755) == 0)
		chmod(ROOT_PARENT, 0755);
	if (mkdir(ROOT_FOLDER, 0711) == 0)
		chmod(ROOT_FOLDER, 0711);
}

/* The user's own folder below the home directory. */
static int own_path(struct store_folder *folder, char error[STORE_ERROR_MAX])
{
	const char *state = secure_getenv("XDG_STATE_HOME");
	const char *home = secure_getenv("HOME");

	if (state && state[0] == '/')
		return set_path(folder, "%s/regpin/policies", state, error);
	if (home && home[0] == '/')
		return set_path(folder, "%s/.local/state/regpin/policies", home, error);
	snprintf(error, STORE_ERROR_MAX,
		 "neither XDG_STATE_HOME nor HOME names a folder for them, and there is no " ROOT_FOLDER "/%u",
		 (unsigned int)geteuid());
	return -ENOENT;
}

/* The folder that the administrator may have made for @user. */
static int open_given(struct store_folder *folder, uid_t user, char error[STORE_ERROR_MAX])
{
	snprintf(folder->path, sizeof(folder->path), ROOT_FOLDER "/%u", (unsigned int)user);
	return open_checked(folder, AT_FDCWD, folder->path, user, error);
}

int store_folder_open(struct store_folder *folder, const char *path,
		      char error[STORE_ERROR_MAX])
{
	int err;

	folder->fd = -1;
	if (path) {
		err = set_path(folder, "%s", path, error);
		if (!err)
			mkdir(folder->path, 0700);
	} else if (geteuid() == 0) {
		err = set_path(folder, "%s", ROOT_FOLDER, error);
		make_root_folder();
	} else {
		if (!open_given(folder, geteuid(), error))
			return 0;
		err = own_path(folder, error);
		if (!err)
			make_path(folder);
	}
	return err ? err : open_checked(folder, AT_FDCWD, folder->path, geteuid(), error);
}

typedef bool folder_call(void *context, const struct store_folder *folder);

static bool call_and_close(struct store_folder *folder, folder_call *call, void *context)
{
	bool ends = call(context, folder);

	close(folder->fd);
	return ends;
}

/* Root finds what the agents of other users have kept, in their folders within root's. */
static bool each_user(const struct store_folder *root, folder_call *call, void *context)
{
	int fd = dup(root->fd);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	char error[STORE_ERROR_MAX];
	bool ends = false;

	if (!dir && fd >= 0)
		close(fd);
	while (dir && !ends && (entry = readdir(dir))) {
		struct store_folder folder = { .fd = -1 };
		char *end;
		unsigned long user;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		user = strtoul(entry->d_name, &end, 10);
		if (*end || user >= UINT_MAX || strlen(entry->d_name) > 10)
			continue;
		/* The precisions state what was just checked: without optimisation, gcc warns. */
		snprintf(folder.path, sizeof(folder.path), "%.*s/%.10s", PATH_MAX - 16,
			 root->path, entry->d_name);
		if (!open_checked(&folder, root->fd, entry->d_name, (uid_t)user, error))
			ends = call_and_close(&folder, call, context);
	}
	if (dir)
		closedir(dir);
	return ends;
}

void store_folder_each(const struct store_folder *only, folder_call *call, void *context)
{
	const char *chosen = store_folder_chosen();
	char error[STORE_ERROR_MAX];
	struct store_folder folder = { .fd = -1 };
	bool ends = false;

	if (only)
		call(context, only);
	if (only || (chosen && !strcmp(chosen, STORE_NONE)))
		return;
	if (chosen || geteuid() == 0) {
		if (set_path(&folder, "%s", chosen ? chosen : ROOT_FOLDER, error) ||
		    open_checked(&folder, AT_FDCWD, folder.path, geteuid(), error))
			return;
		ends = call(context, &folder);
		if (!ends && geteuid() == 0)
			each_user(&folder, call, context);
		close(folder.fd);
		return;
	}
	if (!open_given(&folder, geteuid(), error))
		ends = call_and_close(&folder, call, context);
	if (!ends && !own_path(&folder, error) &&
	    !open_checked(&folder, AT_FDCWD, folder.path, geteuid(), error))
		call_and_close(&folder, call, context);
}

const char *store_folder_names(char *to, size_t size)
{
	const char *chosen = store_folder_chosen();
	char error[STORE_ERROR_MAX];
	struct store_folder folder = { .fd = -1 };

	if (chosen && !strcmp(chosen, STORE_NONE))
		snprintf(to, size, "any folder, because " FOLDER_ENV " is " STORE_NONE);
	else if (chosen || geteuid() == 0)
		snprintf(to, size, "%s", printable(chosen ? chosen : ROOT_FOLDER));
	else
		snprintf(to, size, ROOT_FOLDER "/%u%s%s", (unsigned int)geteuid(),
			 own_path(&folder, error) ? "" : " or ",
			 own_path(&folder, error) ? "" : printable(folder.path));
	return to;
}

int store_folder_file(const struct store_folder *folder, const char *name, size_t max,
		      size_t *size)
{
	/* O_NONBLOCK: a FIFO would wait for a writer. */
	int fd = openat(folder->fd, name,
			O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	int err = 0;

	if (fd < 0)
		return errno == ELOOP ? -ENOTSUP : -errno;
	if (fstat(fd, &st) < 0)
		err = -errno;
	else if (!S_ISREG(st.st_mode))
		err = -ENOTSUP;
	else if (st.st_uid != folder->owner || st.st_mode & (S_IWGRP | S_IWOTH))
		err = -EPERM;
	else if (st.st_size > (off_t)max)
		err = -EFBIG;
	if (err) {
		close(fd);
		return err;
	}
	*size = (size_t)st.st_size;
	return fd;
}

ssize_t store_folder_read(const struct store_folder *folder, const char *name, size_t max,
			  char **ret)
{
	size_t size = 0, used = 0;
	int fd = store_folder_file(folder, name, max, &size);
	ssize_t len = 0;

	*ret = NULL;
	if (fd < 0)
		return fd;
	/* One more byte, because malloc(0) may return NULL. */
	*ret = malloc(size + 1);
	while (*ret && used < size && (len = read(fd, *ret + used, size - used)) > 0)
		used += (size_t)len;
	if (len < 0)
		len = -errno;
	close(fd);
	if (!*ret)
		return -ENOMEM;
	return len < 0 ? len : (ssize_t)used;
}
