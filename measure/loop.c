// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of a round trip: a VMM with a real-mode guest that repeats one instruction.
 * Prints nanoseconds per turn; in the lab under icount these are instructions. The guest
 * is the same in every mode; only the answers come from different places.
 *
 *   loop MODE GUEST COUNT
 * GUEST  write: WRMSR of LSTAR's own value    other: WRMSR of another LSTAR
 *        read: RDMSR of PLATFORM_ID           port: OUT
 *        spin: no exit, 65536 instructions per turn
 * MODE   plain: the VMM sets no filter; with regpin, regpin answers
 *        raw: the VMM sets a filter, and answers with a constant
 *        deny: the same, but it calls the ioctls that regpin calls, and answers #GP
 *        replay: the same, but it reads and writes the MSR as regpin does
 *
 * LOOP_READY, if set, is a command that is run once the VM is set up, before the turns.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define LSTAR		0xc0000082u
#define PLATFORM_ID	0x17u
#define MEMORY		0x10000u
#define CODE		0x1000u

/*
 * The code at CODE: sets LSTAR and SFMASK, as a kernel does, and halts; then repeats ESI times
 * the instruction that BX selects, and halts again. #GP skips the instruction.
 */
extern const char guest_start[], guest_fault[], guest_end[];
asm(".pushsection .rodata\n"
    ".code16\n"
    "guest_start:\n"
    "	mov $0xc0000082, %ecx\n"
    "	mov $0x1000, %eax\n"
    "	xor %edx, %edx\n"
    "	wrmsr\n"
    "	mov $0xc0000084, %ecx\n"
    "	wrmsr\n"
    "	mov $0xc0000082, %ecx\n"
    "	hlt\n"
    "	cmp $1, %bx\n"
    "	je 2f\n"
    "	cmp $2, %bx\n"
    "	je 3f\n"
    "	cmp $3, %bx\n"
    "	je 4f\n"
    "	cmp $4, %bx\n"
    "	je 7f\n"
    "1:	wrmsr\n"			/* BX 0: the same value */
    "	dec %esi\n"
    "	jnz 1b\n"
    "	hlt\n"
    "2:	mov $0x2000, %eax\n"		/* BX 1: another value */
    "5:	wrmsr\n"
    "	dec %esi\n"
    "	jnz 5b\n"
    "	hlt\n"
    "3:	mov $0x17, %ecx\n"		/* BX 2: a read */
    "6:	rdmsr\n"
    "	dec %esi\n"
    "	jnz 6b\n"
    "	hlt\n"
    "4:	out %al, $0x80\n"		/* BX 3: not an MSR at all */
    "	dec %esi\n"
    "	jnz 4b\n"
    "	hlt\n"
    "7:	mov $0x8000, %cx\n"		/* BX 4: nothing */
    "8:	dec %cx\n"
    "	jnz 8b\n"
    "	dec %esi\n"
    "	jnz 7b\n"
    "	hlt\n"
    "guest_fault:\n"
    "	push %bp\n"
    "	mov %sp, %bp\n"
    "	addw $2, 2(%bp)\n"
    "	pop %bp\n"
    "	iret\n"
    "guest_end:\n"
    ".code64\n"
    ".popsection\n");

enum mode { PLAIN, RAW, DENY, REPLAY };

static int vm, vcpu;
static struct kvm_run *run;
static enum mode mode;

static void must(int ret, const char *what)
{
	if (ret < 0)
		err(1, "%s", what);
}

/* Sets a filter of the same MSRs and the same form as regpin's for linux.yaml. */
static void own_filter(void)
{
	static uint8_t low[0x600], high[0x600];
	struct kvm_enable_cap cap = { .cap = KVM_CAP_X86_USER_SPACE_MSR,
				      .args = { KVM_MSR_EXIT_REASON_FILTER } };
	struct kvm_msr_filter filter = {
		.ranges[0] = { .flags = KVM_MSR_FILTER_READ,
			       .nmsrs = sizeof(low) * 8, .bitmap = low },
		.ranges[1] = { .flags = KVM_MSR_FILTER_WRITE,
			       .base = 0xc0000000, .nmsrs = sizeof(high) * 8,
			       .bitmap = high },
	};

	memset(low, 0xff, sizeof(low));
	memset(high, 0xff, sizeof(high));
	low[PLATFORM_ID / 8] &= (uint8_t)~(1 << PLATFORM_ID % 8);
	high[0x82 / 8] &= (uint8_t)~(1 << 2);
	must(ioctl(vm, KVM_ENABLE_CAP, &cap), "KVM_ENABLE_CAP");
	must(ioctl(vm, KVM_X86_SET_MSR_FILTER, &filter), "the filter");
}

