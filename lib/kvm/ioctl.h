/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The only function by which the library calls KVM. */
#ifndef REGPIN_LIB_IOCTL_H
#define REGPIN_LIB_IOCTL_H

/*
 * ioctl(2) on /dev/kvm, a VM or a vCPU: returns -1 and sets errno on failure. The shim,
 * which is the process's ioctl() itself, and the tests link their own in place of ioctl.c.
 */
int kvm_ioctl(int fd, unsigned long request, void *arg);

#endif
