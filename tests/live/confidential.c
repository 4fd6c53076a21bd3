// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VMM that makes a confidential VM, in one of the ways that exist.
 *
 *	usage: confidential type N | encrypt ID | capability N | ask
 *
 * The same program, as confidential.so preloaded after the shim, prints which of these
 * requests reach KVM.
 */
#include <dlfcn.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#ifdef ASKED
int ioctl(int fd, unsigned long request, ...)
{
	int (*next)(int, unsigned long, ...) =
		(int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
	va_list list;
	void *arg;

	va_start(list, request);
	arg = va_arg(list, void *);
	va_end(list);
	/* The shim's own VM for a trial has type 0, and is not counted. */
	if ((request == KVM_CREATE_VM && arg) ||
	    (request == KVM_MEMORY_ENCRYPT_OP && arg) ||
	    (request == KVM_ENABLE_CAP &&
	     ((struct kvm_enable_cap *)arg)->cap > KVM_CAP_MSR_PLATFORM_INFO &&
	     (((struct kvm_enable_cap *)arg)->cap == 197 ||
	      ((struct kvm_enable_cap *)arg)->cap == 206)))
		dprintf(2, "KVM was asked: %#lx\n", request);
	/* Simulates a KVM that has more types of VMs. */
	if (request == KVM_CREATE_VM && getenv("NEW_TYPES"))
		arg = NULL;
	return next(fd, request, arg);
}
#else
int main(int argc, char **argv)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm, ret = 0;
	unsigned long n = argc > 2 ? strtoul(argv[2], NULL, 0) : 0;
	struct kvm_enable_cap cap = { .cap = (uint32_t)n };
	struct kvm_sev_cmd cmd = { .id = (uint32_t)n };
	const char *what = argc > 1 ? argv[1] : "";

	if (kvm < 0)
		err(3, "/dev/kvm");
	vm = ioctl(kvm, KVM_CREATE_VM, strcmp(what, "type") ? 0 : n);
	if (vm < 0)
		ret = -1;
	else if (!strcmp(what, "encrypt"))
		ret = ioctl(vm, KVM_MEMORY_ENCRYPT_OP, &cmd);
	else if (!strcmp(what, "capability"))
		ret = ioctl(vm, KVM_ENABLE_CAP, &cap);
	else if (!strcmp(what, "ask"))
		ret = ioctl(vm, KVM_MEMORY_ENCRYPT_OP, NULL);
	printf("goes on: %s\n", ret < 0 ? strerror(errno) : "done");
	return 0;
}
#endif
