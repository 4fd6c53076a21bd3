// SPDX-License-Identifier: GPL-2.0-only
/*
 * A slow KVM, for tests of `regpin run`: it is preloaded between the shim and libc. A
 * VM's filter takes $SLOW_MS; without that variable the VMM stops when it has a VM.
 */
#include <dlfcn.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

int ioctl(int fd, unsigned long request, void *arg)
{
	int (*next)(int, unsigned long, void *) = dlsym(RTLD_NEXT, "ioctl");
	const char *ms = getenv("SLOW_MS");
	int ret = next(fd, request, arg);

	if (ms && (unsigned int)request == (unsigned int)KVM_X86_SET_MSR_FILTER)
		usleep((useconds_t)atoi(ms) * 1000);
	if (!ms && (unsigned int)request == (unsigned int)KVM_CREATE_VM)
		raise(SIGSTOP);
	return ret;
}
