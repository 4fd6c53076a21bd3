// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tiny VMM: its VM, its vCPUs and their registers. Memory is mapped one to one. A #GP
 * goes to a handler that halts, so the address of the HLT shows how the guest's instruction
 * ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/policy/registers.h"
#include "tiny.h"

#define GDT	0x1000u
#define IDT64	0x2000u
#define IDT32	0x3000u
#define PML4	0x4000u
#define PDPT	0x5000u
#define PD	0x6000u
#define PML5	0x7000u

#define CR0_ET		(1u << 4)
#define CR0_NE		(1u << 5)
#define CR0_WP		(1u << 16)
#define CR4_PAE		(1u << 5)
#define CR4_LA57	(1u << 12)
#define EFER_LONG	((1u << 8) | (1u << 10))
#define MAX_CPUID	256

const char *const tiny_mode_names[TINY_MODE_MAX] = {
	[TINY_REAL] = "real mode",
	[TINY_PROTECTED] = "32 bits, no paging",
	[TINY_LONG] = "64 bits",
	[TINY_LONG5] = "64 bits, 5 levels",
};

void tiny_bail(const char *what, const char *file, int line)
{
	printf("Bail out! %s:%d: %s: %s\n", file, line, what, strerror(errno));
	fflush(stdout);
	_exit(99);
}

const char *tiny_why_not(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int filter, exits;

	if (fd < 0)
		return "no usable /dev/kvm";
	filter = ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_X86_MSR_FILTER);
	exits = ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_X86_USER_SPACE_MSR);
	close(fd);
	return filter > 0 && exits > 0 ? NULL : "this KVM has no MSR filter";
}

static void put64(uint8_t *to, uint64_t value)
{
	memcpy(to, &value, sizeof(value));
}

/* Gates for #GP: real mode's vector table, 32 and 64 bits. */
static void make_gates(uint8_t *memory)
{
	const uint16_t ivt[2] = { TINY_HANDLER, 0 };

	memcpy(memory + 13 * 4, ivt, sizeof(ivt));
	put64(memory + IDT32 + 13 * 8,
	      0x00008e0000100000ull | TINY_HANDLER);	/* GDT: 0x10 */
	put64(memory + IDT64 + 13 * 16,
	      0x00008e0000080000ull | TINY_HANDLER);	/* GDT: 0x08 */
}

static void make_memory(uint8_t *memory)
{
	static const uint8_t wrmsr[] = { 0x0f, 0x30, 0xf4 };
	static const uint8_t rdmsr[] = { 0x0f, 0x32, 0xf4 };
	static const uint8_t loop[] = { 0x0f, 0x30, 0xeb, 0xfc };
	static const uint8_t cr0[] = { 0x0f, 0x22, 0xc0, 0xf4 };
	static const uint8_t cr4[] = { 0x0f, 0x22, 0xe0, 0xf4 };

	put64(memory + GDT + 0x08, 0x00af9b000000ffff);	/* 64-bit code */
	put64(memory + GDT + 0x10, 0x00cf9b000000ffff);	/* 32-bit code */
	put64(memory + GDT + 0x18, 0x00cf93000000ffff);	/* data */
	make_gates(memory);
	put64(memory + PML5, PML4 | 3);
	put64(memory + PML4, PDPT | 3);
	put64(memory + PDPT, PD | 3);
	for (unsigned int i = 0; i < 512; i++)
		put64(memory + PD + i * 8, ((uint64_t)i << 21) | 0x83);
	memcpy(memory + TINY_WRMSR, wrmsr, sizeof(wrmsr));
	memcpy(memory + TINY_RDMSR, rdmsr, sizeof(rdmsr));
	memcpy(memory + TINY_LOOP, loop, sizeof(loop));
	memcpy(memory + TINY_CR0, cr0, sizeof(cr0));
	memcpy(memory + TINY_CR4, cr4, sizeof(cr4));
	memory[TINY_HANDLER] = 0xf4;
}

/* The CPUID that KVM offers, without the features that bypass MSR filters. */
static struct kvm_cpuid2 *supported_cpuid(int kvm)
{
	struct kvm_cpuid2 *cpuid;

	cpuid = calloc(1, sizeof(*cpuid) +
			  MAX_CPUID * sizeof(cpuid->entries[0]));
	tiny_must(cpuid);
	cpuid->nent = MAX_CPUID;
	tiny_must(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid) == 0);
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *e = &cpuid->entries[i];

		if (e->function == 1)
			e->ecx &= ~(1u << 5);		/* VMX */
		if (e->function == 0x80000001)
			e->ecx &= ~(1u << 2);		/* SVM */
		if (e->function == 7 && e->index == 1)
			e->eax &= ~(1u << 17);		/* FRED */
	}
	return cpuid;
}

