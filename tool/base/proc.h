/* SPDX-License-Identifier: GPL-2.0-only */
/* Facts from /proc about processes that may be VMMs. */
#ifndef REGPIN_TOOL_PROC_H
#define REGPIN_TOOL_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* enum elf - kinds of programs, as far as preloading is concerned */
enum elf {
	ELF_DYNAMIC,	/* x86-64 with an interpreter: the shim can be preloaded */
	ELF_STATIC,	/* no PT_INTERP */
	ELF_FOREIGN,	/* 32-bit, or another machine */
	ELF_NONE,	/* not an ELF file */
};

/* Reads the head of the file @fd. */
enum elf elf_kind(int fd);

/* enum unguarded - why a process has a VM without its policy */
enum unguarded {
	UNGUARDED_STATIC,	/* a static program */
	UNGUARDED_FOREIGN,	/* a program for another architecture */
	UNGUARDED_SECURE,	/* AT_SECURE: set-user-ID, capabilities */
	UNGUARDED_ENVIRONMENT,	/* LD_PRELOAD or REGPIN_HANDOFF is missing */
	UNGUARDED_UNLOADED,	/* the environment is there, but the shim is not loaded */
	UNGUARDED_RAW,		/* the shim is loaded, but was not called */
	UNGUARDED_MAX
};

/* Has @pid a VM or a vCPU open? Returns 1, 0, or a negative errno if that can't be read. */
int proc_has_vm(pid_t pid);

/* The same for an open file that /proc shows as @link ("pipe:[123]"). */
int proc_has_link(pid_t pid, const char *link);

/*
 * Has @pid mapped @shim, or another file of that name? Returns 1, 0, or a negative errno if
 * that can't be read: -ESRCH if @pid is ending.
 */
int proc_has_shim(pid_t pid, const char *shim);

/* The first reason that applies to @pid. @shim is the shim's path. */
enum unguarded proc_unguarded(pid_t pid, const char *shim);

/*
 * A number that changes when @pid executes a program, even the same one again, because each
 * execve() gets new random bytes at new addresses. 0 if it can't be read.
 */
uint64_t proc_image(pid_t pid);

/* @pid's command line, which ends with NULL; NULL on errors. The caller frees it. */
char **proc_argv(pid_t pid);

/* The path of @pid's program, as the kernel shows it. False if it can't be read. */
bool proc_program(pid_t pid, char *buf, size_t size);

/* The name of @pid's program, for messages: only printable ASCII. */
void proc_name(pid_t pid, char *buf, size_t size);

/* The effective user id of @pid, or -1. */
uid_t proc_user(pid_t pid);

/* The process id of @pid's parent, or -1. */
pid_t proc_parent(pid_t pid);

/* When @pid was started, in clock ticks since boot; 0 if that can't be read. */
uint64_t proc_started(pid_t pid);

/* Calls @call with each child of @pid. */
void proc_children(pid_t pid, void (*call)(void *context, pid_t child),
		   void *context);

/*
 * Calls @call with each process, in the order of ids. @ino is the inode of its directory in
 * /proc, which differs for a later process with the same id.
 */
void proc_all(void (*call)(void *context, pid_t pid, uint64_t ino),
	      void *context);

/* Replaces all but printable ASCII, because terminals act on control characters. */
void make_printable(char *text);

#endif
