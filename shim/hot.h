/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * In the hook's path there is no malloc, no stdio and no lock, and errno is the VMM's.
 */
#ifndef REGPIN_SHIM_HOT_H
#define REGPIN_SHIM_HOT_H

#define LIKELY(x)	__builtin_expect(!!(x), 1)

/* Out of the way of the instructions that each exit pays for. */
#define COLD __attribute__((noinline))

#endif
