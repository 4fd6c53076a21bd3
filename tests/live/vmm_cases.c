// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VMM with an MSR filter of its own. Under the shim the policy pins EFER.NXE and
 * LSTAR; the observations here concern neither, and must be the same with and without
 * it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "regpin/kvm_cr_filter.h"
#include "tiny_run.h"
#include "vmm_cases.h"

#define FILTER	KVM_MSR_EXIT_REASON_FILTER
#define UNKNOWN	KVM_MSR_EXIT_REASON_UNKNOWN
#define INVAL	KVM_MSR_EXIT_REASON_INVAL
#define RW	(KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE)
#define STAR	0xc0000081u
#define LSTAR	0xc0000082u
#define CSTAR	0xc0000083u
#define NONE	0x12345678u	/* no CPU has it */

static uint8_t none[KVM_MSR_FILTER_MAX_BITMAP_SIZE];

static int set_mask(struct tiny_vm *vm, uint64_t mask)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_X86_USER_SPACE_MSR,
				      .args = { mask } };

	return ioctl(vm->fd, KVM_ENABLE_CAP, &cap) ? -errno : 0;
}

static int set_filter(struct tiny_vm *vm, uint32_t base, uint32_t nmsrs,
		      uint32_t flags)
{
	struct kvm_msr_filter filter = {
		.flags = flags,
		.ranges[0] = { .flags = RW, .base = base, .nmsrs = nmsrs,
			       .bitmap = none },
	};

	return ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &filter) ? -errno : 0;
}

/* One access and everything that the VMM sees of it; an exit is answered by #GP. */
static void observe(const char *what, struct tiny_vcpu *vcpu, uint32_t index,
		    bool write)
{
	struct kvm_run *run = vcpu->run;
	uint64_t value = 0;
	int ret = write ? tiny_wrmsr(vcpu, index, 0x5) :
			  tiny_rdmsr(vcpu, index, &value);

	printf("%s: %s 0x%x: %d value 0x%" PRIx64 " exit %u", what,
	       write ? "write" : "read", index, ret, value,
	       run->exit_reason);
	if (ret == TINY_EXIT) {
		printf(" reason %u index 0x%x data 0x%llx",
		       (unsigned int)run->msr.reason, run->msr.index,
		       write ? run->msr.data : 0ull);
		run->msr.error = 1;
		ret = tiny_run(vcpu);
		printf(" then %d exit %u, %d", ret, run->exit_reason,
		       tiny_outcome(vcpu, write ? TINY_WRMSR : TINY_RDMSR));
	}
	printf("\n");
}

static void observe_all(const char *what, struct tiny_vcpu *vcpu)
{
	static const uint32_t indices[] = { STAR, CSTAR, NONE, 0x277, 0x1b };

	for (size_t i = 0; i < sizeof(indices) / sizeof(indices[0]); i++) {
		if (indices[i] != 0x1b)
			observe(what, vcpu, indices[i], true);
		observe(what, vcpu, indices[i], false);
	}
	/* Not canonical, so invalid; no filter concerns it. */
	printf("%s: invalid: %d\n", what, tiny_wrmsr(vcpu, 0xc0000100,
						     1ull << 60));
	if (vcpu->run->exit_reason != KVM_EXIT_HLT) {
		printf("reason %u\n", (unsigned int)vcpu->run->msr.reason);
		vcpu->run->msr.error = 1;
		tiny_run(vcpu);
	}
}

