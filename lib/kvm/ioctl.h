/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one way to KVM. */
#ifndef REGPIN_LIB_IOCTL_H
#define REGPIN_LIB_IOCTL_H

/*
 * ioctl(2) on a VM or vCPU. The shim, which is itself the process's ioctl(), and
 * tests bring their own in place of ioctl.c.
 */
int kvm_ioctl(int fd, unsigned long request, void *arg);

#endif
