// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Observes the VMM's register and state ioctls: writes are compared with the pins, and a
 * state that is taken out (saved or migrated) or loaded as a whole is shown to the agent
 * at once, because the VMM may end right afterwards.
 */
#include <errno.h>
#include <linux/kvm.h>

#include "lib/vm/embed.h"
#include "lib/vm/migration.h"
#include "lib/vm/vm.h"

#include "attach.h"
#include "fds.h"
#include "guest_state.h"
#include "next.h"
#include "session.h"

static void wake_agent(bool news)
{
	int err = errno;

	if (news)
		session_wake();
	errno = err;
}

int guest_state_set_memory_region(int fd, unsigned long request, void *arg)
{
	/* The structs of both requests begin alike: slot, flags, guest_phys_addr, memory_size. */
	const struct kvm_userspace_memory_region *region = arg;
	struct regpin_vm *vm = attach_learn_vm(fd);
	int ret;

	if (vm && region && region->memory_size &&
	    regpin_vm_check_slot(vm, region->slot))
		session_die_refused();
	ret = real_ioctl(fd, request, arg);
	if (!ret && vm && region)
		wake_agent(migration_note_slot(vm, region->slot, region->flags,
					       region->memory_size));
	return ret;
}

int guest_state_write_registers(int fd, unsigned long request, void *arg)
{
	struct regpin_vcpu *vcpu = attach_learn_vcpu(fd);
	int ret, err;

	if (!vcpu)
		return real_ioctl(fd, request, arg);
	regpin_vcpu_before_write(vcpu);
	ret = real_ioctl(fd, request, arg);
	err = errno;
	regpin_vcpu_after_write(vcpu);
	if (request == KVM_SET_MSRS && ret > 0)
		wake_agent(migration_note_written_msrs(vcpu, arg,
						       (unsigned int)ret));
	else
		wake_agent(migration_note_load(vcpu_vm(vcpu)));
	errno = err;
	return ret;
}

int guest_state_get_msrs(int fd, void *arg)
{
	struct regpin_vcpu *vcpu = fds_vcpu(fd);
	int ret = real_ioctl(fd, KVM_GET_MSRS, arg);

	/* KVM_GET_MSRS on /dev/kvm reads feature MSRs, which are not a vCPU's. */
	if (ret > 0 && vcpu)
		wake_agent(
			migration_note_read_msrs(vcpu, arg, (unsigned int)ret));
	return ret;
}

int guest_state_get_regs(int fd, void *arg)
{
	struct regpin_vcpu *vcpu = attach_learn_vcpu(fd);
	int ret = real_ioctl(fd, KVM_GET_REGS, arg);

	if (!ret && vcpu)
		wake_agent(migration_note_read(vcpu, arg));
	return ret;
}

int guest_state_set_regs(int fd, void *arg)
{
	struct regpin_vcpu *vcpu = attach_learn_vcpu(fd);
	int ret = real_ioctl(fd, KVM_SET_REGS, arg);

	if (!ret && vcpu)
		wake_agent(migration_note_written(vcpu, arg));
	return ret;
}
