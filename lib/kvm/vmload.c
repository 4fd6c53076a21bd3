// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Can a guest without SVM execute VMLOAD on this host? kvm_amd with virtual VMLOAD and
 * VMSAVE (its parameter vls) does not intercept them, whatever the guest's CPUID is, and
 * the guest's VMCB has EFER.SVME set. So the guest loads the syscall MSRs from its own
 * memory, without an exit. Neither a parameter nor CPUID shows whether a KVM is fixed, so
 * the instruction is executed in a VM of our own.
 */
#include <linux/kvm.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ioctl.h"
#include "lib/policy/registers.h"
#include "pages.h"
#include "vmload.h"

/* The guest's memory, mapped one to one. */
#define GDT		0x1000u
#define IDT		0x2000u
#define PML4		0x3000u
#define PDPT		0x4000u
#define PD		0x5000u
#define VMCB		0x6000u
#define CODE		0x7000u
#define FAULTED		0x7800u
#define STACK		0x8000u		/* downwards */
#define MEMORY		0x8000u

/* In a VMCB's state save area: APM volume 2, appendix B. */
#define VMCB_LSTAR	0x608u
#define MARK		0x5a5a5000ull	/* canonical, and no LSTAR that a guest has */
#define STARTED		0x5a5a5a5aull

#define NR_CPUID	256
#define GATE		16ul
#define CODE_SELECTOR	0x08
#define UD		6
#define GP		13
#define MAX_RUNS	100

/**
 * struct trial - the VM and its resources
 * @kvm: /dev/kvm; borrowed
 * @vm, @vcpu: fds, owned; -1: not created
 * @memory: the guest's memory, MEMORY bytes, owned
 * @cpuid: room for NR_CPUID entries, owned
 * @run: the vCPU's run page, @run_size bytes, owned
 */
struct trial {
	int kvm, vm, vcpu;
	uint8_t *memory;
	struct kvm_cpuid2 *cpuid;
	struct kvm_run *run;
	size_t run_size;
};

#define CPUID_SIZE \
	(sizeof(struct kvm_cpuid2) + NR_CPUID * sizeof(struct kvm_cpuid_entry2))

static void put64(uint8_t *to, uint64_t value)
{
	memcpy(to, &value, sizeof(value));
}

static void make_memory(uint8_t *memory)
{
	static const uint8_t code[] = {
		0xbb, 0x5a, 0x5a, 0x5a, 0x5a,	/* mov $STARTED, %ebx */
		0x0f, 0x01, 0xda,		/* vmload %rax */
		0xf4,				/* hlt */
	};

	put64(memory + GDT + CODE_SELECTOR, 0x00af9b000000ffff);
	put64(memory + IDT + UD * GATE,
	      0x00008e0000000000ull | CODE_SELECTOR << 16 | FAULTED);
	put64(memory + IDT + GP * GATE,
	      0x00008e0000000000ull | CODE_SELECTOR << 16 | FAULTED);
	put64(memory + PML4, PDPT | 3);
	put64(memory + PDPT, PD | 3);
	put64(memory + PD, 0x83);
	put64(memory + VMCB + VMCB_LSTAR, MARK);
	memcpy(memory + CODE, code, sizeof(code));
	memory[FAULTED] = 0xf4;
}

static bool make_vm(struct trial *t)
{
	struct kvm_userspace_memory_region region = { .memory_size = MEMORY };

	t->memory = pages_alloc(MEMORY);
	t->cpuid = pages_alloc(CPUID_SIZE);
	if (!t->memory || !t->cpuid)
		return false;
	make_memory(t->memory);
	t->vm = kvm_ioctl(t->kvm, KVM_CREATE_VM, NULL);
	if (t->vm < 0)
		return false;
	region.userspace_addr = (uintptr_t)t->memory;
	return !kvm_ioctl(t->vm, KVM_SET_USER_MEMORY_REGION, &region);
}

/*
 * Sets the CPUID that KVM offers, without SVM, so that it is the CPUID of a guest that no
 * policy refuses.
 */
