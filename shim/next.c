// SPDX-License-Identifier: LGPL-2.1-or-later
/* The ioctl(2) that the VMM would have called without the shim. */
#include <dlfcn.h>

#include "hot.h"
#include "lib/kvm/ioctl.h"
#include "next.h"

_Atomic(ioctl_fn) next_ioctl;

/* Bound at the first call, because a constructor may call ioctl() before the shim's runs. */
static COLD ioctl_fn bind_ioctl(void)
{
	ioctl_fn fn = (ioctl_fn)dlsym(RTLD_NEXT, "ioctl");

	atomic_store_explicit(&next_ioctl, fn, memory_order_relaxed);
	return fn;
}

static inline ioctl_fn get_ioctl(void)
{
	ioctl_fn fn = atomic_load_explicit(&next_ioctl, memory_order_relaxed);

	return LIKELY(fn) ? fn : bind_ioctl();
}

int real_ioctl(int fd, unsigned long request, void *arg)
{
	return get_ioctl()(fd, request, arg);
}

/* The library's own calls must not come back into the hook. */
int kvm_ioctl(int fd, unsigned long request, void *arg)
{
	return real_ioctl(fd, request, arg);
}
