/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The blob: a checked policy as bytes. Fixed width, little endian (x86 only),
 * a header, the rules, and then the conditions that they refer to. A reader rejects
 * what it does not know.
 */
#ifndef REGPIN_LIB_BLOB_H
#define REGPIN_LIB_BLOB_H

#include <stddef.h>
#include <stdint.h>

#include "policy.h"

#define BLOB_MAGIC	0x626c6f626e697067ull	/* "gpinblob" */
#define BLOB_VERSION	6u

/**
 * struct blob_header - the start of a blob
 * @magic: BLOB_MAGIC
 * @version: BLOB_VERSION; another version is another format
 * @size: size of the whole blob, in bytes
 * @flags: POLICY_*
 * @arming: enum arming
 * @nr_rules: number of struct rule after the header, at most POLICY_MAX_RULES
 * @rule_size: sizeof(struct rule)
 * @nr_whens: number of struct when after the rules, at most POLICY_MAX_WHENS
 * @when_size: sizeof(struct when)
 * @number: the number by which events name the policy; `regpin compile` writes 0. Any
 *	number is valid
 * @pad: 0
 * @settings: the policy apart from its rules
 * @source: the policy's file name, NUL-padded
 * @bases: the names of the files that it extends, likewise
 */
struct blob_header {
	uint64_t magic;
	uint32_t version;
	uint32_t size;
	uint32_t flags;
	uint32_t arming;
	uint32_t nr_rules;
	uint32_t rule_size;
	uint32_t nr_whens;
	uint32_t when_size;
	uint32_t number;
	uint32_t pad;
	struct settings settings;
	char source[POLICY_MAX_SOURCE];
	char bases[POLICY_MAX_BASES][POLICY_MAX_SOURCE];
};

_Static_assert(sizeof(struct blob_header) == 2384, "the blob's format");

#define BLOB_MAX_SIZE \
	(sizeof(struct blob_header) + POLICY_MAX_RULES * sizeof(struct rule) + \
	 POLICY_MAX_WHENS * sizeof(struct when))

/*
 * Writes @policy, which has passed policy_check(), to @blob, which has room for
 * BLOB_MAX_SIZE bytes. Returns the blob's size.
 */
size_t blob_seal(const struct regpin_policy *policy, void *blob);

/*
 * Reads a blob of @size bytes into @policy. Checks everything again, because the reader
 * cannot trust the writer. Returns 0, -EFBIG if it is larger than any blob can be,
 * -EINVAL if it is damaged, of another version or fails policy_check(), or -ENOMEM; on
 * error @policy is undefined.
 */
int blob_open(const void *blob, size_t size, struct regpin_policy *policy);

#endif