static bool set_cpuid(struct trial *t)
{
	t->cpuid->nent = NR_CPUID;
	if (kvm_ioctl(t->kvm, KVM_GET_SUPPORTED_CPUID, t->cpuid))
		return false;
	for (uint32_t i = 0; i < t->cpuid->nent; i++)
		if (t->cpuid->entries[i].function == 0x80000001)
			t->cpuid->entries[i].ecx &= ~(1u << 2);
	return !kvm_ioctl(t->vcpu, KVM_SET_CPUID2, t->cpuid);
}

static struct kvm_segment flat_segment(uint16_t selector, uint8_t type, bool l)
{
	return (struct kvm_segment){
		.limit = 0xffffffff, .selector = selector, .type = type,
		.present = 1, .s = 1, .g = 1, .l = l, .db = !l,
	};
}

/* Sets 64-bit mode: virtual VMLOAD only exists there. */
static bool set_registers(struct trial *t)
{
	struct kvm_regs regs = {
		.rip = CODE, .rsp = STACK, .rax = VMCB, .rflags = 2,
	};
	struct kvm_sregs sregs;

	if (kvm_ioctl(t->vcpu, KVM_GET_SREGS, &sregs))
		return false;
	sregs.cs = flat_segment(CODE_SELECTOR, 11, true);
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss =
		flat_segment(0x10, 3, false);
	sregs.gdt.base = GDT;
	sregs.gdt.limit = 0x17;
	sregs.idt.base = IDT;
	sregs.idt.limit = 0xfff;
	sregs.cr0 = 0x80010031;		/* PG, WP, NE, ET, PE */
	sregs.cr4 = 0x20;		/* PAE */
	sregs.cr3 = PML4;
	sregs.efer = EFER_LME | EFER_LMA;
	return !kvm_ioctl(t->vcpu, KVM_SET_SREGS, &sregs) &&
	       !kvm_ioctl(t->vcpu, KVM_SET_REGS, &regs);
}

static bool make_vcpu(struct trial *t)
{
	int size = kvm_ioctl(t->kvm, KVM_GET_VCPU_MMAP_SIZE, NULL);
	void *run;

	t->vcpu = kvm_ioctl(t->vm, KVM_CREATE_VCPU, NULL);
	if (t->vcpu < 0 || size < (int)sizeof(*t->run))
		return false;
	t->run_size = (size_t)size;
	run = mmap(NULL, t->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		   t->vcpu, 0);
	if (run == MAP_FAILED)
		return false;
	t->run = run;
	return set_cpuid(t) && set_registers(t);
}

/* Runs the guest until it halts. The caller's signals may interrupt KVM_RUN. */
static bool run_to_halt(struct trial *t)
{
	for (unsigned int i = 0; i < MAX_RUNS; i++)
		if (!kvm_ioctl(t->vcpu, KVM_RUN, NULL))
			return t->run->exit_reason == KVM_EXIT_HLT;
	return false;
}

static bool get_lstar(struct trial *t, uint64_t *lstar)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} list = { .head.nmsrs = 1, .entry.index = MSR_LSTAR };

	if (kvm_ioctl(t->vcpu, KVM_GET_MSRS, &list) != 1)
		return false;
	*lstar = list.entry.data;
	return true;
}

/* Did the guest reach its VMLOAD, and did that fault without changing LSTAR? */
static bool faults_on_vmload(struct trial *t)
{
	struct kvm_regs regs;
	uint64_t lstar;

	return run_to_halt(t) && get_lstar(t, &lstar) && lstar != MARK &&
	       !kvm_ioctl(t->vcpu, KVM_GET_REGS, &regs) &&
	       regs.rbx == STARTED && regs.rip == FAULTED + 1;
}

bool host_vmload_open(int kvm_fd)
{
	struct trial t = { .kvm = kvm_fd, .vm = -1, .vcpu = -1 };
	bool closed = make_vm(&t) && make_vcpu(&t) && faults_on_vmload(&t);

	if (t.run)
		munmap(t.run, t.run_size);
	if (t.vcpu >= 0)
		close(t.vcpu);
	if (t.vm >= 0)
		close(t.vm);
	pages_free(t.cpuid, CPUID_SIZE);
	pages_free(t.memory, MEMORY);
	return !closed;
}