struct msr_list {
	struct kvm_msrs header;
	struct kvm_msr_entry entries[1];
};

static void answer(void)
{
	struct msr_list list = { .header.nmsrs = 1,
				 .entries[0].index = run->msr.index };
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	run->msr.error = mode == DENY;
	if (mode == RAW) {
		if (run->exit_reason == KVM_EXIT_X86_RDMSR)
			run->msr.data = 42;
		return;
	}
	must(ioctl(vcpu, KVM_GET_MSRS, &list), "KVM_GET_MSRS");
	if (mode == DENY) {
		must(ioctl(vcpu, KVM_GET_REGS, &regs), "KVM_GET_REGS");
		must(ioctl(vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	} else {
		list.entries[0].data = run->msr.data;
		must(ioctl(vcpu, KVM_SET_MSRS, &list), "KVM_SET_MSRS");
	}
}

static void until_halt(void)
{
	for (;;) {
		must(ioctl(vcpu, KVM_RUN, NULL), "KVM_RUN");
		switch (run->exit_reason) {
		case KVM_EXIT_HLT:
			return;
		case KVM_EXIT_IO:
			break;
		case KVM_EXIT_X86_RDMSR:
		case KVM_EXIT_X86_WRMSR:
			answer();
			break;
		default:
			errx(1, "exit reason %u", run->exit_reason);
		}
	}
}

/* A second thread, because a VMM has several: system calls on fds then take longer. */
static void *other_thread(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static void set_up(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	char *memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region region = {
		.memory_size = MEMORY, .userspace_addr = (uintptr_t)memory,
	};
	struct kvm_regs regs = { .rip = CODE, .rflags = 2, .rsp = 0x8000 };
	uint16_t handler = (uint16_t)(CODE + (guest_fault - guest_start));
	struct kvm_sregs sregs;
	int size;

	must(kvm, "/dev/kvm");
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	must(vm, "KVM_CREATE_VM");
	must(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "memory");
	memcpy(memory + CODE, guest_start, (size_t)(guest_end - guest_start));
	memcpy(memory + 13 * 4, &handler, sizeof(handler));
	if (mode != PLAIN)
		own_filter();
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	must(vcpu, "KVM_CREATE_VCPU");
	size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, NULL);
	run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED,
		   vcpu, 0);
	if (memory == MAP_FAILED || run == MAP_FAILED)
		err(1, "mmap");
	must(ioctl(vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	must(ioctl(vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
	must(ioctl(vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
}

static int choose(const char *word, const char *const *words)
{
	for (int i = 0; words[i]; i++)
		if (!strcmp(words[i], word))
			return i;
	errx(2, "unknown MODE or GUEST '%s'", word);
}

int main(int argc, char **argv)
{
	static const char *const modes[] = { "plain", "raw", "deny", "replay",
					     NULL };
	static const char *const guests[] = { "write", "other", "read", "port",
					      "spin", NULL };
	struct timespec from, to;
	pthread_t thread;
	struct kvm_regs regs;
	double ns;
	int count;

	if (argc != 4)
		errx(2, "usage: loop MODE GUEST COUNT");
	mode = (enum mode)choose(argv[1], modes);
	count = atoi(argv[3]);
	if (count < 1)
		errx(2, "COUNT must be at least 1");
	if (pthread_create(&thread, NULL, other_thread, NULL))
		errx(1, "cannot create a second thread");
	set_up();
	until_halt();
	must(ioctl(vcpu, KVM_GET_REGS, &regs), "KVM_GET_REGS");
	regs.rbx = (uint64_t)choose(argv[2], guests);
	regs.rsi = (uint64_t)count;
	must(ioctl(vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
	if (getenv("LOOP_READY") && system(getenv("LOOP_READY")))
		errx(1, "the command in LOOP_READY failed");

	clock_gettime(CLOCK_MONOTONIC, &from);
	until_halt();
	clock_gettime(CLOCK_MONOTONIC, &to);
	ns = (double)(to.tv_sec - from.tv_sec) * 1e9 +
	     (double)(to.tv_nsec - from.tv_nsec);
	printf("%.0f\n", ns / count);
	return 0;
}
