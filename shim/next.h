/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ioctl(2) that the VMM would have called without the shim. */
#ifndef REGPIN_SHIM_NEXT_H
#define REGPIN_SHIM_NEXT_H

#include <stdatomic.h>

typedef int (*ioctl_fn)(int, unsigned long, ...);

/*
 * The ioctl(2) behind the shim, or, until it has been called once, a function that looks
 * for it and calls it. So no caller needs to check.
 */
extern _Atomic(ioctl_fn) next_ioctl;

/* Calls that ioctl(2). */
int real_ioctl(int fd, unsigned long request, void *arg);

#endif
