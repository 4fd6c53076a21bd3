// SPDX-License-Identifier: GPL-2.0-only
/*
 * Refuses programs into which the shim can't be preloaded before they start. This serves only
 * for good messages: if a wrapper starts such a program, the agent kills it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/printable.h"
#include "base/proc.h"
#include "vmm.h"

#define MAX_SCRIPTS	4	/* as in the kernel: scripts that interpret scripts */

static int __attribute__((format(printf, 2, 3)))
refuse(const char *path, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	/* The text may quote the content of a file. */
	fprintf(stderr, "regpin: can't run %s: %s\n", printable(path),
		printable(text));
	return EXIT_CANNOT_EXEC;
}

static int not_found(const char *name)
{
	fprintf(stderr, "regpin: %s: not found%s\n", printable(name),
		strchr(name, '/') ? "" : " in PATH");
	return EXIT_NOT_FOUND;
}

/* Is @path a program? Returns 0, or an errno as the reason. */
static int try_path(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno;
	if (!S_ISREG(st.st_mode))
		return EACCES;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? errno : 0;
}

static int find_in_path(const char *name, char path[PATH_MAX])
{
	const char *dirs = getenv("PATH"), *dir, *end;
	int err = ENOENT;

	for (dir = dirs ? dirs : "/bin:/usr/bin"; dir; dir = end) {
		int len, n;

		end = strchr(dir, ':');
		len = end ? (int)(end - dir) : (int)strlen(dir);
		end = end ? end + 1 : NULL;
		n = snprintf(path, PATH_MAX, "%.*s/%s", len ? len : 1,
			     len ? dir : ".", name);
		if (n >= PATH_MAX)
			continue;
		n = try_path(path);
		if (n == 0)
			return 0;
		/* A directory that can't be searched is skipped. */
		if (n == EACCES && access(path, F_OK) == 0)
			err = EACCES;
	}
	return err;
}

/* Would the kernel give it more rights? Then the loader would ignore LD_PRELOAD. */
static int check_rights(const char *path, int fd, const struct stat *st)
{
	bool gains = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1;

	if (gains && (st->st_mode & S_ISUID) && st->st_uid != getuid())
		return refuse(path, "it is set-user-ID, and then the loader ignores LD_PRELOAD, which regpin's shim needs; start the VMM itself by regpin, as a user with access to /dev/kvm, and after programs that change the user ('sudo regpin run ...')");
	if (gains && (st->st_mode & S_ISGID) && (st->st_mode & S_IXGRP) &&
	    st->st_gid != getgid())
		return refuse(path, "it is set-group-ID, and then the loader ignores LD_PRELOAD, which regpin's shim needs; start the VMM itself by regpin, as a user with access to /dev/kvm, and after programs that change the group");
	if (gains && getuid() != 0 &&
	    fgetxattr(fd, "security.capability", NULL, 0) > 0)
		return refuse(path, "it has file capabilities, and then the loader ignores LD_PRELOAD, which regpin's shim needs; use a copy of the VMM without them, and give it what it needs by ambient capabilities (systemd: AmbientCapabilities=)");
	return 0;
}

static int check_program(const char *path, unsigned int depth);

/* "#! /bin/sh -e": the interpreter must be one that can be started. */
static int check_script(const char *path, int fd, unsigned int depth)
{
	char head[256], *interpreter;
	ssize_t n = pread(fd, head, sizeof(head) - 1, 0);
	int err;

	if (n < 2 || head[0] != '#' || head[1] != '!')
		return 0;	/* a shell runs it, or binfmt_misc */
	head[n] = 0;
	head[strcspn(head, "\n")] = 0;
	interpreter = head + 2 + strspn(head + 2, " \t");
	interpreter[strcspn(interpreter, " \t\r")] = 0;
	err = try_path(interpreter);
	if (err)
		return refuse(path, "its interpreter '%s' can't be started: %s",
			      interpreter, strerror(err));
	if (depth == MAX_SCRIPTS)
		return refuse(path, "too many scripts call each other as interpreters");
	return check_program(interpreter, depth + 1);
}

static int check_open(const char *path, int fd, unsigned int depth)
{
	struct stat st;
	int err;

	if (fstat(fd, &st) < 0)
		return refuse(path, "%s", strerror(errno));
	err = check_rights(path, fd, &st);
	if (err)
		return err;
	switch (elf_kind(fd)) {
	case ELF_NONE:
		return check_script(path, fd, depth);
	case ELF_STATIC:
		if (depth)	/* a static shell may start a dynamic VMM */
			return 0;
		return refuse(path, "it is a static program, into which regpin's shim can't be preloaded; use a dynamically linked build, or one that calls libregpin itself");
	case ELF_FOREIGN:
		if (depth)
			return 0;
		return refuse(path, "it is not an x86-64 program, so regpin's shim can't be preloaded into it; use an x86-64 build");
	default:
		return 0;
	}
}

static int check_program(const char *path, unsigned int depth)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		return refuse(path, "it can't be read (%s), so regpin can't see whether it can be protected; make it readable for this user",
			      strerror(errno));
	err = check_open(path, fd, depth);
	close(fd);
	return err;
}

int vmm_find(const char *name, char path[PATH_MAX])
{
	int err;

	if (!*name)
		return not_found("''");
	if (!strchr(name, '/')) {
		err = find_in_path(name, path);
	} else if (strlen(name) >= PATH_MAX) {
		err = ENAMETOOLONG;
	} else {
		snprintf(path, PATH_MAX, "%s", name);
		err = try_path(path);
	}
	if (err == ENOENT || err == ENOTDIR)
		return not_found(name);
	if (err == EACCES)
		return refuse(name, "it is not an executable file");
	if (err)
		return refuse(name, "%s", strerror(err));
	if (geteuid() != getuid() || getegid() != getgid())
		return refuse(name, "regpin itself runs with changed rights (set-user-ID or the like), and then the loader ignores LD_PRELOAD; start regpin as the user that the VMM is to run as");
	return check_program(path, 0);
}
