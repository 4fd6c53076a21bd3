// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets are bound and found through /proc/self/fd/DIRECTORY, so that a directory's path
 * may be longer than sockaddr_un, and can't be replaced between its check and its use.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl_socket.h"
#include "ctl_vmm.h"

#define BACKLOG		16
#define LOCK_TRIES	40
#define LOCK_TRY_MS	50
#define SUFFIX		".sock"
#define LOCK_FILE	".lock"

const char *ctl_name_fault(const char *name)
{
	size_t len = strlen(name);

	if (!len || len >= CTL_NAME_MAX)
		return "a name has 1 to 63 characters";
	if (!isalnum((unsigned char)*name))
		return "a name begins with a letter or a digit";
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("._-", *name))
			return "a name has letters, digits, '.', '_' and '-' only";
	return NULL;
}

bool ctl_name_reserved(const char *name)
{
	return strcmp(name, "list") == 0 || strcmp(name, "status") == 0 ||
	       strcmp(name, "help") == 0;
}

const char *ctl_default_dir(char buf[PATH_MAX])
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	if (geteuid() == 0)
		return "/run/regpin";
	if (!runtime || runtime[0] != '/' ||
	    snprintf(buf, PATH_MAX, "%s/regpin", runtime) >= PATH_MAX)
		return NULL;
	return buf;
}

/* A user who can write in the directory could replace the socket by another one. */
static int check_dir(int dir, const char *path, char *error, size_t size)
{
	struct stat st;

	if (fstat(dir, &st) < 0) {
		snprintf(error, size, "%s: %s", path, strerror(errno));
		return -errno;
	}
	if (st.st_uid != geteuid() && st.st_uid != 0) {
		snprintf(error, size, "%s belongs to user %u: name a directory of your own",
			 path, (unsigned int)st.st_uid);
		return -EPERM;
	}
	if (st.st_mode & (S_IWGRP | S_IWOTH)) {
		snprintf(error, size, "%s can be written by others: name a directory of your own, for instance %s/regpin, which is made with mode 0700",
			 path, path);
		return -EPERM;
	}
	return 0;
}

static int open_dir(const char *path, char *error, size_t size)
{
	int dir = -1, err;

	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0) {
		err = -errno;
		snprintf(error, size, "%s: %s", path, strerror(errno));
		return err;
	}
	err = check_dir(dir, path, error, size);
	if (!err)
		return dir;
	close(dir);
	return err;
}

static void address(struct sockaddr_un *sun, int dir, const char *name)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	snprintf(sun->sun_path, sizeof(sun->sun_path),
		 "/proc/self/fd/%d/%s.sock", dir, name);
}

/* Opens the socket's file, and nothing else of that name. */
static int open_file(int dir, const char *name)
{
	char file[CTL_NAME_MAX + 8];
	struct stat st;
	int fd;

	snprintf(file, sizeof(file), "%s" SUFFIX, name);
	fd = openat(dir, file, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode))
		return fd;
	close(fd);
	return -ENOTSOCK;
}

/*
 * A symbolic link is not followed: in a folder of another user it could lead to any program's
 * socket, and root's connection would start that program.
 */
int ctl_connect_at(int dir, const char *name)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int file = open_file(dir, name), fd, err;

	if (file < 0)
		return file;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	err = fd < 0 ? -errno : 0;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "/proc/self/fd/%d", file);
	/* EAGAIN: an agent listens, and its backlog is full. */
	if (!err && connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0)
		err = -errno;
	close(file);
	if (err && fd >= 0)
		close(fd);
	return err ? err : fd;
}

const char *ctl_files_fault(int err)
{
	switch (err) {
	case -EMFILE:
		return "this process can't open more files: raise its limit ('ulimit -n')";
	case -ENFILE:
		return "this host can't open more files: raise its limit ('sysctl fs.file-max')";
	default:
		return NULL;
	}
}

int ctl_connect(const char *path, const char *name)
{
	int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), fd;

	if (dir < 0)
		return -errno;
	fd = ctl_connect_at(dir, name);
	close(dir);
	return fd;
}

/*
 * Two agents that start at once must not both replace the same dead socket. The lock is on
 * a file of its own: a lock on the directory could be held by any user who can read it.
 */
static int lock_dir(int dir)
{
	int fd = openat(dir, LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
			0600);

	if (fd < 0)
		return -errno;
	for (int i = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
		int err = errno;

		if (err != EWOULDBLOCK || i == LOCK_TRIES) {
			close(fd);
			return err == EWOULDBLOCK ? -EBUSY : -err;
		}
		poll(NULL, 0, LOCK_TRY_MS);
	}
	return fd;
}

