/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ioctl(2) as the VMM would have called it. */
#ifndef REGPIN_SHIM_NEXT_H
#define REGPIN_SHIM_NEXT_H

#include <stdatomic.h>

typedef int (*ioctl_fn)(int, unsigned long, ...);

/* The next one in the process, once one was called; see real_ioctl(). */
extern _Atomic(ioctl_fn) next_ioctl;

/* Calls it. */
int real_ioctl(int fd, unsigned long request, void *arg);

#endif
