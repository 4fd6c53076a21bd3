// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VMM whose guest does the same accesses to MSRs again and again, and which prints
 * a line whenever one of them ends differently from the last time:
 *
 *	swapvmm FILE [RANGES [other]]
 *
 * The line is "ROUND NAME OUTCOME". If FILE exists, it is removed after a whole round. With
 * RANGES, the VMM gives its VM a filter of that many ranges, none of which the guest's
 * accesses match; with "other", it gives the filter to another VM. The VMM never requests
 * exits; an exit for an MSR that it gets is printed as "leak".
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define LSTAR	0xc0000082u
#define CSTAR	0xc0000083u
#define NONE	0x2f00u		/* no CPU has it */

#define MEMORY	0x4000
#define CODE	0x1000
#define HANDLER	0x2000
#define RESULTS	0x2100
#define STACK	0x4000

/* The value that a read leaves if it is not answered. */
#define POISON	0xa5a5a5a5u

/**
 * struct access - one that the guest does
 * @name: the name that is printed
 * @index: of the MSR
 * @write: a write, not a read
 * @value: the value written; CSTAR gets another one in each round
 * @last: its last outcome
 */
static struct access {
	const char *name;
	uint32_t index;
	bool write;
	uint64_t value;
	char last[32];
} accesses[] = {
	{ "unknown-r", NONE, false, 0, "" },
	{ "unknown-w", NONE, true, 1, "" },
	{ "invalid-w", LSTAR, true, 1ull << 62, "" },	/* not canonical even with LA57 */
	{ "cstar-w", CSTAR, true, 0, "" },
	{ "cstar-r", CSTAR, false, 0, "" },
	{ "sign-r", 0x8b, false, 0, "" },
	{ "misc-r", 0x1a0, false, 0, "" },
	{ "pat-w", 0x277, true, 0x0007040600070406, "" },
	{ "apic-r", 0x1b, false, 0, "" },
};

#define NR	((int)(sizeof(accesses) / sizeof(accesses[0])))

struct result {
	uint32_t eax, edx;
	uint32_t gp;
	uint32_t unused;
};

static uint8_t *memory;
static int kvm, vm, vcpu;
static struct kvm_run *run;
static int cstar_at;	/* the position of CSTAR's value in the code */
static uint32_t rounds;

static int put(int at, const void *code, size_t size)
{
	memcpy(memory + at, code, size);
	return at + (int)size;
}

/* mov $value, %reg, which is in the opcode; operands of 32 bits in real mode */
static int put_mov(int at, uint8_t opcode, uint32_t value)
{
	const uint8_t code[] = { 0x66, opcode };

	at = put(at, code, sizeof(code));
	return put(at, &value, sizeof(value));
}

/* mov %eax or, with @edx, %edx to @to */
static int put_store(int at, bool edx, uint16_t to)
{
	const uint8_t eax_code[] = { 0x66, 0xa3 }, edx_code[] = { 0x66, 0x89, 0x16 };

	at = edx ? put(at, edx_code, sizeof(edx_code)) :
		   put(at, eax_code, sizeof(eax_code));
	return put(at, &to, sizeof(to));
}

/* The handler of #GP: it adds 1 at %bx and continues after the instruction. */
static void put_handler(void)
{
	static const uint8_t code[] = {
		0xfe, 0x07,			/* incb (%bx) */
		0x55, 0x89, 0xe5,		/* push %bp; mov %sp, %bp */
		0x83, 0x46, 0x02, 0x02,		/* addw $2, 2(%bp) */
		0x5d, 0xcf,			/* pop %bp; iret */
	};
	const uint16_t vector[2] = { HANDLER, 0 };

	put(HANDLER, code, sizeof(code));
	put(13 * 4, vector, sizeof(vector));
}

static void put_program(void)
{
	static const uint8_t rdmsr[] = { 0x0f, 0x32 }, wrmsr[] = { 0x0f, 0x30 };
	static const uint8_t hlt = 0xf4;
	int at = CODE;

	put_handler();
	for (int i = 0; i < NR; i++) {
		const struct access *access = &accesses[i];
		uint16_t result = (uint16_t)(RESULTS + i * (int)sizeof(struct result));

		at = put_mov(at, 0xbb, result + 8);	/* ebx: @gp */
		at = put_mov(at, 0xb9, access->index);
		if (access->write && access->index == CSTAR)
			cstar_at = at + 2;
		at = put_mov(at, 0xb8, access->write ? (uint32_t)access->value : POISON);
		at = put_mov(at, 0xba, access->write ? (uint32_t)(access->value >> 32) : POISON);
		at = put(at, access->write ? wrmsr : rdmsr, 2);
		at = put_store(at, false, result);
		at = put_store(at, true, result + 4);
	}
	put(at, &hlt, 1);
}