static void observe_filters(void)
{
	struct tiny_vcpu vcpu;
	struct tiny_vm vm;

	tiny_vm_new(&vm);
	tiny_vcpu_new(&vm, &vcpu, 0, TINY_LONG);
	observe_all("nothing", &vcpu);
	printf("filter: %d\n", set_filter(&vm, STAR, 1, 0));
	observe_all("filter without exits", &vcpu);
	printf("mask: %d\n", set_mask(&vm, FILTER));
	observe_all("filter with exits", &vcpu);
	printf("mask: %d\n", set_mask(&vm, FILTER | UNKNOWN | INVAL));
	observe_all("all reasons", &vcpu);
	printf("mask: %d\n", set_mask(&vm, UNKNOWN));
	observe_all("unknown only", &vcpu);
	printf("mask: %d\n", set_mask(&vm, 1 << 5));
	observe_all("a wrong mask", &vcpu);
	printf("mask: %d filter: %d\n", set_mask(&vm, FILTER),
	       set_filter(&vm, CSTAR, 1, 0));
	observe_all("replaced", &vcpu);
	printf("filter: %d\n", set_filter(&vm, CSTAR, 1, 4));
	observe_all("a wrong one", &vcpu);
	printf("filter: %d\n", set_filter(&vm, 0, 0, 0));
	observe_all("removed", &vcpu);
	printf("filter: %d\n", set_filter(&vm, 0, 0, 1));
	printf("filter: %d\n", set_filter(&vm, 0, 12289, 0));
	printf("filter: %d\n", ioctl(vm.fd, KVM_X86_SET_MSR_FILTER, NULL) ?
	       errno : 0);
	printf("filter: %d\n", set_filter(&vm, 0x174, 3, 1));
	observe_all("denied by default", &vcpu);
	tiny_vcpu_free(&vcpu);
	tiny_vm_free(&vm);
}

/* Two VMs do not share filters. */
static void observe_two(void)
{
	struct tiny_vcpu a, b;
	struct tiny_vm one, two;

	tiny_vm_new(&one);
	tiny_vm_new(&two);
	tiny_vcpu_new(&one, &a, 0, TINY_LONG);
	tiny_vcpu_new(&two, &b, 0, TINY_LONG);
	printf("filter: %d mask: %d\n", set_filter(&one, STAR, 1, 0),
	       set_mask(&one, FILTER));
	observe("first VM", &a, STAR, true);
	observe("second VM", &b, STAR, true);
	tiny_vcpu_free(&a);
	tiny_vcpu_free(&b);
	tiny_vm_free(&one);
	tiny_vm_free(&two);
}

/* A child has the fds but not the memory: KVM refuses it, with and without the shim. */
static void observe_fork(void)
{
	struct tiny_vcpu vcpu;
	struct tiny_vm vm;
	int status;
	pid_t pid;

	tiny_vm_new(&vm);
	tiny_vcpu_new(&vm, &vcpu, 0, TINY_LONG);
	observe("before the fork", &vcpu, STAR, true);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		tiny_run(&vcpu);
		_exit(ioctl(vcpu.fd, KVM_RUN, 0) ? errno : 0);
	}
	waitpid(pid, &status, 0);
	printf("the child's KVM_RUN: %d\n",
	       WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	observe("the parent goes on", &vcpu, STAR, false);
	tiny_vcpu_free(&vcpu);
	tiny_vm_free(&vm);
}

/* Fds that are neither a VM nor a vCPU, and requests that KVM refuses. */
static void observe_errors(void)
{
	struct tiny_vm vm;
	int fds[2];

	tiny_vm_new(&vm);
	if (pipe(fds))
		return;
	errno = 0;
	printf("KVM_RUN on a pipe: %d %d\n", ioctl(fds[0], KVM_RUN, 0), errno);
	printf("KVM_RUN on -1: %d %d\n", ioctl(-1, KVM_RUN, 0), errno);
	printf("KVM_RUN on a VM: %d %d\n", ioctl(vm.fd, KVM_RUN, 0), errno);
	printf("KVM_SET_MSRS on a pipe: %d %d\n",
	       ioctl(fds[0], KVM_SET_MSRS, 0), errno);
	printf("KVM_CREATE_VCPU on /dev/kvm: %d %d\n",
	       ioctl(vm.kvm, KVM_CREATE_VCPU, 0), errno);
	printf("KVM_CREATE_VM of no type: %d %d\n",
	       ioctl(vm.kvm, KVM_CREATE_VM, 999), errno);
	printf("KVM_CREATE_VCPU 70000: %d\n",
	       ioctl(vm.fd, KVM_CREATE_VCPU, 70000) < 0 ? errno : 0);
	printf("FIONREAD: %d\n", ioctl(fds[0], 0x541b, &fds[1]));
	tiny_vm_free(&vm);
	close(fds[0]);
}

