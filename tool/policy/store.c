// SPDX-License-Identifier: GPL-2.0-only
/* The store: keeps the texts of policies. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/printable.h"
#include "policy_kept.h"
#include "store.h"
#include "store_room.h"

#define LOCK_FILE	".lock"
#define LOCK_TRIES	25
#define LOCK_TRY_MS	20

static const char *fault_text(int err)
{
	switch (err) {
	case -EAGAIN:
		return "another process holds the lock for writing";
	case -EDQUOT:
		return "it is full of texts of policies that are in force";
	case -ELOOP:
	case -ENOTSUP:
		return "its lock is not a regular file";
	case -EPERM:
		return "its lock belongs to another user, or other users can write it";
	default:
		return strerror(-err);
	}
}

static int fail(const struct store *store, int err, char error[STORE_ERROR_MAX])
{
	snprintf(error, STORE_ERROR_MAX, "%s: %s", printable(store->folder.path),
		 fault_text(err));
	return err;
}

static int open_lock(const struct store_folder *folder)
{
	int fd = openat(folder->fd, LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
			O_NOCTTY | O_NONBLOCK, 0600);
	struct stat st;
	int err = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		err = -errno;
	else if (!S_ISREG(st.st_mode))
		err = -ENOTSUP;
	else if (st.st_uid != folder->owner || st.st_mode & (S_IWGRP | S_IWOTH))
		err = -EPERM;
	if (!err)
		return fd;
	close(fd);
	return err;
}

int store_open(struct store *store, const char *path, char error[STORE_ERROR_MAX])
{
	int err;

	*store = (struct store){ .lock = -1 };
	err = store_folder_open(&store->folder, path, error);
	if (err)
		return err;
	store->lock = open_lock(&store->folder);
	store->open = store->lock >= 0;
	if (store->open)
		return 0;
	close(store->folder.fd);
	return fail(store, store->lock, error);
}

static int lock_at(const struct store *store, short type, off_t offset)
{
	struct flock lock = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = offset, .l_len = 1,
	};

	return fcntl(store->lock, F_OFD_SETLK, &lock) < 0 ? -errno : 0;
}

/* An agent must not wait long: until it goes on, events stay in the ring. */
static int lock_for_writing(const struct store *store)
{
	int err = lock_at(store, F_WRLCK, 0);

	for (int i = 0; (err == -EAGAIN || err == -EACCES) && i < LOCK_TRIES; i++) {
		poll(NULL, 0, LOCK_TRY_MS);
		err = lock_at(store, F_WRLCK, 0);
	}
	return err == -EACCES ? -EAGAIN : err;
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

/* Writes a new file, and gives it its name only when it is whole and on the disk. */
static int replace(int dir, const char *name, const char *head, size_t head_size,
		   const char *text, size_t size)
{
	static const char temporary[] = STORE_TEMPORARY "text";
	int fd, err;

	fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	err = write_all(fd, head, head_size);
	if (!err)
		err = write_all(fd, text, size);
	if (!err && fsync(fd) < 0)
		err = -errno;
	if (close(fd) < 0 && !err)
		err = -errno;
	if (!err && renameat(dir, temporary, dir, name) < 0)
		err = -errno;
	if (err)
		unlinkat(dir, temporary, 0);
	else
		fsync(dir);
	return err;
}

static int write_locked(const struct store *store, const char *name, const char *head,
			size_t head_size, const char *text, size_t size)
{
	int err = store_make_room(store, name, head_size + size);

	return err ? err : replace(store->folder.fd, name, head, head_size, text, size);
}

int store_write(struct store *store, const char *name, const char *head, size_t head_size,
		const char *text, size_t size, char error[STORE_ERROR_MAX])
{
	int err = lock_for_writing(store);

	if (!err) {
		err = write_locked(store, name, head, head_size, text, size);
		lock_at(store, F_UNLCK, 0);
	}
	return err ? fail(store, err, error) : 0;
}

/* Is the text there already, under the same name of its file? Then it was used just now. */
static bool touch(const struct store *store, const struct policy_written *written,
		  const char *head, size_t head_size)
{
	char *file;
	ssize_t size = store_folder_read(&store->folder, written->hash, KEPT_MAX_SIZE, &file);
	bool same = size >= 0 && (size_t)size == head_size + written->size &&
		    !memcmp(file, head, head_size) &&
		    !memcmp(file + head_size, written->text, written->size);

	free(file);
	return same && utimensat(store->folder.fd, written->hash, NULL, AT_SYMLINK_NOFOLLOW) == 0;
}

int store_keep(struct store *store, const struct policy_written *written,
	       char error[STORE_ERROR_MAX])
{
	char head[KEPT_HEAD_MAX];
	size_t head_size = kept_head(head, written->hash, written->name);
	bool other = strcmp(store->held, written->hash) != 0;
	int err = lock_for_writing(store);

	if (err)
		return fail(store, err, error);
	/* The policy before this one is not in force any more, whether this one is kept or not. */
	if (other && *store->held)
		lock_at(store, F_UNLCK, store_lock_offset(store->held));
	if (other) {
		store->held[0] = 0;
		err = lock_at(store, F_RDLCK, store_lock_offset(written->hash));
	}
	if (!err && !touch(store, written, head, head_size))
		err = write_locked(store, written->hash, head, head_size, written->text,
				   written->size);
	if (!err)
		memcpy(store->held, written->hash, sizeof(store->held));
	else if (other)
		lock_at(store, F_UNLCK, store_lock_offset(written->hash));
	lock_at(store, F_UNLCK, 0);
	return err ? fail(store, err, error) : 0;
}
