/* SPDX-License-Identifier: GPL-2.0-only */
/* The hash by which a policy's text is known. Pure. */
#ifndef REGPIN_TOOL_POLICY_HASH_H
#define REGPIN_TOOL_POLICY_HASH_H

#include <stddef.h>

/* Room for a SHA-256 in hexadecimal, with its NUL. */
#define POLICY_HASH_MAX	65

/*
 * The SHA-256 of a policy's text with all texts that it extends, see policy_bundle.h. For
 * a policy that extends none it is the hash that sha256sum(1) prints for its file.
 * Returns @hash.
 */
const char *policy_hash(char hash[POLICY_HASH_MAX], const char *text, size_t size);

#endif