static void print_request(const char *what, int fd, unsigned long request,
			  void *arg)
{
	int ret = ioctl(fd, request, arg);

	printf("%s: %d\n", what, ret < 0 ? -errno : ret);
}

/* Requests that the shim reads before it passes them on: KVM's answer reaches the VMM. */
static void observe_requests(void)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_EXIT_HYPERCALL };
	struct {
		struct kvm_signal_mask header;
		unsigned char set[8];
	} mask = { .header.len = sizeof(mask.set) };
	struct {
		struct kvm_cpuid header;
		struct kvm_cpuid_entry entries[1];
	} old = { .header.nent = 1, .entries[0] = { .eax = 1, .ebx = 2 } };
	struct tiny_vcpu vcpu;
	struct tiny_vm vm;

	tiny_vm_new(&vm);
	cap.args[0] = (unsigned int)ioctl(vm.fd, KVM_CHECK_EXTENSION,
					  KVM_CAP_EXIT_HYPERCALL);
	print_request("hypercalls", vm.fd, KVM_ENABLE_CAP, &cap);
	cap.args[0] = 1ull << 63;
	print_request("unknown hypercalls", vm.fd, KVM_ENABLE_CAP, &cap);
	print_request("hypercalls of /dev/kvm", vm.kvm, KVM_ENABLE_CAP, &cap);
	cap.cap = KVM_CAP_DISABLE_QUIRKS2;
	print_request("unknown quirks", vm.fd, KVM_ENABLE_CAP, &cap);
	cap.args[0] = 0;
	print_request("no quirks", vm.fd, KVM_ENABLE_CAP, &cap);
	cap.flags = 1;
	print_request("a flag", vm.fd, KVM_ENABLE_CAP, &cap);
	print_request("no capability", vm.fd, KVM_ENABLE_CAP, NULL);
	print_request("is memory encrypted", vm.fd, KVM_MEMORY_ENCRYPT_OP, NULL);
	/* Under a KVM with the CR filter the policy has one, and the shim refuses the VMM's. */
	if (ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_X86_CR_FILTER) <= 0)
		print_request("a CR filter", vm.fd, KVM_X86_SET_CR_FILTER, NULL);
	tiny_vcpu_new(&vm, &vcpu, 0, TINY_LONG);
	print_request("a mask of signals", vcpu.fd, KVM_SET_SIGNAL_MASK, &mask);
	observe("under the mask", &vcpu, STAR, true);
	mask.header.len = 4;
	print_request("a short mask", vcpu.fd, KVM_SET_SIGNAL_MASK, &mask);
	print_request("no mask", vcpu.fd, KVM_SET_SIGNAL_MASK, NULL);
	observe("without a mask", &vcpu, STAR, false);
	print_request("a mask for a VM", vm.fd, KVM_SET_SIGNAL_MASK, NULL);
	/* The vCPU has run with another CPUID, so this is refused. */
	print_request("another CPUID", vcpu.fd, KVM_SET_CPUID, &old);
	tiny_vcpu_free(&vcpu);
	vcpu.fd = ioctl(vm.fd, KVM_CREATE_VCPU, 1);
	print_request("the old CPUID", vcpu.fd, KVM_SET_CPUID, &old);
	print_request("CPUID of a VM", vm.fd, KVM_SET_CPUID, &old);
	close(vcpu.fd);
	tiny_vm_free(&vm);
}

void vmm_observe(void)
{
	observe_filters();
	observe_two();
	observe_fork();
	observe_errors();
	observe_requests();
}
