// SPDX-License-Identifier: LGPL-2.1-or-later
/* The ioctl(2) that the VMM would have called without the shim. */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/syscall.h>

#include "hot.h"
#include "lib/kvm/ioctl.h"
#include "next.h"

/* Bound at the first call, because a constructor may call ioctl() before the shim's runs. */
static COLD int bind_and_call(int fd, unsigned long request, ...)
{
	ioctl_fn fn = (ioctl_fn)dlsym(RTLD_NEXT, "ioctl");
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	atomic_store_explicit(&next_ioctl, fn, memory_order_relaxed);
	return fn(fd, request, arg);
}

_Atomic(ioctl_fn) next_ioctl = bind_and_call;

int real_ioctl(int fd, unsigned long request, void *arg)
{
	return atomic_load_explicit(&next_ioctl, memory_order_relaxed)(
		fd, request, arg);
}

/*
 * The library's own calls must not come back into the hook. A refused access makes three of
 * them, and libc's ioctl() takes about twenty instructions more than the system call.
 */
int kvm_ioctl(int fd, unsigned long request, void *arg)
{
	long ret = SYS_ioctl;

	__asm__ volatile("syscall"
			 : "+a"(ret)
			 : "D"(fd), "S"(request), "d"(arg)
			 : "rcx", "r11", "memory");
	if (LIKELY(ret >= 0))
		return (int)ret;
	errno = (int)-ret;
	return -1;
}
