/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Structs of callers that were built with another version of the library. */
#ifndef REGPIN_LIB_OPTIONS_H
#define REGPIN_LIB_OPTIONS_H

#include <stddef.h>

#include "regpin/regpin.h"

/* No struct of ours will ever be larger, so a larger size is a mistake. */
#define SIZED_MAX	4096u

/*
 * Copies @from, whose first member is its size, a __u32, into @to of @size bytes. What an
 * older caller does not have becomes 0. What a newer caller has beyond @size must be 0:
 * any other value asks for something that this library does not know.
 *
 * Returns: 0, -EINVAL if the size is below @least, that of the first release, or -E2BIG.
 */
int sized_read(void *to, size_t size, size_t least, const void *from);

/* The same for the options of regpin_vm_attach(). */
int options_read(struct regpin_vm_options *to,
		 const struct regpin_vm_options *from);

#endif
