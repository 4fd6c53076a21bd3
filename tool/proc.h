/* SPDX-License-Identifier: GPL-2.0-only */
/* What /proc tells of a process that may be a VMM. */
#ifndef REGPIN_TOOL_PROC_H
#define REGPIN_TOOL_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* enum elf - what a file is, as far as a preload object is concerned */
enum elf {
	ELF_DYNAMIC,	/* x86-64 with an interpreter: can be preloaded into */
	ELF_STATIC,	/* no PT_INTERP */
	ELF_FOREIGN,	/* 32-bit, or another machine */
	ELF_NONE,	/* no ELF file */
};

/* Looks at the head of the file @fd. */
enum elf elf_kind(int fd);

/* enum unguarded - why a process has a VM without its policy */
enum unguarded {
	UNGUARDED_STATIC,	/* a static program */
	UNGUARDED_FOREIGN,	/* a program for another architecture */
	UNGUARDED_SECURE,	/* AT_SECURE: set-user-ID, capabilities */
	UNGUARDED_ENVIRONMENT,	/* LD_PRELOAD or REGPIN_HANDOFF are gone */
	UNGUARDED_UNLOADED,	/* all is there, and yet the shim is not */
	UNGUARDED_RAW,		/* the shim is there and was not called */
	UNGUARDED_MAX
};

/* Has @pid an open VM? 1, 0, or a negative errno if it can't be told. */
int proc_has_vm(pid_t pid);

/* Has @pid an open file that /proc shows as @link ("pipe:[123]")? */
bool proc_has_link(pid_t pid, const char *link);

/* Does @pid have @shim, or another file of that name, in its memory? 1, 0, or a
 * negative errno if it can't be told: -ESRCH if it is ending. */
int proc_has_shim(pid_t pid, const char *shim);

/* The first of its reasons. @shim is the shim's path. */
enum unguarded proc_unguarded(pid_t pid, const char *shim);

/* Its program's name, for people: nothing in it but printable ASCII. */
void proc_name(pid_t pid, char *buf, size_t size);

/* The effective user id of @pid, or -1. */
uid_t proc_user(pid_t pid);

/* The process id of @pid's parent, or -1. */
pid_t proc_parent(pid_t pid);

/* Calls @call with each child of @pid. */
void proc_children(pid_t pid, void (*call)(void *context, pid_t child),
		   void *context);

/* Calls @call with each process there is. */
void proc_all(void (*call)(void *context, pid_t pid), void *context);

/* Replaces what is not printable ASCII: terminals obey control characters. */
void make_printable(char *text);

#endif
