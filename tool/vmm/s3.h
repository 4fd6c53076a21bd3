/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checks a VMM's command line for options with which pins cannot hold: no KVM (TCG), or
 * suspend to RAM (S3), by which the guest can end its pins.
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
 * @argv: its arguments, from its name on, which end with NULL
 * @root: the path of its "/", without a '/' at the end: "" or "/proc/PID/root"
 * @cwd: the directory of its relative paths: "." or "/proc/PID/cwd"
 */
struct vmm_line {
	const char *path, *name;
	const char *const *argv;
	const char *root, *cwd;
};

/* enum vmm_fault - faults of a VMM's command line */
enum vmm_fault {
	VMM_FINE,
	VMM_S3,		/* a guest can suspend to RAM */
	VMM_S3_TOLERATED,	/* the same, but the policy's pins only report */
	VMM_TCG,	/* QEMU will emulate its guest */
	VMM_UNKNOWN,	/* it is not QEMU, so its S3 can't be checked */
};

/* Is it a QEMU for x86, by its name or its content? */
bool vmm_is_qemu(const struct vmm_line *line);

/*
 * The fault of @line for guests under @policy. The reason and the remedy are written to @text,
 * as a part of a sentence.
 */
enum vmm_fault vmm_fault(const struct regpin_policy *policy,
			 const struct vmm_line *line, char *text, size_t size);

#endif
