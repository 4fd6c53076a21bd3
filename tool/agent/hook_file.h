/* SPDX-License-Identifier: GPL-2.0-only */
/* The program of `run --hook`: only a file that no other user can change or replace. */
#ifndef REGPIN_TOOL_HOOK_FILE_H
#define REGPIN_TOOL_HOOK_FILE_H

#include <stddef.h>
#include <sys/types.h>

/* Room for any reason of hook_open(). */
#define HOOK_FAULT_MAX	512u

/* Bytes of the path. A line of the status must have room for it, each byte as an escape. */
#define HOOK_PATH_MAX	512u

/*
 * Opens the program at @path, with O_PATH and close-on-exec. It and each folder on its path
 * must belong to root or to @user, and only their owner may write to them. Returns the file,
 * which is the one that was checked, or -1 with the reason in @fault.
 */
int hook_open(const char *path, uid_t user, char fault[HOOK_FAULT_MAX]);

#endif
