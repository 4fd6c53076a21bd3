// SPDX-License-Identifier: GPL-2.0-only
/* Reading a policy from the store by its hash. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/printable.h"
#include "base/words.h"
#include "store_find.h"
#include "store_room.h"

#define MAX_SHOWN	4	/* candidates in a message */

/**
 * struct search - a search for a text
 * @digits: the beginning of its hash, in lower case
 * @nr: number of different hashes that were found
 * @hashes: the first of them
 * @folder: the folder of the first one; its fd is a copy, or -1
 */
struct search {
	char digits[POLICY_HASH_MAX];
	unsigned int nr;
	char hashes[MAX_SHOWN][POLICY_HASH_MAX];
	struct store_folder folder;
};

bool store_is_name(const char *path)
{
	return !strncmp(path, STORE_NAME, strlen(STORE_NAME));
}

static void found(struct search *search, const struct store_folder *folder, const char *hash)
{
	for (unsigned int i = 0; i < search->nr && i < MAX_SHOWN; i++)
		if (!strcmp(search->hashes[i], hash))
			return;
	if (search->nr < MAX_SHOWN)
		memcpy(search->hashes[search->nr], hash, POLICY_HASH_MAX);
	if (!search->nr++) {
		search->folder = *folder;
		search->folder.fd = fcntl(folder->fd, F_DUPFD_CLOEXEC, 0);
	}
}

static bool search_in(void *context, const struct store_folder *folder)
{
	struct search *search = context;
	int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir && fd >= 0)
		close(fd);
	while (dir && (entry = readdir(dir)))
		if (store_is_text(entry->d_name) &&
		    !strncmp(entry->d_name, search->digits, strlen(search->digits)))
			found(search, folder, entry->d_name);
	if (dir)
		closedir(dir);
	/* The caller's own folder comes first, and no other user's file can hide what it has. */
	return search->nr;
}

/* Returns false if @digits are not 12 to 64 hexadecimal digits. */
static bool read_digits(struct search *search, const char *digits)
{
	size_t len = strlen(digits);

	if (len < STORE_MIN_DIGITS || len >= POLICY_HASH_MAX ||
	    strspn(digits, "0123456789abcdefABCDEF") != len)
		return false;
	for (size_t i = 0; i <= len; i++)
		search->digits[i] = (char)tolower((unsigned char)digits[i]);
	return true;
}

static int not_unique(const struct search *search, char error[STORE_ERROR_MAX])
{
	size_t len;

	len = (size_t)snprintf(error, STORE_ERROR_MAX, "%u kept policies begin with these digits:",
			       search->nr);
	for (unsigned int i = 0; i < search->nr && i < MAX_SHOWN; i++)
		len += (size_t)snprintf(error + len, STORE_ERROR_MAX - len, " %s",
					search->hashes[i]);
	if (search->nr > MAX_SHOWN)
		snprintf(error + len, STORE_ERROR_MAX - len, " and more");
	return -ENOTUNIQ;
}

static const char *fault_text(int err)
{
	switch (err) {
	case -ENOTSUP:
		return "it is not a regular file";
	case -EPERM:
		return "it belongs to another user, or other users can write it";
	case -EFBIG:
		return "it is larger than any policy";
	default:
		return strerror(-err);
	}
}

/* Reads the one text that was found, and checks that it is the one that its name promises. */
static int read_found(const struct search *search, struct kept *kept, char **file,
		      char error[STORE_ERROR_MAX])
{
	const char *hash = search->hashes[0], *fault;
	ssize_t size = store_folder_read(&search->folder, hash, KEPT_MAX_SIZE, file);

	fault = size < 0 ? fault_text((int)size) : kept_read(kept, *file, (size_t)size);
	if (!fault && strcmp(kept->hash, hash) != 0)
		fault = "its text has another hash";
	if (!fault)
		return 0;
	free(*file);
	*file = NULL;
	snprintf(error, STORE_ERROR_MAX, "%s/%s can't be used: %s",
		 printable(search->folder.path), hash, fault);
	return size == -ENOMEM ? -ENOMEM : -EBADMSG;
}

int store_find(const struct store_folder *only, const char *digits, struct kept *kept,
	       char **file, char error[STORE_ERROR_MAX])
{
	struct search search = { .folder = { .fd = -1 } };
	char names[2 * PATH_MAX];
	int err;

	*file = NULL;
	if (!read_digits(&search, digits)) {
		snprintf(error, STORE_ERROR_MAX, "%s is not the beginning of a hash: write " STORE_NAME " and 12 to 64 hexadecimal digits, as in the key policy_hash of an event",
			 show(digits).text);
		return -EINVAL;
	}
	store_folder_each(only, search_in, &search);
	if (!search.nr) {
		snprintf(error, STORE_ERROR_MAX, "no policy with this hash is kept in %.*s",
			 PATH_MAX, store_folder_names(names, sizeof(names)));
		return -ENOENT;
	}
	err = search.nr > 1 ? not_unique(&search, error) :
			      read_found(&search, kept, file, error);
	if (search.folder.fd >= 0)
		close(search.folder.fd);
	return err;
}
