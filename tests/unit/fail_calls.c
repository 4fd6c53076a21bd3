// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linked into the command by --wrap: the N-th call of one of libc's functions fails.
 * FAIL_CALL has the function's name and N, such as "malloc:3"; malloc stands for calloc,
 * realloc, reallocarray and strdup as well. A byte on file descriptor 9 reports that the call was made.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t nr, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t nr, size_t size);
char *__real_strdup(const char *text);
int __real_fsync(int fd);
int __real_fchmod(int fd, mode_t mode);
int __real_rename(const char *from, const char *to);
ssize_t __real_write(int fd, const void *from, size_t size);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t nr, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t nr, size_t size);
char *__wrap_strdup(const char *text);
int __wrap_fsync(int fd);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_rename(const char *from, const char *to);
ssize_t __wrap_write(int fd, const void *from, size_t size);

static const char *wanted = "";
static size_t wanted_len;
static unsigned long left;

/* After main(), the calls are those of gcov, which measures the tests' coverage. */
static void end(void)
{
	left = 0;
}

__attribute__((constructor)) static void begin(void)
{
	const char *text = getenv("FAIL_CALL"), *colon = text ? strchr(text, ':') : NULL;

	if (!colon)
		return;
	wanted = text;
	wanted_len = (size_t)(colon - text);
	left = strtoul(colon + 1, NULL, 10);
	if (atexit(end))
		_exit(99);
}

static bool fails(const char *name, int error)
{
	if (!left || strlen(name) != wanted_len ||
	    memcmp(wanted, name, wanted_len) != 0 || --left)
		return false;
	if (__real_write(9, "x", 1) != 1)
		_exit(99);
	errno = error;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails("malloc", ENOMEM) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t nr, size_t size)
{
	return fails("malloc", ENOMEM) ? NULL : __real_calloc(nr, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails("malloc", ENOMEM) ? NULL : __real_realloc(old, size);
}

void *__wrap_reallocarray(void *old, size_t nr, size_t size)
{
	return fails("malloc", ENOMEM) ? NULL : __real_reallocarray(old, nr, size);
}

char *__wrap_strdup(const char *text)
{
	return fails("malloc", ENOMEM) ? NULL : __real_strdup(text);
}

int __wrap_fsync(int fd)
{
	return fails("fsync", EIO) ? -1 : __real_fsync(fd);
}

int __wrap_fchmod(int fd, mode_t mode)
{
	return fails("fchmod", EPERM) ? -1 : __real_fchmod(fd, mode);
}

int __wrap_rename(const char *from, const char *to)
{
	return fails("rename", EXDEV) ? -1 : __real_rename(from, to);
}

ssize_t __wrap_write(int fd, const void *from, size_t size)
{
	return fails("write", ENOSPC) || fails("interrupted", EINTR) ?
		       -1 : __real_write(fd, from, size);
}