/* Removes a dead socket of this name. Returns 0 if the name is free afterwards. */
static int take_over(int dir, const char *name)
{
	char file[CTL_NAME_MAX + 8];
	struct stat st;
	int fd;

	snprintf(file, sizeof(file), "%s.sock", name);
	if (fstatat(dir, file, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	/* connect() fails in the same way for a regular file as for a dead socket. */
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = ctl_connect_at(dir, name);
	if (fd >= 0)
		close(fd);
	if (fd >= 0 || fd == -EAGAIN)
		return -EADDRINUSE;
	if (fd != -ECONNREFUSED)
		return fd == -ENOENT ? 0 : fd;
	return unlinkat(dir, file, 0) < 0 ? -errno : 0;
}

static int listen_at(struct ctl_socket *sock, int dir, const char *name)
{
	char file[CTL_NAME_MAX + 8];
	struct sockaddr_un sun;
	struct stat st;
	mode_t old;
	int err;

	sock->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (sock->fd < 0)
		return -errno;
	address(&sun, dir, name);
	old = umask(0177);
	err = bind(sock->fd, (struct sockaddr *)&sun, sizeof(sun)) < 0 ? -errno : 0;
	umask(old);
	snprintf(file, sizeof(file), "%s.sock", name);
	if (!err && (fstatat(dir, file, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		     listen(sock->fd, BACKLOG) < 0)) {
		err = -errno;
		unlinkat(dir, file, 0);
	}
	if (err) {
		close(sock->fd);
		sock->fd = -1;
		return err;
	}
	sock->dev = st.st_dev;
	sock->ino = st.st_ino;
	return 0;
}

static void explain(int err, const char *path, const char *name, char *error,
		    size_t size)
{
	if (err == -EADDRINUSE)
		snprintf(error, size, "there is a VM of the name '%s' already, with the socket %s/%s.sock: choose another name by --name NAME",
			 name, path, name);
	else if (err == -EBUSY)
		snprintf(error, size, "another process holds the lock %s/" LOCK_FILE " for more than 2 s: 'fuser %s/" LOCK_FILE "' prints which one",
			 path, path);
	else
		snprintf(error, size, "%s/%s.sock: %s", path, name,
			 strerror(-err));
}

int ctl_listen(struct ctl_socket *sock, const char *path, const char *name,
	       char *error, size_t size)
{
	int dir = open_dir(path, error, size), lock, err;

	sock->fd = sock->dir = -1;
	if (dir < 0)
		return dir;
	snprintf(sock->name, sizeof(sock->name), "%s", name);
	lock = lock_dir(dir);
	err = lock < 0 ? lock : take_over(dir, name);
	if (!err)
		err = listen_at(sock, dir, name);
	if (lock >= 0)
		close(lock);
	if (err) {
		explain(err, path, name, error, size);
		close(dir);
		return err;
	}
	sock->dir = dir;
	return 0;
}

/* Writes the name of the socket's file to @file. Is that still the file that was bound? */
static bool own_file(const struct ctl_socket *sock,
		     char file[CTL_NAME_MAX + 8])
{
	struct stat st;

	snprintf(file, CTL_NAME_MAX + 8, "%s" SUFFIX, sock->name);
	return fstatat(sock->dir, file, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_dev == sock->dev && st.st_ino == sock->ino;
}

void ctl_give_up_name(struct ctl_socket *sock)
{
	char old[CTL_NAME_MAX + 8], new[CTL_NAME_MAX + 8];
	char name[CTL_NAME_MAX];

	if (sock->fd < 0 || !own_file(sock, old))
		return;
	/* With room for the longest process id. */
	snprintf(name, sizeof(name), "%.45s.ended-%d", sock->name, getpid());
	snprintf(new, sizeof(new), "%s" SUFFIX, name);
	if (renameat2(sock->dir, old, sock->dir, new, RENAME_NOREPLACE))
		return;
	ctl_vmm_remove(sock->dir, sock->name);
	memcpy(sock->name, name, sizeof(name));
}

bool ctl_file_name(const char *file, char name[CTL_NAME_MAX])
{
	size_t len = strlen(file), suffix = strlen(SUFFIX);

	if (len <= suffix || len - suffix >= CTL_NAME_MAX ||
	    strcmp(file + len - suffix, SUFFIX) != 0)
		return false;
	memcpy(name, file, len - suffix);
	name[len - suffix] = 0;
	return !ctl_name_fault(name);
}

pid_t ctl_name_pid(const char *name)
{
	static const char ended[] = ".ended-";
	const char *digits = strstr(name, ended);
	unsigned long pid;

	digits = digits ? digits + strlen(ended) : name;
	if (!*digits || strspn(digits, "0123456789") != strlen(digits))
		return 0;
	errno = 0;
	pid = strtoul(digits, NULL, 10);
	return errno || pid > INT_MAX ? 0 : (pid_t)pid;
}

/*
 * A connection is also refused between bind() and listen(), which are done under the lock. So
 * a socket that a new VM of this name has made meanwhile is never removed.
 */
bool ctl_sweep(int dir, const char *name)
{
	int lock = lock_dir(dir), err = lock < 0 ? lock : take_over(dir, name);

	if (!err)
		ctl_vmm_remove(dir, name);
	if (lock >= 0)
		close(lock);
	return err == 0;
}

void ctl_unlisten(struct ctl_socket *sock)
{
	char file[CTL_NAME_MAX + 8];

	if (sock->fd < 0)
		return;
	if (own_file(sock, file)) {
		ctl_vmm_remove(sock->dir, sock->name);
		unlinkat(sock->dir, file, 0);
	}
	close(sock->fd);
	close(sock->dir);
	sock->fd = sock->dir = -1;
}