void tiny_vm_new(struct tiny_vm *vm)
{
	struct kvm_userspace_memory_region region = {
		.memory_size = TINY_MEMORY,
	};

	memset(vm, 0, sizeof(*vm));
	vm->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	tiny_must(vm->kvm >= 0);
	vm->fd = ioctl(vm->kvm, KVM_CREATE_VM, 0);
	tiny_must(vm->fd >= 0);
	vm->memory = mmap(NULL, TINY_MEMORY, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	tiny_must(vm->memory != MAP_FAILED);
	make_memory(vm->memory);
	region.userspace_addr = (uintptr_t)vm->memory;
	tiny_must(ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) == 0);
	tiny_must(ioctl(vm->fd, KVM_SET_TSS_ADDR, 0xfffbd000) == 0);
	vm->cpuid = supported_cpuid(vm->kvm);
}

void tiny_vm_free(struct tiny_vm *vm)
{
	regpin_vm_detach(vm->regpin);
	free(vm->cpuid);
	close(vm->fd);
	close(vm->kvm);
	munmap(vm->memory, TINY_MEMORY);
	memset(vm, 0, sizeof(*vm));
}

void tiny_vm_attach(struct tiny_vm *vm, const struct regpin_policy *policy,
		    void (*event)(void *context,
				  const struct regpin_event *event),
		    void *context)
{
	struct regpin_vm_options options = { .size = sizeof(options),
					     .event = event,
					     .context = context };

	tiny_must(regpin_vm_attach(policy, vm->kvm, vm->fd, &options,
			      &vm->regpin) == 0);
}

void tiny_vcpu_new(struct tiny_vm *vm, struct tiny_vcpu *vcpu, uint32_t id,
		   enum tiny_mode mode)
{
	int size = ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	memset(vcpu, 0, sizeof(*vcpu));
	vcpu->vm = vm;
	vcpu->id = id;
	tiny_must(size > 0);
	vcpu->run_size = (size_t)size;
	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)id);
	tiny_must(vcpu->fd >= 0);
	vcpu->run = mmap(NULL, vcpu->run_size, PROT_READ | PROT_WRITE,
			 MAP_SHARED, vcpu->fd, 0);
	tiny_must(vcpu->run != MAP_FAILED);
	if (vm->regpin)
		tiny_must(regpin_vcpu_attach(vm->regpin, vcpu->fd, id, vcpu->run,
					&vcpu->regpin) == 0);
	if (vm->cpuid) {
		tiny_must(ioctl(vcpu->fd, KVM_SET_CPUID2, vm->cpuid) == 0);
		if (vcpu->regpin)
			regpin_vcpu_set_cpuid(vcpu->regpin, vm->cpuid);
	}
	tiny_set_mode(vcpu, mode, 0);
}

void tiny_vcpu_free(struct tiny_vcpu *vcpu)
{
	regpin_vcpu_detach(vcpu->regpin);
	munmap(vcpu->run, vcpu->run_size);
	close(vcpu->fd);
	memset(vcpu, 0, sizeof(*vcpu));
}

const char *tiny_no_unpaged_lme(void)
{
	return getenv("TINY_TCG") ?
		       "this emulator hangs with EFER.LME and no paging" : NULL;
}

static struct kvm_segment flat(uint16_t selector, uint8_t type, bool l)
{
	return (struct kvm_segment){
		.limit = 0xffffffff, .selector = selector, .type = type,
		.present = 1, .s = 1, .g = 1, .l = l, .db = !l,
	};
}

static struct kvm_segment real_mode(uint8_t type)
{
	return (struct kvm_segment){
		.limit = 0xffff, .type = type, .present = 1, .s = 1,
	};
}

static void long_mode(struct kvm_sregs *sregs, bool levels5)
{
	sregs->cs = flat(0x08, 11, true);
	sregs->cr0 |= CR0_PG | CR0_WP;
	sregs->cr4 = CR4_PAE | (levels5 ? CR4_LA57 : 0);
	sregs->cr3 = levels5 ? PML5 : PML4;
	sregs->efer |= EFER_LONG;
	sregs->idt.base = IDT64;
}

static bool offers_la57(const struct tiny_vm *vm)
{
	for (uint32_t i = 0; vm->cpuid && i < vm->cpuid->nent; i++) {
		const struct kvm_cpuid_entry2 *e = &vm->cpuid->entries[i];

		if (e->function == 7 && !e->index)
			return e->ecx & (1u << 16);
	}
	return false;
}

