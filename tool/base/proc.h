/* SPDX-License-Identifier: GPL-2.0-only */
/* What /proc tells of a process that may be a VMM. */
#ifndef REGPIN_TOOL_PROC_H
#define REGPIN_TOOL_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
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

/* Has @pid an open VM, or a vCPU of one? 1, 0, or a negative errno if that can't be seen. */
int proc_has_vm(pid_t pid);

/* Has @pid an open file that /proc shows as @link ("pipe:[123]")? As proc_has_vm(). */
int proc_has_link(pid_t pid, const char *link);

/* Does @pid have @shim, or another file of that name, in its memory? 1, 0, or a
 * negative errno if it can't be told: -ESRCH if it is ending. */
int proc_has_shim(pid_t pid, const char *shim);

/* The first of its reasons. @shim is the shim's path. */
enum unguarded proc_unguarded(pid_t pid, const char *shim);

/*
 * A number that changes when @pid executes another program, or the same one again: the
 * kernel gives each other random bytes at other addresses. 0 if it can't be had.
 */
uint64_t proc_image(pid_t pid);

/* @pid's command line, NULL behind the last word; freed by the caller. NULL on errors. */
char **proc_argv(pid_t pid);

/* The path of @pid's program, as @pid's kernel has it. False if it can't be had. */
bool proc_program(pid_t pid, char *buf, size_t size);

/* Its program's name, for people: nothing in it but printable ASCII. */
void proc_name(pid_t pid, char *buf, size_t size);

/* The effective user id of @pid, or -1. */
uid_t proc_user(pid_t pid);

/* The process id of @pid's parent, or -1. */
pid_t proc_parent(pid_t pid);

/* When @pid was started, in clock ticks since boot; 0 if that can't be had. */
uint64_t proc_started(pid_t pid);

/* Calls @call with each child of @pid. */
void proc_children(pid_t pid, void (*call)(void *context, pid_t child),
		   void *context);

/*
 * Calls @call with each process there is, by rising ids. @ino is the inode of its
 * directory, which another process with its id does not have.
 */
void proc_all(void (*call)(void *context, pid_t pid, uint64_t ino),
	      void *context);

/* Replaces what is not printable ASCII: terminals obey control characters. */
void make_printable(char *text);

#endif
