// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl_folders.h"
#include "ctl_socket.h"

/* Is it in the list already, under whatever path? */
static bool is_known(const struct ctl_folders *folders, const struct stat *new)
{
	struct stat st;

	for (unsigned int i = 0; i < folders->nr; i++)
		if (fstat(folders->list[i].fd, &st) == 0 &&
		    st.st_dev == new->st_dev && st.st_ino == new->st_ino)
			return true;
	return false;
}

/* Takes over @fd. */
static int add(struct ctl_folders *folders, int fd, const char *path)
{
	struct ctl_folder *list;
	struct stat st;
	int err = fstat(fd, &st) < 0 ? -errno : is_known(folders, &st) ? -EEXIST : 0;

	if (!err) {
		list = realloc(folders->list, (folders->nr + 1) * sizeof(*list));
		folders->list = list ? list : folders->list;
		path = list ? strdup(path) : NULL;
		err = path ? 0 : -ENOMEM;
	}
	if (err) {
		close(fd);
		return err;
	}
	folders->list[folders->nr++] = (struct ctl_folder){
		.fd = fd, .owner = st.st_uid, .path = (char *)path,
		.safe = (st.st_uid == geteuid() || st.st_uid == 0) &&
			!(st.st_mode & (S_IWGRP | S_IWOTH)),
	};
	return 0;
}

int ctl_folders_add(struct ctl_folders *folders, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : add(folders, fd, path);
}

static int open_at(int dir, const char *name)
{
	return openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Opens the folder @name in @dir, or the folder @below of it if that is not NULL. */
static int open_below(int dir, const char *name, const char *below)
{
	int fd = open_at(dir, name), inner;

	if (fd < 0 || !below)
		return fd;
	inner = open_at(fd, below);
	close(fd);
	return inner;
}

/* 0 for a folder that is left out: it is no folder, or this user can't read it. */
static int grave(int err)
{
	return ctl_files_fault(err) ? err : 0;
}

/*
 * Adds each folder in @path, or the folder @below of each of these if it is not NULL. Returns 0
 * or an error of grave().
 */
static int add_below(struct ctl_folders *folders, const char *path, const char *below)
{
	DIR *dir = opendir(path);
	int err = dir ? 0 : grave(-errno);
	struct dirent *entry;
	char full[PATH_MAX];

	while (dir && !err && (entry = readdir(dir))) {
		int fd;

		if (entry->d_name[0] == '.')
			continue;
		fd = open_below(dirfd(dir), entry->d_name, below);
		if (fd < 0)
			err = grave(-errno);
		else if (snprintf(full, sizeof(full), "%s/%s%s%s", path, entry->d_name,
				  below ? "/" : "", below ? below : "") < (int)sizeof(full))
			add(folders, fd, full);
		else
			close(fd);
	}
	if (dir)
		closedir(dir);
	return err;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct ctl_folder *)a)->path,
		      ((const struct ctl_folder *)b)->path);
}

int ctl_folders_add_all(struct ctl_folders *folders, const char *run)
{
	unsigned int first = folders->nr;
	char path[PATH_MAX];
	int err;

	snprintf(path, sizeof(path), "%s/regpin", run);
	err = grave(ctl_folders_add(folders, path));
	if (!err)
		err = add_below(folders, path, NULL);
	snprintf(path, sizeof(path), "%s/user", run);
	if (!err)
		err = add_below(folders, path, "regpin");
	if (folders->nr > first)
		qsort(folders->list + first, folders->nr - first,
		      sizeof(*folders->list), compare);
	return err;
}

void ctl_folders_close(struct ctl_folders *folders)
{
	for (unsigned int i = 0; i < folders->nr; i++) {
		close(folders->list[i].fd);
		free(folders->list[i].path);
	}
	free(folders->list);
	*folders = (struct ctl_folders){ .nr = 0 };
}
