/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a VMM's command line gives its guest, and whether pins can stand that: no KVM
 * (TCG), or suspend to RAM (S3), which ends pins when the guest wants that.
 */
#ifndef REGPIN_TOOL_S3_H
#define REGPIN_TOOL_S3_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/policy/policy.h"

/**
 * struct vmm_line - a VMM, as its process is or will be started
 * @path: its program; /proc/PID/exe is fine
 * @name: the program's path for comparisons, with links resolved
 * @argv: its arguments, from its name on, with a NULL behind
 * @root: where its "/" is, without a '/' at the end: "" or "/proc/PID/root"
 * @cwd: where its relative paths begin: "." or "/proc/PID/cwd"
 */
struct vmm_line {
	const char *path, *name;
	const char *const *argv;
	const char *root, *cwd;
};

/* enum vmm_fault - what is wrong with a VMM's command line */
enum vmm_fault {
	VMM_FINE,
	VMM_S3,		/* a guest can suspend to RAM */
	VMM_S3_TOLERATED,	/* likewise, and the policy's pins only report */
	VMM_TCG,	/* QEMU will emulate its guest */
	VMM_UNKNOWN,	/* it is no QEMU: its S3 can't be checked */
};

/* Is it a QEMU for x86, by its name or by what is in it? */
bool vmm_is_qemu(const struct vmm_line *line);

/*
 * What is wrong with @line for guests under @policy? @text then gets the reason, and
 * what to do, as a part of a sentence.
 */
enum vmm_fault vmm_fault(const struct regpin_policy *policy,
			 const struct vmm_line *line, char *text, size_t size);

#endif
