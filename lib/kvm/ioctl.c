// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * ioctl(2) as the library calls it. In a file of its own so that the shim, which
 * is ioctl() itself, can bring another: else our own KVM_SET_MSRS would come
 * back to us as one of the VMM's.
 */
#include <sys/ioctl.h>

#include "ioctl.h"

int kvm_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg);
}
