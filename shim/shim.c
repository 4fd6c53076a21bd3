// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The shim's only hook: ioctl(2) of an unmodified VMM. It dispatches on KVM's request
 * numbers, and calls the library.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "attach.h"
#include "fds.h"
#include "guest_state.h"
#include "hot.h"
#include "kick.h"
#include "lib/kvm/retract.h"
#include "lib/kvm/uapi.h"
#include "lib/vm/embed.h"
#include "next.h"
#include "session.h"

/*
 * Callers see ioctl(2) as variadic. A definition that is variadic would store all registers
 * that may hold an argument, on each of the guest's exits.
 */
__attribute__((visibility("default"))) int
ioctl_hook(int fd, unsigned long request, void *arg) __asm__("ioctl");

/* Header files of Debian 12 are older than this request. */
#ifndef KVM_SET_USER_MEMORY_REGION2
#define KVM_SET_USER_MEMORY_REGION2 _IOC(_IOC_WRITE, KVMIO, 0x49, 160)
#endif

/* The library returns 0 or -errno; the VMM expects -1 and errno. */
static int to_errno(int ret)
{
	if (!ret)
		return 0;
	errno = -ret;
	return -1;
}

/* The first KVM_RUN with this fd, or one of a VM without a policy. */
static COLD int run_unknown_fd(int fd, void *arg)
{
	if (!attach_learn_vcpu(fd))
		return real_ioctl(fd, KVM_RUN, arg);
	return ioctl_hook(fd, KVM_RUN, arg);
}

#define HELD_MS		10
#define BARRED_STILL	1	/* a value that KVM_RUN never returns */

/*
 * Does the VMM want its vCPU's thread back? It does if it has set immediate_exit, or has
 * sent a signal that ended the sleep or one that only KVM_RUN's mask would let through.
 */
static bool vmm_wants_thread(struct regpin_vcpu *vcpu, bool interrupted)
{
	return vcpu_io(vcpu)->run->immediate_exit || kick_is_signal_pending() ||
	       (interrupted && !kick_undo(vcpu));
}

/*
 * The vCPU may not enter: sleeps for a moment, and returns BARRED_STILL. If the VMM wants
 * the thread back (to stop, save or end the VM), fails with EINTR like an interrupted
 * KVM_RUN.
 */
static COLD int run_barred(struct regpin_vcpu *vcpu, int entry)
{
	const struct timespec nap = { 0, HELD_MS * 1000000L };
	struct kvm_run *run = vcpu_io(vcpu)->run;
	bool interrupted;

	kick_undo(vcpu);
	if (vmm_wants_thread(vcpu, false)) {
		errno = EINTR;
		return -1;
	}
	interrupted = nanosleep(&nap, NULL) != 0;
	if (entry == REGPIN_STOPPED && vcpu_reports_stop(vcpu)) {
		run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
		memset(&run->system_event, 0, sizeof(run->system_event));
		run->system_event.type = KVM_SYSTEM_EVENT_CRASH;
		return 0;
	}
	if (!vmm_wants_thread(vcpu, interrupted))
		return BARRED_STILL;
	errno = EINTR;
	return -1;
}

static inline int enter_and_run(struct regpin_vcpu *vcpu, void *arg)
{
	int entry = regpin_vcpu_enter(vcpu);

	if (!LIKELY(entry == REGPIN_ENTER))
		return entry == REGPIN_EXITED ? 0 : run_barred(vcpu, entry);
	kick_set_timer(vcpu, regpin_vcpu_tick_ms(vcpu));
	return real_ioctl(vcpu_io(vcpu)->fd, KVM_RUN, arg);
}

/*
 * Was KVM_RUN interrupted by a kick of regpin's alone? A kick counts only while its
 * immediate_exit is set: a kick during the completion of an exit has been handled there,
 * and an EINTR after it is the VMM's.
 */
static bool was_only_kicked(struct regpin_vcpu *vcpu, int ret)
{
	bool soon = vcpu_io(vcpu)->run->immediate_exit == EXIT_SOON;

	if (ret == BARRED_STILL)
		return true;
	return ret && errno == EINTR && kick_undo(vcpu) && soon &&
	       !vcpu_io(vcpu)->run->immediate_exit;
}

/* Handles an exit that may be regpin's, and runs the vCPU until an exit is the VMM's. */
static COLD int handle_exits(struct regpin_vcpu *vcpu, int ret)
{
	while (ret ? was_only_kicked(vcpu, ret) : regpin_vcpu_exit(vcpu))
		/* KVM_RUN takes no argument; with one, the first call would have failed. */
		ret = enter_and_run(vcpu, NULL);
	if (ret) {
		int err = errno;

		regpin_vcpu_leave(vcpu);
		errno = err;
	}
	return ret;
}

static inline bool may_be_ours(const struct kvm_run *run)
{
	const uint64_t ours = 1ull << KVM_EXIT_X86_RDMSR |
			      1ull << KVM_EXIT_X86_WRMSR |
			      1ull << KVM_EXIT_HYPERCALL |
			      1ull << KVM_EXIT_SHUTDOWN;
	uint32_t reason = run->exit_reason;

	return reason < 64 ? ours >> reason & 1 :
			     reason == KVM_EXIT_X86_CR_WRITE;
}

