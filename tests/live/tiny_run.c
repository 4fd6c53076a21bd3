// SPDX-License-Identifier: GPL-2.0-only
/* The tiny VMM runs its vCPUs: KVM_RUN, kicks, and one instruction of the guest at a time. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/kvm/retract.h"
#include "lib/vm/types.h"
#include "tiny_run.h"

#define STACKS	0x100000u	/* 64 KiB for each vCPU */

/* The vCPU that this thread runs, for the signal handler. */
static __thread struct regpin_vcpu *volatile running;
static __thread volatile sig_atomic_t kicked;

static void on_kick(int number)
{
	(void)number;
	if (!running)
		return;
	kicked = 1;
	vcpu_request_exit(running->io.run);
}

void tiny_kick_begin(void)
{
	struct sigaction act = { .sa_handler = on_kick,
				 .sa_flags = SA_RESTART };

	tiny_must(!sigaction(SIGUSR1, &act, NULL));
}

void tiny_kick(void *context, struct regpin_vcpu *vcpu)
{
	int thread = atomic_load(&vcpu->wake.runner);

	(void)context;
	if (thread)
		syscall(SYS_tgkill, getpid(), thread, SIGUSR1);
}

/* Was it the test's own kick? Then the vCPU must only look at itself. */
static bool was_kicked(struct regpin_vcpu *regpin)
{
	if (!kicked)
		return false;
	kicked = 0;
	vcpu_cancel_exit(regpin->io.run);
	return true;
}

static int run_regpin(struct tiny_vcpu *vcpu)
{
	struct regpin_vcpu *regpin = vcpu->regpin;

	for (;;) {
		int entry = regpin_vcpu_enter(regpin);

		if (entry == REGPIN_HELD || entry == REGPIN_STOPPED)
			return entry == REGPIN_HELD ? TINY_HELD : TINY_STOPPED;
		if (entry == REGPIN_ENTER && ioctl(vcpu->fd, KVM_RUN, 0)) {
			int err = errno;

			regpin_vcpu_leave(regpin);
			if (err == EINTR && was_kicked(regpin))
				continue;
			return -err;
		}
		if (!regpin_vcpu_exit(regpin))
			return 0;
	}
}

int tiny_run(struct tiny_vcpu *vcpu)
{
	int ret;

	if (!vcpu->regpin)
		return ioctl(vcpu->fd, KVM_RUN, 0) ? -errno : 0;
	running = vcpu->regpin;
	atomic_store(&vcpu->regpin->wake.runner, gettid());
	ret = run_regpin(vcpu);
	atomic_store(&vcpu->regpin->wake.runner, 0);
	running = NULL;
	/* A signal that came when the guest left KVM_RUN anyway. */
	was_kicked(vcpu->regpin);
	return ret;
}

void tiny_prepare(struct tiny_vcpu *vcpu, uint32_t at, uint32_t index,
		  uint64_t value)
{
	struct kvm_regs regs = {
		.rip = at, .rflags = 2, .rcx = index,
		.rax = (uint32_t)value, .rdx = value >> 32,
		.rsp = STACKS + (vcpu->id + 1) * 0x10000u - 16,
	};

	if (vcpu->mode == TINY_REAL)
		regs.rsp = 0xff00;
	tiny_must(ioctl(vcpu->fd, KVM_SET_REGS, &regs) == 0);
}

/* Was it #GP(0)? Real mode has no error codes. */
static bool gp_was_0(const struct tiny_vcpu *vcpu, const struct kvm_regs *regs)
{
	const uint32_t zero = 0;

	return vcpu->mode == TINY_REAL ||
	       !memcmp(vcpu->vm->memory + regs->rsp, &zero, sizeof(zero));
}

int tiny_outcome(struct tiny_vcpu *vcpu, uint32_t at)
{
	struct kvm_regs regs;

	if (vcpu->run->exit_reason != KVM_EXIT_HLT)
		return TINY_EXIT;
	tiny_must(ioctl(vcpu->fd, KVM_GET_REGS, &regs) == 0);
	/* After the HLT: the instructions here have two or three bytes. */
	if (regs.rip == at + 3 || regs.rip == at + 4)
		return 0;
	if (regs.rip == TINY_HANDLER + 1 && gp_was_0(vcpu, &regs))
		return TINY_GP;
	return TINY_EXIT;
}

int tiny_wrmsr(struct tiny_vcpu *vcpu, uint32_t index, uint64_t value)
{
	int ret;

	tiny_prepare(vcpu, TINY_WRMSR, index, value);
	ret = tiny_run(vcpu);
	return ret ? ret : tiny_outcome(vcpu, TINY_WRMSR);
}

int tiny_rdmsr(struct tiny_vcpu *vcpu, uint32_t index, uint64_t *value)
{
	struct kvm_regs regs;
	int ret;

	tiny_prepare(vcpu, TINY_RDMSR, index, 0);
	ret = tiny_run(vcpu);
	if (!ret)
		ret = tiny_outcome(vcpu, TINY_RDMSR);
	if (ret)
		return ret;
	tiny_must(ioctl(vcpu->fd, KVM_GET_REGS, &regs) == 0);
	*value = (uint32_t)regs.rax | regs.rdx << 32;
	return 0;
}

int tiny_mov_cr(struct tiny_vcpu *vcpu, unsigned int cr, uint64_t value)
{
	const uint32_t at = cr == 0 ? TINY_CR0 : TINY_CR4;
	struct kvm_regs regs;
	int ret;

	tiny_prepare(vcpu, at, 0, 0);
	tiny_must(ioctl(vcpu->fd, KVM_GET_REGS, &regs) == 0);
	regs.rax = value;
	tiny_must(ioctl(vcpu->fd, KVM_SET_REGS, &regs) == 0);
	ret = tiny_run(vcpu);
	return ret ? ret : tiny_outcome(vcpu, at);
}
