// SPDX-License-Identifier: GPL-2.0-only
/* The hash by which a policy's text is known. */
#include <stdint.h>
#include <sys/types.h>

#include <sha2.h>

#include "policy_hash.h"

_Static_assert(POLICY_HASH_MAX == SHA256_DIGEST_STRING_LENGTH,
	       "a SHA-256 in hexadecimal, with its NUL");

const char *policy_hash(char hash[POLICY_HASH_MAX], const char *text, size_t size)
{
	return SHA256Data((const uint8_t *)text, size, hash);
}