/*
 * Each exit of the guest passes here, and most are not regpin's. So there are few
 * instructions, and only one register to save.
 */
static inline int run_vcpu(int fd, void *arg)
{
	struct regpin_vcpu *vcpu = fds_vcpu(fd);
	int ret;

	if (!LIKELY(vcpu))
		return run_unknown_fd(fd, arg);
	/* The VMM may have duplicated the vCPU's fd: the fd in use is surely open. */
	vcpu_io(vcpu)->fd = fd;
	if (!LIKELY(kick_is_runner(vcpu)))
		kick_set_runner(vcpu);
	kick_running = 1;
	ret = enter_and_run(vcpu, arg);
	if (!LIKELY(!ret && !may_be_ours(vcpu_io(vcpu)->run)))
		ret = handle_exits(vcpu, ret);
	else
		regpin_vcpu_leave(vcpu);
	kick_running = 0;
	return ret;
}

#define LAST_VM_TYPE	5u	/* KVM_X86_TDX_VM, of Linux 7.3 */

static int create_vm(int fd, void *arg)
{
	uintptr_t type = (uintptr_t)arg;
	bool refused = regpin_check_vm_type(type) != 0;
	int ret;

	if (refused && type <= LAST_VM_TYPE)
		session_die(REGPIN_REFUSED_CONFIDENTIAL);
	session_begin_vm();
	ret = real_ioctl(fd, KVM_CREATE_VM, arg);
	/* If KVM does not know the type either, the VMM gets KVM's error. */
	if (ret >= 0 && refused)
		session_die(REGPIN_REFUSED_CONFIDENTIAL);
	if (ret >= 0)
		attach_created_vm(fd, ret);
	session_end_vm();
	return ret;
}

static int create_vcpu(int fd, void *arg)
{
	struct regpin_vm *vm = attach_learn_vm(fd);
	int ret = real_ioctl(fd, KVM_CREATE_VCPU, arg);

	if (ret >= 0 && vm)
		attach_created_vcpu(vm, ret, (uint32_t)(uintptr_t)arg);
	return ret;
}

static int disable_quirks(struct regpin_vm *vm, int fd,
			  const struct kvm_enable_cap *cap)
{
	int ret = real_ioctl(fd, KVM_ENABLE_CAP, (void *)cap);

	if (!ret)
		regpin_vm_disabled_quirks(vm, cap->args[0]);
	return ret;
}

/* Does the shim handle this capability? Others may be for a vCPU's fd. */
static bool cap_is_of_vm(uint32_t cap)
{
	return cap == KVM_CAP_X86_USER_SPACE_MSR ||
	       cap == KVM_CAP_EXIT_HYPERCALL ||
	       cap == KVM_CAP_DISABLE_QUIRKS || cap == KVM_CAP_DISABLE_QUIRKS2 ||
	       cap == KVM_CAP_VM_COPY_ENC_CONTEXT_FROM ||
	       cap == KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM;
}

static int enable_cap(int fd, void *arg)
{
	const struct kvm_enable_cap *cap = arg;
	struct regpin_vm *vm;

	if (!cap || cap->flags || !cap_is_of_vm(cap->cap))
		return real_ioctl(fd, KVM_ENABLE_CAP, arg);
	vm = attach_learn_vm(fd);
	if (!vm)
		return real_ioctl(fd, KVM_ENABLE_CAP, arg);
	if (regpin_vm_check_cap(vm, cap->cap))
		session_die_refused();
	if (cap->cap == KVM_CAP_EXIT_HYPERCALL)
		return to_errno(regpin_vm_set_hypercalls(vm, cap->args[0]));
	if (cap->cap == KVM_CAP_X86_USER_SPACE_MSR)
		return to_errno(regpin_vm_set_user_msr(vm, cap->args[0]));
	return disable_quirks(vm, fd, cap);
}

static int encrypt_op(int fd, void *arg)
{
	struct regpin_vm *vm = attach_learn_vm(fd);

	if (vm && regpin_vm_check_encrypt_op(vm, arg))
		session_die_refused();
	return real_ioctl(fd, KVM_MEMORY_ENCRYPT_OP, arg);
}

static int set_msr_filter(int fd, void *arg)
{
	struct regpin_vm *vm = attach_learn_vm(fd);
	int ret;

	if (!vm || !arg)
		return real_ioctl(fd, KVM_X86_SET_MSR_FILTER, arg);
	ret = regpin_vm_set_msr_filter(vm, arg);
	if (ret == -E2BIG)
		session_die_overflow(vm);
	return to_errno(ret);
}