static bool takes_la57(struct tiny_vm *vm)
{
	struct kvm_sregs sregs;
	struct tiny_vcpu vcpu;
	bool takes;

	tiny_vcpu_new(vm, &vcpu, 0, TINY_LONG);
	tiny_get_sregs(&vcpu, &sregs);
	long_mode(&sregs, true);
	takes = !tiny_set_sregs(&vcpu, &sregs);
	tiny_vcpu_free(&vcpu);
	return takes;
}

const char *tiny_no_la57(void)
{
	static struct tiny_vm vm;
	const char *why = NULL;

	tiny_vm_new(&vm);
	if (!offers_la57(&vm))
		why = "this KVM offers no LA57";
	else if (!takes_la57(&vm))
		why = "this KVM offers LA57, but refuses guests with it";
	tiny_vm_free(&vm);
	return why;
}

void tiny_set_mode(struct tiny_vcpu *vcpu, enum tiny_mode mode, uint64_t efer)
{
	struct kvm_segment data = flat(0x18, 3, false);
	struct kvm_sregs sregs;

	tiny_get_sregs(vcpu, &sregs);
	vcpu->mode = mode;
	sregs.cr0 = CR0_ET | CR0_NE | (mode == TINY_REAL ? 0 : CR0_PE);
	sregs.cr3 = 0;
	sregs.cr4 = 0;
	sregs.efer = efer;
	sregs.gdt.base = GDT;
	sregs.gdt.limit = 0x1f;
	sregs.idt.base = mode == TINY_REAL ? 0 : IDT32;
	sregs.idt.limit = mode == TINY_REAL ? 0x3ff : 0xfff;
	if (mode == TINY_REAL) {
		data = real_mode(3);
		sregs.cs = real_mode(11);
	} else {
		sregs.cs = flat(0x10, 11, false);
	}
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	if (mode >= TINY_LONG)
		long_mode(&sregs, mode == TINY_LONG5);
	tiny_must(tiny_set_sregs(vcpu, &sregs) == 0);
}

void tiny_reset(struct tiny_vcpu *vcpu)
{
	static const uint32_t msrs[] = {
		0x174, 0x175, 0x176, 0xc0000081, 0xc0000082, 0xc0000083,
		0xc0000084,
	};

	tiny_set_mode(vcpu, TINY_REAL, 0);
	for (size_t i = 0; i < sizeof(msrs) / sizeof(msrs[0]); i++)
		tiny_must(tiny_set_msr(vcpu, msrs[i], 0) == 0);
	tiny_must(tiny_set_msr(vcpu, 0x277, 0x0007040600070406) == 0);
}

struct one_msr {
	struct kvm_msrs header;
	struct kvm_msr_entry entry;
};

int tiny_get_msr(struct tiny_vcpu *vcpu, uint32_t index, uint64_t *value)
{
	struct one_msr one = { .header.nmsrs = 1, .entry.index = index };
	int ret = ioctl(vcpu->fd, KVM_GET_MSRS, &one);

	if (ret != 1)
		return ret < 0 ? -errno : -EINVAL;
	*value = one.entry.data;
	return 0;
}

int tiny_set_msr(struct tiny_vcpu *vcpu, uint32_t index, uint64_t value)
{
	struct one_msr one = { .header.nmsrs = 1,
			       .entry = { .index = index, .data = value } };
	int ret;

	if (vcpu->regpin)
		regpin_vcpu_before_write(vcpu->regpin);
	ret = ioctl(vcpu->fd, KVM_SET_MSRS, &one);
	ret = ret == 1 ? 0 : ret < 0 ? -errno : -EINVAL;
	if (vcpu->regpin)
		regpin_vcpu_after_write(vcpu->regpin);
	return ret;
}

void tiny_get_sregs(struct tiny_vcpu *vcpu, struct kvm_sregs *sregs)
{
	tiny_must(ioctl(vcpu->fd, KVM_GET_SREGS, sregs) == 0);
}

int tiny_set_sregs(struct tiny_vcpu *vcpu, const struct kvm_sregs *sregs)
{
	int ret;

	if (vcpu->regpin)
		regpin_vcpu_before_write(vcpu->regpin);
	ret = ioctl(vcpu->fd, KVM_SET_SREGS, sregs) ? -errno : 0;
	if (vcpu->regpin)
		regpin_vcpu_after_write(vcpu->regpin);
	return ret;
}
