/* SPDX-License-Identifier: GPL-2.0-only */
/* The folders in which agents of this host may have their sockets. */
#ifndef REGPIN_TOOL_CTL_FOLDERS_H
#define REGPIN_TOOL_CTL_FOLDERS_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * struct ctl_folder - a folder
 * @fd: the open folder
 * @owner: its owner
 * @safe: it belongs to this user or to root, and no other user can write to it
 * @path: its path, allocated
 */
struct ctl_folder {
	int fd;
	uid_t owner;
	bool safe;
	char *path;
};

/**
 * struct ctl_folders - some folders
 * @nr: number of @list
 * @list: the folders, in the order in which they were added; allocated
 */
struct ctl_folders {
	unsigned int nr;
	struct ctl_folder *list;
};

/*
 * Adds the folder @path, which a user has named. Returns 0 or a negative errno, -EEXIST if it
 * is there already.
 */
int ctl_folders_add(struct ctl_folders *folders, const char *path);

/*
 * Adds all folders below @run ("/run") that this user can read: @run/regpin, the folders in
 * it, and regpin in each @run/user/UID. Symbolic links are not followed: a user could point
 * with one at another user's folder. Returns 0, or the negative errno with which no more files
 * could be opened.
 */
int ctl_folders_add_all(struct ctl_folders *folders, const char *run);

void ctl_folders_close(struct ctl_folders *folders);

#endif
