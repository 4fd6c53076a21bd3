// SPDX-License-Identifier: GPL-2.0-only
/* The shim's record of fds: dup'ed ones, closed ones, and numbers that are used again. */
#include <unistd.h>

#include "lib/policy/registers.h"
#include "lib/ring.h"
#include "tap.h"
#include "tiny_run.h"
#include "vmm_fds.h"

#define KERNEL		0xffffffff81000000ull

struct handoff *handoff;

unsigned int events_of(unsigned int type, struct regpin_event *last)
{
	struct regpin_event event;
	unsigned int nr = 0;

	while (ring_get(&handoff->ring, &event)) {
		if (event.type != type)
			continue;
		nr++;
		if (last)
			*last = event;
	}
	return nr;
}

void boot(struct tiny_vcpu *vcpu)
{
	tiny_wrmsr(vcpu, MSR_EFER, EFER_ON);
	tiny_wrmsr(vcpu, MSR_LSTAR, KERNEL);
	tiny_wrmsr(vcpu, MSR_SFMASK, 0x47700);
}

/* A vCPU behind a dup'ed fd is the same vCPU, even after the first fd is closed. */
static void test_dup(void)
{
	struct tiny_vcpu vcpu, other;
	struct tiny_vm vm;
	int first, vm_dup;

	tiny_vm_new(&vm);
	vm_dup = dup(vm.fd);
	close(vm.fd);
	vm.fd = vm_dup;
	tiny_vcpu_new(&vm, &vcpu, 0, TINY_LONG);
	boot(&vcpu);
	first = vcpu.fd;
	vcpu.fd = dup(first);
	ok(tiny_wrmsr(&vcpu, MSR_EFER, EFER_NX_OFF) == TINY_GP,
	   "a pin holds through a dup'ed vCPU of a dup'ed VM");
	close(first);
	ok(tiny_wrmsr(&vcpu, MSR_EFER, EFER_NX_OFF) == TINY_GP &&
	   !tiny_wrmsr(&vcpu, MSR_SYSENTER_CS, 1),
	   "a pin holds through a dup'ed fd after the first one is closed");
	tiny_vcpu_new(&vm, &other, 1, TINY_LONG);
	ok(other.fd == first, "another vCPU gets the closed fd's number");
	ok(tiny_wrmsr(&vcpu, MSR_EFER, EFER_NX_OFF) == TINY_GP &&
	   !tiny_wrmsr(&vcpu, MSR_SYSENTER_CS, 2),
	   "the dup'ed vCPU is still the first one");
	ok(!tiny_wrmsr(&other, MSR_EFER, EFER_ON) &&
	   !tiny_wrmsr(&other, MSR_EFER, EFER_NX_OFF),
	   "the new vCPU is not armed yet");
	tiny_vcpu_free(&other);
	tiny_vcpu_free(&vcpu);
	tiny_vm_free(&vm);
}

/*
 * The number of a closed VM's fd becomes another VM's, by dup2(): a vCPU is one of the VM
 * that has the fd now. If this one's first fd is closed as well, the shim can only attach
 * the VM again.
 */
static void test_old_number(bool close_first)
{
	struct regpin_event attached = { 0 }, armed = { 0 };
	struct tiny_vm other, closed, vm;
	struct tiny_vcpu vcpu;
	unsigned int nr;
	int first, old;

	tiny_vm_new(&other);
	tiny_vm_new(&closed);
	old = closed.fd;
	tiny_vm_free(&other);
	tiny_vm_free(&closed);
	events_of(REGPIN_EVENT_ATTACHED, NULL);
	tiny_vm_new(&vm);
	events_of(REGPIN_EVENT_ATTACHED, &attached);
	first = vm.fd;
	ok(first != old && dup2(first, old) == old,
	   "a VM has the number of a closed one%s",
	   close_first ? ", and its first fd is closed" : "");
	vm.fd = old;
	if (close_first)
		close(first);
	tiny_vcpu_new(&vm, &vcpu, 0, TINY_LONG);
	boot(&vcpu);
	nr = events_of(REGPIN_EVENT_ARMED, &armed);
	ok(nr == 1 && (close_first ? armed.vm > attached.vm :
				     armed.vm == attached.vm),
	   "its vCPU is of this VM: number %u, attached as %u", armed.vm,
	   attached.vm);
	tiny_vcpu_free(&vcpu);
	tiny_vm_free(&vm);
	if (!close_first)
		close(first);
}

void test_fds(void)
{
	test_dup();
	test_old_number(false);
	test_old_number(true);
}
