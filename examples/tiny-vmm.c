// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VMM in one file that puts its guest under a policy:
 *
 *	regpin compile -o tiny.blob tiny.yaml
 *	tiny-vmm tiny.blob
 *
 * It needs the public header and libregpin.so, and shows all that a VMM has to
 * do: attach the VM before its first vCPU, attach the vCPU, tell the CPUID,
 * enclose its own writes of registers, and show each exit to the library.
 *
 * Its guest is a 64-bit "kernel" that sets its system call entry up, as kernels
 * do, and is then taken over by someone who wants that entry for himself.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <regpin/regpin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEMORY		0x200000ul
#define GDT		0x1000
#define IDT		0x2000
#define PML4		0x4000
#define PDPT		0x5000
#define PD		0x6000
#define CODE		0x8000
#define HANDLER		0x9000
#define STACK		0x10000
#define PORT		0x80	/* where the guest reports to its VMM */
#define MAX_CPUID	256
#define LSTAR		0xc0000082u
#define SFMASK		0xc0000084u

/* The guest's program: one WRMSR after the other. */
static const struct step {
	uint32_t msr;
	uint64_t value;
	const char *why;
} steps[] = {
	{ LSTAR, 0xffffffff81000000, "the kernel sets its entry" },
	{ SFMASK, 0x47700, "and ends its set-up" },
	{ LSTAR, 0xffffffff81000000, "the kernel writes the same again" },
	{ LSTAR, 0xffffffffdeadb000, "the attacker brings an entry" },
	{ LSTAR, 0, "and tries to clear it" },
	{ SFMASK, 0x47500, "and wants interrupts on at the entry" },
};
#define NR_STEPS (sizeof(steps) / sizeof(steps[0]))

static struct {
	int kvm, vm, vcpu;
	uint8_t *memory;
	struct kvm_run *run;
	struct regpin_policy *policy;
	struct regpin_vm *regpin_vm;
	struct regpin_vcpu *regpin_vcpu;
} vmm;

/* Called by the library, on the vCPU's thread. */
static void print_event(void *context, const struct regpin_event *event)
{
	const char *file, *rule;
	uint32_t line;

	switch (event->type) {
	case REGPIN_EVENT_ATTACHED:
		printf("event: the policy is in place\n");
		break;
	case REGPIN_EVENT_ARMED:
		printf("event: vCPU %u is armed\n", event->vcpu);
		break;
	case REGPIN_EVENT_VIOLATION:
		file = regpin_policy_where(context, event->rule, &line, &rule);
		printf("event: %s, rule %s at %s:%u: 0x%" PRIx64 " -> 0x%"
		       PRIx64 ", now 0x%" PRIx64 "\n",
		       regpin_register_name(event->kind, event->index), rule,
		       file, line, (uint64_t)event->old_value,
		       (uint64_t)event->new_value, (uint64_t)event->value);
		break;
	case REGPIN_EVENT_REFUSED:
		errx(4, "refused: %s", regpin_refusal_text(event->detail));
	}
}

static void load_policy(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret;

	if (fd < 0)
		err(1, "%s", path);
	ret = regpin_policy_open(fd, &vmm.policy);
	if (ret)
		errx(1, "%s: not a blob of this version: %s", path,
		     strerror(-ret));
	close(fd);
}

static void create_vm(void)
{
	struct regpin_vm_options options = { .size = sizeof(options),
					     .event = print_event,
					     .context = vmm.policy };
	struct kvm_userspace_memory_region region = { .memory_size = MEMORY };
	int ret;

	vmm.kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	vmm.vm = ioctl(vmm.kvm, KVM_CREATE_VM, 0);
	if (vmm.vm < 0)
		err(77, "/dev/kvm");

	/* 1. The policy, before the first vCPU. */
	ret = regpin_vm_attach(vmm.policy, vmm.kvm, vmm.vm, &options,
			       &vmm.regpin_vm);
	if (ret)
		errx(ret == -EOPNOTSUPP ? 77 : 1, "regpin_vm_attach: %s",
		     strerror(-ret));

	vmm.memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (vmm.memory == MAP_FAILED)
		err(1, "mmap");
	region.userspace_addr = (uintptr_t)vmm.memory;
	if (ioctl(vmm.vm, KVM_SET_USER_MEMORY_REGION, &region))
		err(1, "KVM_SET_USER_MEMORY_REGION");
}

/* Nested virtualisation gets round the filter: this VMM does not offer it. */
static void set_cpuid(void)
{
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) +
				MAX_CPUID * sizeof(struct kvm_cpuid_entry2));

	if (!cpuid)
		err(1, "calloc");
	cpuid->nent = MAX_CPUID;
	if (ioctl(vmm.kvm, KVM_GET_SUPPORTED_CPUID, cpuid))
		err(1, "KVM_GET_SUPPORTED_CPUID");
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *e = &cpuid->entries[i];

		if (e->function == 1)
			e->ecx &= ~(1u << 5);	/* VMX */
		if (e->function == 0x80000001)
			e->ecx &= ~(1u << 2);	/* SVM */
		if (e->function == 7 && e->index == 1)
			e->eax &= ~(1u << 17);	/* FRED */
	}
	if (ioctl(vmm.vcpu, KVM_SET_CPUID2, cpuid))
		err(1, "KVM_SET_CPUID2");
	/* 3. What the guest could do itself depends on its CPUID. */
	if (regpin_vcpu_set_cpuid(vmm.regpin_vcpu, cpuid))
		exit(4);
	free(cpuid);
}

