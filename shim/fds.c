// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which fd is which VM or vCPU. Fds are learnt where they are created; those
 * that came otherwise (dup, a socket, an exec) are recognised by their name in
 * /proc and by kcmp(2). close(2) is not hooked: an fd's number is taken over
 * when KVM hands it out again, and what is gone is swept when a VM is created.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/kvm.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vm.h"

#include "control.h"
#include "fds.h"
#include "kick.h"
#include "next.h"
#include "session.h"

#define MAX_FD	(1 << 16)

struct shim_vcpu {
	struct regpin_vcpu *vcpu;
	struct kvm_run *run;
};

/* Pages that are never touched cost nothing. */
static _Atomic(struct regpin_vm *) vms[MAX_FD];
static _Atomic(struct regpin_vcpu *) vcpus[MAX_FD];
static struct shim_vcpu details[MAX_FD];
static _Atomic int highest_fd;
static _Atomic size_t run_size;

struct regpin_vm *fds_vm(int fd)
{
	if ((unsigned int)fd >= MAX_FD)
		return NULL;
	return atomic_load_explicit(&vms[fd], memory_order_acquire);
}

struct regpin_vcpu *fds_vcpu(int fd)
{
	if ((unsigned int)fd >= MAX_FD)
		return NULL;
	return atomic_load_explicit(&vcpus[fd], memory_order_acquire);
}

/* What /proc calls this fd: "anon_inode:kvm-vm", "anon_inode:kvm-vcpu:3". */
static bool fd_name(int fd, char *name, size_t size)
{
	char path[40];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, name, size - 1);
	if (n < 0)
		return false;
	name[n] = '\0';
	return true;
}

static bool same_file(int a, int b)
{
	pid_t pid = getpid();

	return syscall(SYS_kcmp, pid, pid, KCMP_FILE, a, b) == 0;
}

static void check_fd(int fd)
{
	if (fd >= MAX_FD)
		session_die_text("the VMM has more than 65,536 open files, more than regpin can follow");
}

static void note_fd(int fd)
{
	int highest = atomic_load(&highest_fd);

	while (fd > highest &&
	       !atomic_compare_exchange_weak(&highest_fd, &highest, fd))
		;
}

/* Without /proc (a VMM may chroot) one of KVM's files is like all the other
 * anonymous ones. */
enum answer { NO, YES, CANT_TELL };

/* Is @kind the name of @fd, up to a number that follows? */
static enum answer is_kind(int fd, const char *kind)
{
	struct stat st;
	char name[64];

	if (fd_name(fd, name, sizeof(name))) {
		name[strcspn(name, "0123456789")] = '\0';
		return strcmp(name, kind) == 0 ? YES : NO;
	}
	return fstat(fd, &st) < 0 || (st.st_mode & S_IFMT) ? NO : CANT_TELL;
}

static enum answer is_vcpu(int fd)
{
	return is_kind(fd, "anon_inode:kvm-vcpu:");
}

/* Another number by which the vCPU behind @fd is known, or -1. */
static int alias(int fd)
{
	for (int i = atomic_load(&highest_fd); i >= 0; i--)
		if (i != fd && fds_vcpu(i) == fds_vcpu(fd))
			return i;
	return -1;
}

/*
 * Forgets a number. With a vCPU's last one goes our mapping, which keeps the
 * closed vCPU, and so its VM, alive.
 */
static void drop_vcpu(int fd)
{
	struct shim_vcpu d = details[fd];
	int other = fds_vcpu(fd) ? alias(fd) : -1;

	details[fd] = (struct shim_vcpu){ 0 };
	if (!atomic_exchange(&vcpus[fd], NULL) || !d.run)
		return;
	if (other >= 0) {
		details[other] = d;
		return;
	}
	munmap(d.run, atomic_load(&run_size));
	regpin_vcpu_detach(d.vcpu);
}

static void sweep(void)
{
	control_lock();
	for (int fd = atomic_load(&highest_fd); fd >= 0; fd--)
		if (fds_vcpu(fd) && is_vcpu(fd) == NO)
			drop_vcpu(fd);
	control_unlock();
}

static bool is_vm(const struct regpin_vm *vm, int fd)
{
	return fds_vm(fd) == vm && is_kind(fd, "anon_inode:kvm-vm") != NO;
}

bool fds_vm_lives(struct regpin_vm *vm)
{
	if (is_vm(vm, vm->fd))
		return true;
	/* The VMM may have closed this number, and go on with another. */
	for (int fd = atomic_load(&highest_fd); fd >= 0; fd--) {
		if (!is_vm(vm, fd))
			continue;
		vm->fd = fd;
		return true;
	}
	return false;
}

void fds_forget_vm(struct regpin_vm *vm)
{
	for (int fd = atomic_load(&highest_fd); fd >= 0; fd--) {
		struct regpin_vm *is = vm;

		atomic_compare_exchange_strong(&vms[fd], &is, NULL);
	}
}

