/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A policy's text in the form in which it is kept: in the store, and as `regpin ctl NAME policy
 * --print` prints it. A line
 *
 *	--- # regpin policy HASH NAME
 *
 * stands before the text, which is a bundle if the policy extends others. NAME is the file that
 * the text was read from, so that places in messages and events are the same as before.
 */
#ifndef REGPIN_TOOL_POLICY_KEPT_H
#define REGPIN_TOOL_POLICY_KEPT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/policy/policy.h"

#include "policy_bundle.h"
#include "policy_hash.h"

#define KEPT_HEAD_MAX	(POLICY_MAX_SOURCE + POLICY_HASH_MAX + 32u)
#define KEPT_MAX_SIZE	(KEPT_HEAD_MAX + BUNDLE_MAX_SIZE)

/**
 * struct kept - a kept policy
 * @hash: its hash, as its first line names it
 * @name: the file that it was read from, printable
 * @text: where the text begins
 * @size: bytes of the text
 */
struct kept {
	char hash[POLICY_HASH_MAX];
	char name[POLICY_MAX_SOURCE];
	const char *text;
	size_t size;
};

/* Writes the first line, with its line feed. Returns its length. */
size_t kept_head(char head[KEPT_HEAD_MAX], const char *hash, const char *name);

/* Does @file begin as a kept policy does? */
bool kept_is(const char *file, size_t size);

/*
 * Reads a kept policy. @kept->text points into @file. Returns NULL, or a sentence that states
 * the fault.
 */
const char *kept_read(struct kept *kept, const char *file, size_t size);

#endif
