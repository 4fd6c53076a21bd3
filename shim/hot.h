/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The path of KVM_RUN through the hook uses no malloc, no stdio and no lock, and leaves
 * errno as KVM set it.
 */
#ifndef REGPIN_SHIM_HOT_H
#define REGPIN_SHIM_HOT_H

#define LIKELY(x)	__builtin_expect(!!(x), 1)

/* For functions that are not on the path of each exit. */
#define COLD __attribute__((noinline))

#endif