/* The older struct has no subleaves; the library reads only a few leaves. */
static void cpuid_from_old(const struct kvm_cpuid *old, struct kvm_cpuid2 *new)
{
	new->nent = old->nent < KVM_MAX_CPUID_ENTRIES ?
			    old->nent : KVM_MAX_CPUID_ENTRIES;
	for (uint32_t i = 0; i < new->nent; i++) {
		const struct kvm_cpuid_entry *e = &old->entries[i];

		new->entries[i] = (struct kvm_cpuid_entry2){
			.function = e->function, .eax = e->eax,
			.ebx = e->ebx, .ecx = e->ecx, .edx = e->edx,
		};
	}
}

static int set_cpuid(int fd, unsigned long request, void *arg)
{
	union {
		struct kvm_cpuid2 header;
		char room[sizeof(struct kvm_cpuid2) +
			  KVM_MAX_CPUID_ENTRIES * sizeof(struct kvm_cpuid_entry2)];
	} copy;
	const struct kvm_cpuid2 *cpuid = arg;
	struct regpin_vcpu *vcpu = attach_learn_vcpu(fd);
	int ret = real_ioctl(fd, request, arg);

	if (ret || !vcpu)
		return ret;
	if (request == KVM_SET_CPUID) {
		cpuid_from_old(arg, &copy.header);
		cpuid = &copy.header;
	}
	if (regpin_vcpu_set_cpuid(vcpu, cpuid))
		session_die_refused();
	return 0;
}

/* Refuses a CR filter of the VMM's own, which would replace the policy's. */
static int set_cr_filter(int fd, void *arg)
{
	struct regpin_vm *vm = attach_learn_vm(fd);

	if (!vm || !vm_has_cr_filter(vm))
		return real_ioctl(fd, KVM_X86_SET_CR_FILTER, arg);
	errno = EBUSY;
	return -1;
}

#define KERNEL_SIGSET	8

/* Sets the signals that KVM_RUN blocks, without regpin's. */
static int set_signal_mask(int fd, void *arg)
{
	struct {
		struct kvm_signal_mask header;
		unsigned char set[KERNEL_SIGSET];
	} copy;
	const struct kvm_signal_mask *mask = arg;
	int bit = kick_signal_number() - 1;

	struct regpin_vcpu *vcpu = attach_learn_vcpu(fd);

	if (vcpu && !mask)
		atomic_store(&vcpu_reach(vcpu)->vmm_mask, false);
	if (!mask || mask->len != KERNEL_SIGSET || bit < 0 || !vcpu)
		return real_ioctl(fd, KVM_SET_SIGNAL_MASK, arg);
	atomic_store(&vcpu_reach(vcpu)->vmm_mask, true);
	/* run_barred() looks for signals that this mask would let through. */
	kick_set_mask(mask->sigset);
	copy.header.len = KERNEL_SIGSET;
	memcpy(copy.header.sigset, mask->sigset, KERNEL_SIGSET);
	copy.header.sigset[bit / 8] &= (unsigned char)~(1u << bit % 8);
	return real_ioctl(fd, KVM_SET_SIGNAL_MASK, &copy);
}

static COLD int dispatch(int fd, unsigned long request, void *arg)
{
	if (!session_active() || (_IOC_TYPE(request) != KVMIO &&
				  request != KVM_X86_SET_CR_FILTER))
		return real_ioctl(fd, request, arg);

	switch (request) {
	case KVM_X86_SET_CR_FILTER:
		return set_cr_filter(fd, arg);
	case KVM_SET_SIGNAL_MASK:
		return set_signal_mask(fd, arg);
	case KVM_CREATE_VM:
		return create_vm(fd, arg);
	case KVM_CREATE_VCPU:
		return create_vcpu(fd, arg);
	case KVM_ENABLE_CAP:
		return enable_cap(fd, arg);
	case KVM_MEMORY_ENCRYPT_OP:
		return encrypt_op(fd, arg);
	case KVM_X86_SET_MSR_FILTER:
		return set_msr_filter(fd, arg);
	case KVM_SET_USER_MEMORY_REGION:
	case KVM_SET_USER_MEMORY_REGION2:
		return guest_state_set_memory_region(fd, request, arg);
	case KVM_SET_CPUID:
	case KVM_SET_CPUID2:
		return set_cpuid(fd, request, arg);
	case KVM_SET_MSRS:
	case KVM_SET_SREGS:
	case KVM_SET_SREGS2:
	case KVM_SET_XCRS:
	case KVM_SET_ONE_REG:	/* MSRs, since Linux 6.18 */
		return guest_state_write_registers(fd, request, arg);
	case KVM_GET_MSRS:
		return guest_state_get_msrs(fd, arg);
	case KVM_GET_REGS:
		return guest_state_get_regs(fd, arg);
	case KVM_SET_REGS:
		return guest_state_set_regs(fd, arg);
	default:
		return real_ioctl(fd, request, arg);
	}
}

int ioctl_hook(int fd, unsigned long request, void *arg)
{
	/* glibc's callers may pass a sign-extended int: KVM takes 32 bits. */
	request = (unsigned int)request;
	if (LIKELY(request == KVM_RUN))
		return run_vcpu(fd, arg);
	return dispatch(fd, request, arg);
}
