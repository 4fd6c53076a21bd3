// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VMM that changes the handling of all real-time signals once its vCPU runs, as language
 * runtimes do, and a guest that then clears CR0.WP and never exits:
 *
 *	sigvmm keep|take|ignore|block|mask
 *
 * "keep" does nothing, "take" installs a handler, "ignore" ignores them, "block" blocks
 * them in the vCPU's thread, "mask" gives KVM_RUN a signal mask that blocks them, as QEMU
 * does. The guest is interrupted twice, and entered again. Prints "own N",
 * the number of its own signals that the VMM's handler got.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "lib/policy/registers.h"
#include "tiny_run.h"

#define CR0_WP	(1u << 16)
#define SLICES	2
#define SLICE_S	2
#define OWN	5	/* signals of its own */

static pthread_t vcpu_thread;
static struct kvm_run *volatile run;
static volatile sig_atomic_t own, done;

static void on_any(int number)
{
	(void)number;
	own++;
}

/* Also interrupts if the signal comes just before KVM_RUN, as every VMM does. */
static void on_alarm(int number)
{
	(void)number;
	run->immediate_exit = 1;
}

static void all_signals(void (*handler)(int))
{
	struct sigaction act = { .sa_handler = handler };

	for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
		sigaction(number, &act, NULL);
}

static void block(void)
{
	sigset_t set;

	sigfillset(&set);
	sigdelset(&set, SIGUSR1);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
}

static int mask(struct tiny_vcpu *vcpu)
{
	struct {
		struct kvm_signal_mask header;
		unsigned char set[8];
	} arg = { .header.len = 8 };

	memset(arg.header.sigset, 0xff, 8);
	arg.header.sigset[(SIGUSR1 - 1) / 8] &=
		(unsigned char)~(1u << (SIGUSR1 - 1) % 8);
	return ioctl(vcpu->fd, KVM_SET_SIGNAL_MASK, &arg);
}

static void meddle(const char *how, struct tiny_vcpu *vcpu)
{
	if (!strcmp(how, "take"))
		all_signals(on_any);
	else if (!strcmp(how, "ignore"))
		all_signals(SIG_IGN);
	else if (!strcmp(how, "block"))
		block();
	else if (!strcmp(how, "mask") && mask(vcpu))
		perror("KVM_SET_SIGNAL_MASK");
}

/* Interrupts the vCPU's thread, as a VMM does to stop it, and sends signals of its own. */
static void *interrupt(void *unused)
{
	const struct timespec slice = { SLICE_S, 0 };

	for (int i = 0; i < SLICES; i++) {
		nanosleep(&slice, NULL);
		/* Signals of regpin came here until it had its handler back. */
		own = i ? own : 0;
		for (int n = 0; !i && n < OWN; n++)
			pthread_kill(pthread_self(), SIGRTMAX);
		done = i == SLICES - 1;
		pthread_kill(vcpu_thread, SIGUSR1);
	}
	return unused;
}

int main(int argc, char **argv)
{
	/* mov %cr0, %rax; btr $16, %eax; mov %rax, %cr0; jmp . */
	static const unsigned char code[] = {
		0x0f, 0x20, 0xc0, 0x0f, 0xba, 0xf0, 0x10, 0x0f, 0x22, 0xc0,
		0xeb, 0xfe,
	};
	struct sigaction act = { .sa_handler = on_alarm };
	struct kvm_sregs sregs;
	struct tiny_vcpu vcpu;
	struct tiny_vm vm;
	pthread_t thread;

	if (argc != 2)
		return 2;
	sigaction(SIGUSR1, &act, NULL);
	vcpu_thread = pthread_self();
	tiny_vm_new(&vm);
	tiny_vcpu_new(&vm, &vcpu, 0, TINY_LONG);
	run = vcpu.run;
	tiny_get_sregs(&vcpu, &sregs);
	tiny_mov_cr(&vcpu, 0, sregs.cr0 | CR0_WP);
	tiny_wrmsr(&vcpu, MSR_LSTAR, 0xffffffff81000000ull);
	tiny_wrmsr(&vcpu, MSR_SFMASK, 0x700);
	memcpy(vm.memory + TINY_CODE, code, sizeof(code));
	pthread_create(&thread, NULL, interrupt, NULL);
	meddle(argv[1], &vcpu);
	tiny_prepare(&vcpu, TINY_CODE, 0, 0);
	while (!done && ioctl(vcpu.fd, KVM_RUN, 0) < 0)
		run->immediate_exit = 0;
	pthread_join(thread, NULL);
	printf("own %d\n", (int)own);
	return 0;
}