static void create_vcpu(void)
{
	int size = ioctl(vmm.kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	vmm.vcpu = ioctl(vmm.vm, KVM_CREATE_VCPU, 0);
	if (size <= 0 || vmm.vcpu < 0)
		err(1, "KVM_CREATE_VCPU");
	vmm.run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED,
		       vmm.vcpu, 0);
	if (vmm.run == MAP_FAILED)
		err(1, "mmap");
	/* 2. The vCPU. */
	if (regpin_vcpu_attach(vmm.regpin_vm, vmm.vcpu, 0, vmm.run,
			       &vmm.regpin_vcpu))
		err(1, "regpin_vcpu_attach");
	set_cpuid();
}

static void put(unsigned long at, uint64_t value)
{
	memcpy(vmm.memory + at, &value, sizeof(value));
}

/* "wrmsr; out %al, $PORT" for each step, then "hlt". */
static void write_guest(void)
{
	/* Skips the WRMSR that failed and leaves 1 in %al. */
	static const uint8_t handler[] = {
		0x58,				/* pop %rax: the error code */
		0x48, 0x83, 0x04, 0x24, 0x02,	/* addq $2, (%rsp) */
		0xb0, 0x01,			/* mov $1, %al */
		0x48, 0xcf,			/* iretq */
	};
	uint8_t *at = vmm.memory + CODE;

	put(GDT + 8, 0x00af9b000000ffff);	/* 64-bit code */
	put(GDT + 16, 0x00cf93000000ffff);	/* data */
	put(IDT + 13 * 16, 0x00008e0000080000 | HANDLER);
	put(PML4, PDPT | 3);
	put(PDPT, PD | 3);
	put(PD, 0x83);
	memcpy(vmm.memory + HANDLER, handler, sizeof(handler));
	for (size_t i = 0; i < NR_STEPS; i++) {
		/* mov $msr, %ecx; mov $low, %eax; mov $high, %edx; wrmsr */
		uint8_t code[] = { 0xb9, 0, 0, 0, 0, 0xb8, 0, 0, 0, 0,
				   0xba, 0, 0, 0, 0, 0x0f, 0x30 };
		/* After a good one %al is the value's low byte, here 0. */
		static const uint8_t report[] = { 0xe6, PORT };

		memcpy(code + 1, &steps[i].msr, 4);
		memcpy(code + 6, &steps[i].value, 4);
		memcpy(code + 11, (const char *)&steps[i].value + 4, 4);
		memcpy(at, code, sizeof(code));
		memcpy(at + sizeof(code), report, sizeof(report));
		at += sizeof(code) + sizeof(report);
	}
	*at = 0xf4;
}

static void set_registers(void)
{
	struct kvm_segment code = { .selector = 8, .type = 11, .s = 1, .l = 1,
				    .present = 1, .g = 1, .limit = ~0u };
	struct kvm_segment data = { .selector = 16, .type = 3, .s = 1, .db = 1,
				    .present = 1, .g = 1, .limit = ~0u };
	struct kvm_regs regs = { .rip = CODE, .rsp = STACK, .rflags = 2 };
	struct kvm_sregs sregs;

	if (ioctl(vmm.vcpu, KVM_GET_SREGS, &sregs))
		err(1, "KVM_GET_SREGS");
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.gdt.base = GDT;
	sregs.gdt.limit = 23;
	sregs.idt.base = IDT;
	sregs.idt.limit = 0xfff;
	sregs.cr0 = 0x80000011;		/* PG, ET, PE */
	sregs.cr3 = PML4;
	sregs.cr4 = 0x20;		/* PAE */
	sregs.efer = 0x500;		/* LMA, LME */

	/* 4. The VMM's own writes, so that a reset is recognised. */
	regpin_vcpu_before_write(vmm.regpin_vcpu);
	if (ioctl(vmm.vcpu, KVM_SET_SREGS, &sregs) ||
	    ioctl(vmm.vcpu, KVM_SET_REGS, &regs))
		err(1, "KVM_SET_SREGS");
	regpin_vcpu_after_write(vmm.regpin_vcpu);
}

/* What the guest tells after each step: bit 0 of %al is set by a #GP. */
static void print_step(size_t number)
{
	const uint8_t *data = (uint8_t *)vmm.run + vmm.run->io.data_offset;

	if (number < NR_STEPS)
		printf("guest: %s: %s\n", steps[number].why,
		       *data & 1 ? "#GP" : "done");
}

static void run(void)
{
	size_t step = 0;

	for (;;) {
		/* 5. Around each KVM_RUN. */
		regpin_vcpu_enter(vmm.regpin_vcpu);
		if (ioctl(vmm.vcpu, KVM_RUN, 0))
			err(1, "KVM_RUN");
		if (regpin_vcpu_exit(vmm.regpin_vcpu))
			continue;
		switch (vmm.run->exit_reason) {
		case KVM_EXIT_IO:
			print_step(step++);
			break;
		case KVM_EXIT_HLT:
			return;
		default:
			errx(1, "exit %u", vmm.run->exit_reason);
		}
	}
}

int main(int argc, char **argv)
{
	if (argc != 2)
		errx(2, "usage: tiny-vmm BLOB");
	load_policy(argv[1]);
	create_vm();
	write_guest();
	create_vcpu();
	set_registers();
	run();
	regpin_vcpu_detach(vmm.regpin_vcpu);
	regpin_vm_detach(vmm.regpin_vm);
	regpin_policy_free(vmm.policy);
	return 0;
}