static struct regpin_vm *attach_vm(int kvm_fd, int vm_fd)
{
	struct regpin_vm_options options = {
		.size = sizeof(options),
		.event = session_event,
		.kick = kick_vcpu,
	};
	struct regpin_vm *vm;
	int ret;

	session_join(vm_fd);
	check_fd(vm_fd);
	kick_begin();
	options.vm = session_number();
	control_lock();
	ret = regpin_vm_attach(session_policy(), kvm_fd, vm_fd, &options, &vm);
	if (ret == -E2BIG)
		session_die(REGPIN_REFUSED_FILTER);
	if (ret == -EPERM)
		session_die(REGPIN_REFUSED_CONFIDENTIAL);
	if (ret)
		session_die(REGPIN_REFUSED_HOST);
	/* A VM that had this number before is the VMM's memory, not ours. */
	atomic_store_explicit(&vms[vm_fd], vm, memory_order_release);
	note_fd(vm_fd);
	if (!control_add(session_control(), session_handoff(), vm,
			 options.vm))
		session_die_text("the VMM has 64 VMs open already, and the operator's commands could not reach one more; close some, or start further processes for them");
	control_unlock();
	session_attached();
	return vm;
}

void fds_created_vm(int kvm_fd, int vm_fd)
{
	int err = errno;

	sweep();
	if (!atomic_load(&run_size)) {
		int size = real_ioctl(kvm_fd, KVM_GET_VCPU_MMAP_SIZE, NULL);

		if (size <= 0)
			session_die(REGPIN_REFUSED_HOST);
		atomic_store(&run_size, (size_t)size);
	}
	attach_vm(kvm_fd, vm_fd);
	errno = err;
}

void fds_created_vcpu(struct regpin_vm *vm, int vcpu_fd, uint32_t id)
{
	struct regpin_vcpu *vcpu;
	struct kvm_run *run;
	int err = errno;

	check_fd(vcpu_fd);
	control_lock();
	drop_vcpu(vcpu_fd);
	control_unlock();
	run = mmap(NULL, atomic_load(&run_size), PROT_READ | PROT_WRITE,
		   MAP_SHARED, vcpu_fd, 0);
	if (run == MAP_FAILED ||
	    regpin_vcpu_attach(vm, vcpu_fd, id, run, &vcpu))
		session_die_text("out of memory for a vCPU's state");
	details[vcpu_fd] = (struct shim_vcpu){ .vcpu = vcpu, .run = run };
	atomic_store_explicit(&vcpus[vcpu_fd], vcpu, memory_order_release);
	note_fd(vcpu_fd);
	errno = err;
}

/* The known VM that @fd is another number of, or NULL. */
static struct regpin_vm *known_vm(int fd)
{
	for (int i = atomic_load(&highest_fd); i >= 0; i--)
		if (fds_vm(i) && same_file(fd, i))
			return fds_vm(i);
	return NULL;
}

static struct regpin_vcpu *known_vcpu(int fd)
{
	for (int i = atomic_load(&highest_fd); i >= 0; i--)
		if (fds_vcpu(i) && same_file(fd, i))
			return fds_vcpu(i);
	return NULL;
}

struct regpin_vm *fds_learn_vm(int fd)
{
	struct regpin_vm *vm = fds_vm(fd);
	int err = errno, kvm_fd;
	enum answer is_vm;

	if (vm)
		goto out;
	is_vm = is_kind(fd, "anon_inode:kvm-vm");
	if (is_vm == NO)
		goto out;
	check_fd(fd);
	vm = known_vm(fd);
	if (vm) {
		atomic_store_explicit(&vms[fd], vm, memory_order_release);
		note_fd(fd);
		goto out;
	}
	/* Only VMs are asked for what led here. */
	if (is_vm == CANT_TELL)
		session_die(REGPIN_REFUSED_FD);
	/* It was created elsewhere: its vCPUs come from here all the same. */
	kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm_fd < 0)
		session_die(REGPIN_REFUSED_FD);
	session_creating();
	fds_created_vm(kvm_fd, fd);
	session_created();
	close(kvm_fd);
	vm = fds_vm(fd);
out:
	errno = err;
	return vm;
}

struct regpin_vcpu *fds_learn_vcpu(int fd)
{
	struct regpin_vcpu *vcpu = fds_vcpu(fd);
	int err = errno;

	if (vcpu)
		vcpu->fd = fd;
	if (vcpu || is_vcpu(fd) == NO)
		goto out;
	check_fd(fd);
	vcpu = known_vcpu(fd);
	if (!vcpu)
		session_die(REGPIN_REFUSED_FD);
	vcpu->fd = fd;
	atomic_store_explicit(&vcpus[fd], vcpu, memory_order_release);
	note_fd(fd);
out:
	errno = err;
	return vcpu;
}
