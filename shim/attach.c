// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Puts VMs and vCPUs under the policy: when the VMM creates them, or when it first uses an
 * fd that it got in another way.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/vm/embed.h"
#include "lib/vm/vm.h"

#include "attach.h"
#include "control.h"
#include "fds.h"
#include "kick.h"
#include "next.h"
#include "session.h"

static void handle_event(void *context, const struct regpin_event *event)
{
	if (session_filter_event(event))
		session_send_event(event);
}

static void check_fd(int fd)
{
	if (fd >= FDS_MAX)
		session_die_text("the VMM has more than 65,536 open files, and regpin cannot track more");
}

static struct regpin_vm *attach_vm(int kvm_fd, int vm_fd)
{
	struct regpin_vm_options options = {
		.size = sizeof(options),
		.event = handle_event,
		.kick = kick_vcpu,
	};
	struct regpin_vm *vm;
	int ret;

	session_join(vm_fd);
	check_fd(vm_fd);
	kick_init();
	options.vm = session_next_number();
	control_lock();
	ret = regpin_vm_attach(session_policy(), kvm_fd, vm_fd, &options, &vm);
	if (ret == -E2BIG)
		session_die(REGPIN_REFUSED_FILTER);
	if (ret == -EPERM)
		session_die(REGPIN_REFUSED_CONFIDENTIAL);
	if (ret)
		session_die(REGPIN_REFUSED_HOST);
	/* A VM that had this fd before was closed; vm_list.c drops it. */
	fds_set_vm(vm_fd, vm);
	if (!control_add_vm(session_control(), session_handoff(), vm,
			    options.vm))
		session_die_text("the VMM has 64 VMs open already, which is the limit; close some, or start further VMs in other processes");
	control_unlock();
	session_count_vm();
	return vm;
}

void attach_created_vm(int kvm_fd, int vm_fd)
{
	int err = errno;

	control_lock();
	fds_sweep();
	control_unlock();
	if (!fds_run_size()) {
		int size = real_ioctl(kvm_fd, KVM_GET_VCPU_MMAP_SIZE, NULL);

		if (size <= 0)
			session_die(REGPIN_REFUSED_HOST);
		fds_set_run_size((size_t)size);
	}
	attach_vm(kvm_fd, vm_fd);
	errno = err;
}

void attach_created_vcpu(struct regpin_vm *vm, int vcpu_fd, uint32_t id)
{
	struct regpin_vcpu *vcpu;
	struct kvm_run *run;
	int err = errno;

	check_fd(vcpu_fd);
	control_lock();
	fds_drop_vcpu(vcpu_fd);
	control_unlock();
	run = mmap(NULL, fds_run_size(), PROT_READ | PROT_WRITE,
		   MAP_SHARED, vcpu_fd, 0);
	if (run == MAP_FAILED ||
	    regpin_vcpu_attach(vm, vcpu_fd, id, run, &vcpu))
		session_die_text("out of memory for a vCPU's state");
	fds_set_run(vcpu_fd, vcpu, run);
	fds_set_vcpu(vcpu_fd, vcpu);
	errno = err;
}

struct regpin_vm *attach_learn_vm(int fd)
{
	struct regpin_vm *vm = fds_vm(fd);
	int err = errno, kvm_fd;
	enum fds_answer is_vm;

	if (vm)
		goto out;
	is_vm = fds_is_vm(fd);
	if (is_vm == FDS_NO)
		goto out;
	check_fd(fd);
	vm = fds_known_vm(fd);
	if (vm) {
		fds_set_vm(fd, vm);
		goto out;
	}
	/* The ioctl that led here is only for VMs, so the fd must be one. */
	if (is_vm == FDS_UNKNOWN)
		session_die(REGPIN_REFUSED_FD);
	/* Another process created the VM, but its vCPUs are created here. */
	kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm_fd < 0)
		session_die(REGPIN_REFUSED_FD);
	session_begin_vm();
	attach_created_vm(kvm_fd, fd);
	session_end_vm();
	close(kvm_fd);
	vm = fds_vm(fd);
out:
	errno = err;
	return vm;
}

struct regpin_vcpu *attach_learn_vcpu(int fd)
{
	struct regpin_vcpu *vcpu = fds_vcpu(fd);
	int err = errno;

	if (vcpu)
		vcpu_io(vcpu)->fd = fd;
	if (vcpu || fds_is_vcpu(fd) == FDS_NO)
		goto out;
	check_fd(fd);
	vcpu = fds_known_vcpu(fd);
	if (!vcpu)
		session_die(REGPIN_REFUSED_FD);
	vcpu_io(vcpu)->fd = fd;
	fds_set_vcpu(fd, vcpu);
out:
	errno = err;
	return vcpu;
}
