// SPDX-License-Identifier: LGPL-2.1-or-later
/* Structs of callers that were built with another version of the library. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "options.h"

/* The size of struct regpin_vm_options in 0.1.0: it stays when the struct grows. */
#define OPTIONS_LEAST	32u

_Static_assert(sizeof(struct regpin_vm_options) >= OPTIONS_LEAST &&
	       sizeof(struct regpin_vm_options) <= SIZED_MAX, "options");

int sized_read(void *to, size_t size, size_t least, const void *from)
{
	const unsigned char *bytes = from;
	uint32_t given;

	memcpy(&given, from, sizeof(given));
	if (given < least)
		return -EINVAL;
	if (given > SIZED_MAX)
		return -E2BIG;
	for (size_t i = size; i < given; i++)
		if (bytes[i])
			return -E2BIG;
	memset(to, 0, size);
	memcpy(to, from, given < size ? given : size);
	return 0;
}

int options_read(struct regpin_vm_options *to,
		 const struct regpin_vm_options *from)
{
	return sized_read(to, sizeof(*to), OPTIONS_LEAST, from);
}
