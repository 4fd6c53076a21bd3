// SPDX-License-Identifier: GPL-2.0-only
/* The store's quota. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "policy_kept.h"
#include "store_room.h"

/* Another process of the user may have put any number of files there. */
#define MAX_FILES	1024u
#define MAX_ENTRIES	65536u

/**
 * struct file - a file that counts
 * @name: its name
 * @size: its bytes
 * @used: when it was last used, in seconds; 0 for a time to come, which no agent writes
 * @text: it is a text, and not the record of a start
 */
struct file {
	char name[NAME_MAX + 1];
	uint64_t size;
	time_t used;
	bool text;
};

struct files {
	unsigned int nr;
	struct file list[MAX_FILES];
};

bool store_is_text(const char *name)
{
	return strspn(name, "0123456789abcdef") == POLICY_HASH_MAX - 1 &&
	       !name[POLICY_HASH_MAX - 1];
}

off_t store_lock_offset(const char *hash)
{
	char digits[16];

	/* 60 bits: the sum stays below the largest offset. */
	memcpy(digits, hash, 15);
	digits[15] = 0;
	return 1 + (off_t)strtoull(digits, NULL, 16);
}

/* Has another agent marked the text as in force, or has this one? */
static bool is_in_force(const struct store *store, const char *hash)
{
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET,
		.l_start = store_lock_offset(hash), .l_len = 1,
	};

	return !strcmp(store->held, hash) ||
	       fcntl(store->lock, F_OFD_GETLK, &lock) < 0 || lock.l_type != F_UNLCK;
}

/* Only the holder of the lock writes such a file, and it removes or renames it. */
static bool is_left_over(const char *name)
{
	return !strncmp(name, STORE_TEMPORARY, strlen(STORE_TEMPORARY));
}

static void add(const struct store *store, const char *name, struct files *files)
{
	struct file *file = &files->list[files->nr];
	int dir = store->folder.fd;
	struct stat st;

	if (is_left_over(name)) {
		unlinkat(dir, name, 0);
		return;
	}
	file->text = store_is_text(name);
	if (!file->text && (strncmp(name, STORE_START, strlen(STORE_START)) != 0 ||
			    !store_is_text(name + strlen(STORE_START))))
		return;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return;
	/* No text is as large as this. */
	if (st.st_size > (off_t)KEPT_MAX_SIZE) {
		unlinkat(dir, name, 0);
		return;
	}
	snprintf(file->name, sizeof(file->name), "%s", name);
	file->size = (uint64_t)st.st_size;
	file->used = st.st_mtim.tv_sec > time(NULL) ? 0 : st.st_mtim.tv_sec;
	files->nr++;
}

static int list(const struct store *store, struct files *files)
{
	/* The folder is opened again, because a copy of its fd would share its position. */
	int fd = openat(store->folder.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int err = -errno;

	files->nr = 0;
	if (!dir) {
		if (fd >= 0)
			close(fd);
		return err;
	}
	for (unsigned int i = 0; i < MAX_ENTRIES && files->nr < MAX_FILES &&
	     (entry = readdir(dir)); i++)
		add(store, entry->d_name, files);
	closedir(dir);
	return 0;
}

static int older_first(const void *a, const void *b)
{
	const struct file *x = a, *y = b;

	if (x->used != y->used)
		return x->used < y->used ? -1 : 1;
	return strcmp(x->name, y->name);
}

/**
 * struct room - what is in the store
 * @texts: number of texts
 * @starts: number of records of starts
 * @bytes: of both
 */
struct room {
	unsigned int texts, starts;
	uint64_t bytes;
};

/* Removes @file if that helps. */
static void reduce(const struct store *store, const struct file *file, struct room *room)
{
	unsigned int *nr = file->text ? &room->texts : &room->starts;
	static const unsigned int maxima[] = { STORE_MAX_STARTS, STORE_MAX_TEXTS };
	unsigned int max = maxima[file->text];

	if (*nr <= max && room->bytes <= STORE_MAX_BYTES)
		return;
	if (file->text && is_in_force(store, file->name))
		return;
	if (unlinkat(store->folder.fd, file->name, 0) < 0)
		return;
	(*nr)--;
	room->bytes -= file->size;
}

int store_make_room(const struct store *store, const char *name, size_t size)
{
	struct files *files = malloc(sizeof(*files));
	struct room room = { .bytes = size };
	bool text = store_is_text(name);
	int err = files ? list(store, files) : -ENOMEM;

	*(text ? &room.texts : &room.starts) = 1;
	for (unsigned int i = 0; !err && i < files->nr; i++) {
		const struct file *file = &files->list[i];

		if (!strcmp(file->name, name)) {
			/* It is replaced. */
			files->list[i--] = files->list[--files->nr];
			continue;
		}
		*(file->text ? &room.texts : &room.starts) += 1;
		room.bytes += file->size;
	}
	if (!err)
		qsort(files->list, files->nr, sizeof(*files->list), older_first);
	for (unsigned int i = 0; !err && i < files->nr; i++)
		reduce(store, &files->list[i], &room);
	if (!err && (room.texts > STORE_MAX_TEXTS || room.starts > STORE_MAX_STARTS ||
		     room.bytes > STORE_MAX_BYTES))
		err = -EDQUOT;
	free(files);
	return err;
}
