/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The folders in which policies are kept. Root's is /var/lib/regpin/policies, where each other
 * user may have a folder that is named by the user's number; otherwise a user's own is
 * $XDG_STATE_HOME/regpin/policies. The environment variable REGPIN_STORE replaces them.
 *
 * A folder is used only if it belongs to the right user and no other user can write in it,
 * and never by a symbolic link. Each process of its owner can delete the files there. A
 * changed text is detected by its hash.
 */
#ifndef REGPIN_TOOL_STORE_FOLDER_H
#define REGPIN_TOOL_STORE_FOLDER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define STORE_ERROR_MAX	(PATH_MAX + 256)

/**
 * struct store_folder - an open folder
 * @fd: the folder
 * @owner: its user, to whom the files in it must belong
 * @path: its path
 */
struct store_folder {
	int fd;
	uid_t owner;
	char path[PATH_MAX];
};

/*
 * Opens the folder in which this user keeps policies, and makes it if need be. @path is the
 * user's choice, or NULL. Returns 0, or a negative errno with a sentence in @error.
 */
int store_folder_open(struct store_folder *folder, const char *path,
		      char error[STORE_ERROR_MAX]);

/* In place of a folder: no policy is kept, or found. */
#define STORE_NONE	"none"

/* The value of REGPIN_STORE, or NULL. */
const char *store_folder_chosen(void);

/*
 * Calls @call with each folder in which this user may look for policies. Those that do not
 * exist or can't be used are skipped. The user's own folder comes first. Ends early if @call
 * returns true. With @only, calls @call with that folder alone.
 */
void store_folder_each(const struct store_folder *only,
		       bool (*call)(void *context, const struct store_folder *folder),
		       void *context);

/* The folders, for messages. Root's stands for those of all users. */
const char *store_folder_names(char *to, size_t size);

/*
 * Opens the file @name for reading. It must be a regular file of the folder's owner that no
 * other user can write, of @max bytes at most. Returns a file descriptor and its @size, or a
 * negative errno: -EPERM for another owner or mode, -EFBIG, -ENOTSUP for another kind of file.
 */
int store_folder_file(const struct store_folder *folder, const char *name, size_t max,
		      size_t *size);

/*
 * Reads the file @name into @ret, which the caller frees. Returns its size, or a negative
 * errno as store_folder_file() does.
 */
ssize_t store_folder_read(const struct store_folder *folder, const char *name, size_t max,
			  char **ret);

#endif
