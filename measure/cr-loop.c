// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of a guest's control-register write: a VMM whose guest, in 32-bit protected
 * mode without paging, toggles one bit. Prints nanoseconds per toggle; in the lab under
 * icount these are instructions.
 *
 *   cr-loop BIT FILTER COUNT
 * BIT     pge: CR4.PGE by MOV     ts: CR0.TS by MOV and CLTS in turn
 * FILTER  none: no filter is set; works on a KVM without the CR filter as well
 *         other: a filter on clearing CR0.WP, CR4.SMEP, SMAP and UMIP; the guest clears
 *         none of them
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#include "../include/regpin/kvm_cr_filter.h"

#define MEMORY	0x10000u
#define CODE	0x1000u

#define CR0_PE	(1u << 0)
#define CR0_ET	(1u << 4)
#define CR0_WP	(1u << 16)
#define CR4_UMIP	(1u << 11)
#define CR4_SMEP	(1u << 20)
#define CR4_SMAP	(1u << 21)

/* ESI is the number of toggles, EBX the bit; each pass of the loop toggles twice. */
extern const char guest_start[], guest_end[];
asm(".pushsection .rodata\n"
    ".code32\n"
    "guest_start:\n"
    "	out %al, $0x10\n"
    "	test %ebx, %ebx\n"
    "	jnz 2f\n"
    "	mov %cr4, %eax\n"
    "1:	xor $0x80, %eax\n"
    "	mov %eax, %cr4\n"
    "	dec %esi\n"
    "	jnz 1b\n"
    "	out %al, $0x10\n"
    "2:	mov %cr0, %eax\n"
    "	or $8, %eax\n"
    "3:	mov %eax, %cr0\n"
    "	clts\n"
    "	sub $2, %esi\n"
    "	ja 3b\n"
    "	out %al, $0x10\n"
    "guest_end:\n"
    ".code64\n"
    ".popsection\n");

static void must(int ret, const char *what)
{
	if (ret < 0)
		err(1, "%s", what);
}

static void set_filter(int vm, const char *which)
{
	struct kvm_x86_cr_filter filter = {
		.flags = KVM_X86_CR_FILTER_EXIT,
		.regs[KVM_X86_CR_FILTER_CR0].clear_mask = CR0_WP,
		.regs[KVM_X86_CR_FILTER_CR4].clear_mask =
			CR4_SMEP | CR4_SMAP | CR4_UMIP,
	};

	if (!strcmp(which, "other"))
		must(ioctl(vm, KVM_X86_SET_CR_FILTER, &filter), "the filter");
	else if (strcmp(which, "none"))
		errx(2, "unknown FILTER '%s'", which);
}

static int set_up(const char *which, uint64_t guest, uint64_t count,
		  struct kvm_run **run)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm, vcpu, size;
	char *memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region region = {
		.memory_size = MEMORY, .userspace_addr = (uintptr_t)memory,
	};
	struct kvm_regs regs = { .rip = CODE, .rflags = 2, .rsp = 0x8000,
				 .rbx = guest, .rsi = count };
	struct kvm_segment flat = { .limit = 0xffffffff, .selector = 8,
				    .type = 11, .present = 1, .s = 1, .db = 1,
				    .g = 1 };
	struct kvm_sregs sregs;

	must(kvm, "/dev/kvm");
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	must(vm, "KVM_CREATE_VM");
	must(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "memory");
	memcpy(memory + CODE, guest_start, (size_t)(guest_end - guest_start));
	set_filter(vm, which);
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	must(vcpu, "KVM_CREATE_VCPU");
	size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, NULL);
	*run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED,
		    vcpu, 0);
	if (memory == MAP_FAILED || *run == MAP_FAILED)
		err(1, "mmap");
	must(ioctl(vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	sregs.cr0 = CR0_PE | CR0_ET | CR0_WP;
	sregs.cs = flat;
	flat.type = 3;
	flat.selector = 16;
	sregs.ds = sregs.es = sregs.ss = flat;
	must(ioctl(vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
	must(ioctl(vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
	return vcpu;
}

static void until_out(int vcpu, struct kvm_run *run)
{
	must(ioctl(vcpu, KVM_RUN, NULL), "KVM_RUN");
	if (run->exit_reason != KVM_EXIT_IO)
		errx(1, "exit reason %#x", run->exit_reason);
}

int main(int argc, char **argv)
{
	struct timespec from, to;
	struct kvm_run *run;
	uint64_t guest;
	int vcpu, count;

	if (argc != 4)
		errx(2, "usage: cr-loop BIT FILTER COUNT");
	guest = !strcmp(argv[1], "ts");
	if (!guest && strcmp(argv[1], "pge"))
		errx(2, "unknown BIT '%s'", argv[1]);
	count = atoi(argv[3]);
	if (count < 2 || count % 2)
		errx(2, "COUNT must be an even number");
	vcpu = set_up(argv[2], guest, (uint64_t)count, &run);
	until_out(vcpu, run);
	clock_gettime(CLOCK_MONOTONIC, &from);
	until_out(vcpu, run);
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("%.3f\n", ((double)(to.tv_sec - from.tv_sec) * 1e9 +
			  (double)(to.tv_nsec - from.tv_nsec)) / count);
	return 0;
}
