// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * ioctl(2) as the library calls it. It is in a file of its own because the shim, which
 * replaces ioctl(), links another one: otherwise the library's own KVM_SET_MSRS would
 * reach the shim as if the VMM had called it.
 */
#include <sys/ioctl.h>

#include "ioctl.h"

int kvm_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg);
}
