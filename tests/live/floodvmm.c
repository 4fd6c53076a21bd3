// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VMM for tests of what a guest can hide or fill by floods. Its guest, in long mode,
 * carries out the arguments, one after the other:
 *
 *	arm			set EFER (with NXE and SCE), LSTAR and SFMASK
 *	write INDEX VALUE N	WRMSR, N times
 *	toggle INDEX A B N	WRMSR of A and of B, N times
 *	read FIRST LAST N	RDMSR of all of these, N times, also if they get #GP
 *	cr0 VALUE, cr4 VALUE	MOV to it
 *	vcpus N			from now on N vCPUs do each of these, one after the other
 *	sleep MS		the VMM sleeps
 *	await FILE		the VMM prints "waiting", and waits until FILE exists
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/policy/registers.h"
#include "tiny_run.h"

#define MAX_VCPUS	8

static struct tiny_vm vm;
static struct tiny_vcpu vcpus[MAX_VCPUS];
static unsigned int nr = 1, created;

static void arm(struct tiny_vcpu *vcpu)
{
	tiny_wrmsr(vcpu, MSR_EFER, 0xd01);
	tiny_wrmsr(vcpu, MSR_LSTAR, 0xffffffff81000000);
	tiny_wrmsr(vcpu, MSR_SFMASK, 0x47700);
}

static void read_all(struct tiny_vcpu *vcpu, uint32_t first, uint32_t last,
		     uint32_t times)
{
	/*
	 * 1: mov $first, %ecx; 2: rdmsr; inc %ecx; cmp $last, %ecx; jne 2b;
	 * dec %edi; jnz 1b; hlt
	 */
	uint8_t code[] = { 0xb9, 0, 0, 0, 0, 0x0f, 0x32, 0xff, 0xc1,
			   0x81, 0xf9, 0, 0, 0, 0, 0x75, 0xf4,
			   0xff, 0xcf, 0x75, 0xeb, 0xf4 };
	/* After the RDMSR: addq $2, 8(%rsp); add $8, %rsp; iretq */
	static const uint8_t skip[] = { 0x48, 0x83, 0x44, 0x24, 8, 2,
					0x48, 0x83, 0xc4, 8, 0x48, 0xcf };
	uint8_t saved[sizeof(skip)];
	struct kvm_regs regs;

	last++;
	memcpy(code + 1, &first, sizeof(first));
	memcpy(code + 11, &last, sizeof(last));
	memcpy(vm.memory + TINY_CODE, code, sizeof(code));
	memcpy(saved, vm.memory + TINY_HANDLER, sizeof(saved));
	memcpy(vm.memory + TINY_HANDLER, skip, sizeof(skip));
	tiny_prepare(vcpu, TINY_CODE, 0, 0);
	if (ioctl(vcpu->fd, KVM_GET_REGS, &regs))
		err(70, "KVM_GET_REGS");
	regs.rdi = times;
	if (ioctl(vcpu->fd, KVM_SET_REGS, &regs))
		err(70, "KVM_SET_REGS");
	if (tiny_run(vcpu) || vcpu->run->exit_reason != KVM_EXIT_HLT)
		errx(70, "the guest ended with exit %u", vcpu->run->exit_reason);
	memcpy(vm.memory + TINY_HANDLER, saved, sizeof(saved));
}

static uint64_t number(const char *word)
{
	if (!word)
		errx(70, "a number is missing");
	return strtoull(word, NULL, 0);
}

/* Does one vCPU's part. Returns the number of words that it used. */
static int step(struct tiny_vcpu *vcpu, char **word)
{
	if (!strcmp(*word, "arm")) {
		arm(vcpu);
		return 1;
	}
	if (!strcmp(*word, "cr0") || !strcmp(*word, "cr4")) {
		tiny_mov_cr(vcpu, (unsigned int)(word[0][2] - '0'),
			    number(word[1]));
		return 2;
	}
	if (!strcmp(*word, "write")) {
		for (uint64_t i = number(word[3]); i; i--)
			tiny_wrmsr(vcpu, (uint32_t)number(word[1]),
				   number(word[2]));
		return 4;
	}
	if (!strcmp(*word, "read")) {
		read_all(vcpu, (uint32_t)number(word[1]),
			 (uint32_t)number(word[2]), (uint32_t)number(word[3]));
		return 4;
	}
	if (strcmp(*word, "toggle") != 0)
		errx(70, "what is %s?", *word);
	for (uint64_t i = number(word[4]); i; i--) {
		tiny_wrmsr(vcpu, (uint32_t)number(word[1]), number(word[2]));
		tiny_wrmsr(vcpu, (uint32_t)number(word[1]), number(word[3]));
	}
	return 5;
}

static void create_vcpus(void)
{
	while (created < nr) {
		tiny_vcpu_new(&vm, &vcpus[created], created, TINY_LONG);
		created++;
	}
}

static int steps(char **word)
{
	int took = 2;

	if (!strcmp(*word, "vcpus")) {
		nr = (unsigned int)number(word[1]);
		if (nr > MAX_VCPUS)
			errx(70, "too many vCPUs");
		create_vcpus();
	} else if (!strcmp(*word, "sleep")) {
		usleep((useconds_t)number(word[1]) * 1000);
	} else if (!strcmp(*word, "await")) {
		printf("waiting\n");
		fflush(stdout);
		while (access(word[1], F_OK) < 0)
			usleep(20000);
	} else {
		for (unsigned int i = 0; i < nr; i++)
			took = step(&vcpus[i], word);
	}
	return took;
}

int main(int argc, char **argv)
{
	const char *why_not = tiny_why_not();

	if (why_not)
		errx(77, "%s", why_not);
	tiny_vm_new(&vm);
	create_vcpus();
	for (argv++; *argv;)
		argv += steps(argv);
	return 0;
}
