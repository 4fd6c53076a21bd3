// SPDX-License-Identifier: GPL-2.0-only
/*
 * A library that is preloaded into a VMM. It sets a CR filter for the VM, allows every
 * write, and counts the exits by register, bit and direction. When the VMM ends, it writes
 * the counts to the file that CR_COUNT names, as "NAME.clear NUMBER" lines. With
 * CR_COUNT_FILTER=none it sets no filter and counts nothing.
 *
 * The filter stops clearing CR0.WP, CR0.PG, CR4.SMEP, CR4.SMAP and CR4.UMIP, and setting
 * PG, at which a policy checks the floor.
 */
#include <dlfcn.h>
#include <err.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../include/regpin/kvm_cr_filter.h"

static const struct bit {
	const char *name;
	unsigned int reg, bit;
	bool set;
} bits[] = {
	{ "CR0.WP.clear", KVM_X86_CR_FILTER_CR0, 16, false },
	{ "CR0.PG.clear", KVM_X86_CR_FILTER_CR0, 31, false },
	{ "CR0.PG.set", KVM_X86_CR_FILTER_CR0, 31, true },
	{ "CR4.UMIP.clear", KVM_X86_CR_FILTER_CR4, 11, false },
	{ "CR4.SMEP.clear", KVM_X86_CR_FILTER_CR4, 20, false },
	{ "CR4.SMAP.clear", KVM_X86_CR_FILTER_CR4, 21, false },
};
#define BITS	(sizeof(bits) / sizeof(bits[0]))

static atomic_ulong counts[BITS], exits;
static _Atomic(struct kvm_run *) runs[1024];

static void set_filter(int vm, int (*next)(int, unsigned long, void *))
{
	struct kvm_x86_cr_filter filter = { .flags = KVM_X86_CR_FILTER_EXIT };
	const char *which = getenv("CR_COUNT_FILTER");

	if (which && !strcmp(which, "none"))
		return;
	for (unsigned int i = 0; i < BITS; i++) {
		struct kvm_x86_cr_filter_reg *reg = &filter.regs[bits[i].reg];

		if (bits[i].set)
			reg->set_mask |= 1ull << bits[i].bit;
		else
			reg->clear_mask |= 1ull << bits[i].bit;
	}
	if (next(vm, KVM_X86_SET_CR_FILTER, &filter))
		err(1, "cr-count: KVM_X86_SET_CR_FILTER");
}

static void count(const struct regpin_cr_write *write)
{
	for (unsigned int i = 0; i < BITS; i++) {
		bool hit = write->filtered >> bits[i].bit & 1;

		if (hit && write->reg == bits[i].reg &&
		    (write->value >> bits[i].bit & 1) == bits[i].set)
			counts[i]++;
	}
}

__attribute__((destructor)) static void print(void)
{
	const char *name = getenv("CR_COUNT");
	FILE *out = name && exits ? fopen(name, "we") : NULL;

	if (!out)
		return;
	for (unsigned int i = 0; i < BITS; i++)
		fprintf(out, "%s %lu\n", bits[i].name, counts[i]);
	fprintf(out, "all %lu\n", exits);
	fclose(out);
}

/* Answers an exit of the filter; every write is allowed. */
static int run(int vcpu, void *arg, int (*next)(int, unsigned long, void *))
{
	for (;;) {
		int ret = next(vcpu, KVM_RUN, arg);
		struct kvm_run *kvm_run = runs[vcpu];

		if (ret || !kvm_run ||
		    kvm_run->exit_reason != KVM_EXIT_X86_CR_WRITE)
			return ret;
		exits++;
		count(regpin_cr_write(kvm_run));
		regpin_cr_write(kvm_run)->error = 0;
	}
}

int ioctl(int fd, unsigned long request, ...)
{
	static int (*next)(int, unsigned long, void *);
	static int size;
	va_list list;
	void *arg;
	int ret;

	va_start(list, request);
	arg = va_arg(list, void *);
	va_end(list);
	if (!next)
		next = (int (*)(int, unsigned long, void *))dlsym(RTLD_NEXT,
								  "ioctl");
	if (request == KVM_RUN)
		return run(fd, arg, next);
	ret = next(fd, request, arg);
	if (ret < 0)
		return ret;
	if (request == KVM_CREATE_VM) {
		size = next(fd, KVM_GET_VCPU_MMAP_SIZE, NULL);
		set_filter(ret, next);
	} else if (request == KVM_CREATE_VCPU && ret < 1024) {
		void *map = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE,
				 MAP_SHARED, ret, 0);

		if (map == MAP_FAILED)
			err(1, "cr-count: mmap");
		runs[ret] = map;
	}
	return ret;
}