/* A guest without nested virtualisation. */
static void set_cpuid(void)
{
	static struct {
		struct kvm_cpuid2 header;
		struct kvm_cpuid_entry2 entries[256];
	} cpuid = { .header.nent = 256 };

	if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &cpuid) < 0)
		err(70, "KVM_GET_SUPPORTED_CPUID");
	for (uint32_t i = 0; i < cpuid.header.nent; i++) {
		if (cpuid.entries[i].function == 1)
			cpuid.entries[i].ecx &= ~(1u << 5);
		if (cpuid.entries[i].function == 0x80000001)
			cpuid.entries[i].ecx &= ~(1u << 2);
	}
	if (ioctl(vcpu, KVM_SET_CPUID2, &cpuid) < 0)
		err(70, "KVM_SET_CPUID2");
}

static void create(void)
{
	struct kvm_userspace_memory_region slot = { .memory_size = MEMORY };
	int size;

	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	slot.userspace_addr = (uintptr_t)memory;
	if (vm < 0 || memory == MAP_FAILED ||
	    ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot) < 0)
		err(70, "VM");
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (vcpu < 0 || run == MAP_FAILED)
		err(70, "vCPU");
	set_cpuid();
}

/* Each range denies an MSR that the guest does not use. */
static void set_filter(int fd, uint32_t ranges)
{
	struct kvm_msr_filter filter = { 0 };
	static uint8_t bitmap[1];

	for (uint32_t i = 0; i < ranges; i++)
		filter.ranges[i] = (struct kvm_msr_filter_range){
			.flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
			.base = 0x10000000 + i * 0x10000, .nmsrs = 1, .bitmap = bitmap,
		};
	if (ioctl(fd, KVM_X86_SET_MSR_FILTER, &filter) < 0)
		err(70, "KVM_X86_SET_MSR_FILTER");
}

static void prepare(void)
{
	struct kvm_regs regs = { .rip = CODE, .rflags = 2, .rsp = STACK };
	struct kvm_sregs sregs;
	uint32_t value = 0x5a000000 | (rounds & 0xffffff);

	memset(memory + RESULTS, 0, NR * sizeof(struct result));
	memcpy(memory + cstar_at, &value, sizeof(value));
	if (ioctl(vcpu, KVM_GET_SREGS, &sregs) < 0)
		err(70, "KVM_GET_SREGS");
	sregs.cs.base = sregs.cs.selector = 0;
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs) < 0 || ioctl(vcpu, KVM_SET_REGS, &regs) < 0)
		err(70, "registers");
}

static void run_round(void)
{
	int ret;

	do {
		ret = ioctl(vcpu, KVM_RUN, 0);
		if (ret < 0 && errno != EINTR)
			err(70, "KVM_RUN");
		if (!ret && (run->exit_reason == KVM_EXIT_X86_RDMSR ||
			     run->exit_reason == KVM_EXIT_X86_WRMSR)) {
			printf("%u leak 0x%x\n", rounds, run->msr.index);
			run->msr.error = 1;
		} else if (!ret && run->exit_reason != KVM_EXIT_HLT &&
			   run->exit_reason != KVM_EXIT_INTR) {
			errx(71, "exit %u", run->exit_reason);
		}
	} while (ret < 0 || run->exit_reason != KVM_EXIT_HLT);
}

/* CSTAR reads as what this round or an earlier one wrote. */
static void name_outcome(const struct access *access, const struct result *result,
			 char *to, size_t size)
{
	uint64_t value = (uint64_t)result->edx << 32 | result->eax;

	if (result->gp)
		snprintf(to, size, result->gp == 1 ? "gp" : "gps");
	else if (access->write)
		snprintf(to, size, "done");
	else if (access->index == CSTAR && value == (0x5a000000 | (rounds & 0xffffff)))
		snprintf(to, size, "new");
	else if (access->index == CSTAR && value >> 24 == 0x5a)
		snprintf(to, size, "old");
	else
		snprintf(to, size, "0x%llx", (unsigned long long)value);
}

static void print_change(void)
{
	char outcome[32];

	for (int i = 0; i < NR; i++) {
		struct access *access = &accesses[i];
		struct result result;

		memcpy(&result, memory + RESULTS + (size_t)i * sizeof(result), sizeof(result));
		name_outcome(access, &result, outcome, sizeof(outcome));
		if (strcmp(outcome, access->last) != 0) {
			printf("%u %s %s\n", rounds, access->name, outcome);
			memcpy(access->last, outcome, sizeof(outcome));
		}
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	bool asked;

	if (argc < 2)
		errx(2, "usage: swapvmm FILE [RANGES [other]]");
	create();
	put_program();
	if (argc > 2)
		set_filter(argc > 3 ? ioctl(kvm, KVM_CREATE_VM, 0) : vm,
			   (uint32_t)strtoul(argv[2], NULL, 10));
	for (rounds = 1;; rounds++) {
		asked = access(argv[1], F_OK) == 0;
		prepare();
		run_round();
		print_change();
		if (asked)
			unlink(argv[1]);
		usleep(200);
	}
}
