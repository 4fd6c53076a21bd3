// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Finds the VM or the vCPU of an fd. Fds are noted when KVM creates them; those that the
 * VMM got otherwise (by dup, a socket, an exec) are recognised by their name in /proc and
 * by kcmp(2). close(2) is not hooked: when KVM returns a number again, the new file
 * replaces the old one, and fds_sweep() finds closed vCPUs when a VM is created.
 */
#include <linux/kcmp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/vm/embed.h"
#include "lib/vm/vm.h"

#include "fds.h"

/**
 * struct shim_vcpu - the shim's mapping of a vCPU
 * @vcpu: the vCPU; NULL: the mapping is noted at another fd of the vCPU, or there is no
 *	mapping
 * @run: its run page
 */
struct shim_vcpu {
	struct regpin_vcpu *vcpu;
	struct kvm_run *run;
};

/* These arrays take memory only for the pages that are used. */
static _Atomic(struct regpin_vm *) vms[FDS_MAX];
static _Atomic(struct regpin_vcpu *) vcpus[FDS_MAX];
static struct shim_vcpu details[FDS_MAX];
static _Atomic int highest_fd;
static _Atomic size_t run_size;

struct regpin_vm *fds_vm(int fd)
{
	if ((unsigned int)fd >= FDS_MAX)
		return NULL;
	return atomic_load_explicit(&vms[fd], memory_order_acquire);
}

struct regpin_vcpu *fds_vcpu(int fd)
{
	if ((unsigned int)fd >= FDS_MAX)
		return NULL;
	return atomic_load_explicit(&vcpus[fd], memory_order_acquire);
}

/* Reads the fd's name in /proc: "anon_inode:kvm-vm", "anon_inode:kvm-vcpu:3". */
static bool read_fd_name(int fd, char *name, size_t size)
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

static void raise_highest_fd(int fd)
{
	int highest = atomic_load(&highest_fd);

	while (fd > highest &&
	       !atomic_compare_exchange_weak(&highest_fd, &highest, fd))
		;
}

void fds_set_vm(int fd, struct regpin_vm *vm)
{
	atomic_store_explicit(&vms[fd], vm, memory_order_release);
	raise_highest_fd(fd);
}

void fds_set_vcpu(int fd, struct regpin_vcpu *vcpu)
{
	atomic_store_explicit(&vcpus[fd], vcpu, memory_order_release);
	raise_highest_fd(fd);
}

void fds_set_run(int fd, struct regpin_vcpu *vcpu, struct kvm_run *run)
{
	details[fd] = (struct shim_vcpu){ .vcpu = vcpu, .run = run };
}

size_t fds_run_size(void)
{
	return atomic_load(&run_size);
}

void fds_set_run_size(size_t size)
{
	atomic_store(&run_size, size);
}

/* Is @kind the name of @fd, without the number at its end? */
static enum fds_answer match_kind(int fd, const char *kind)
{
	struct stat st;
	char name[64];

	if (read_fd_name(fd, name, sizeof(name))) {
		name[strcspn(name, "0123456789")] = '\0';
		return strcmp(name, kind) == 0 ? FDS_YES : FDS_NO;
	}
	return fstat(fd, &st) < 0 || (st.st_mode & S_IFMT) ? FDS_NO :
							     FDS_UNKNOWN;
}

enum fds_answer fds_is_vm(int fd)
{
	return match_kind(fd, "anon_inode:kvm-vm");
}

enum fds_answer fds_is_vcpu(int fd)
{
	return match_kind(fd, "anon_inode:kvm-vcpu:");
}

/* Another known fd of the vCPU of @fd, or -1. */
static int find_alias(int fd)
{
	for (int i = atomic_load(&highest_fd); i >= 0; i--)
		if (i != fd && fds_vcpu(i) == fds_vcpu(fd))
			return i;
	return -1;
}

void fds_drop_vcpu(int fd)
{
	struct shim_vcpu d = details[fd];
	int other = fds_vcpu(fd) ? find_alias(fd) : -1;

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

void fds_sweep(void)
{
	for (int fd = atomic_load(&highest_fd); fd >= 0; fd--) {
		struct regpin_vm *vm = fds_vm(fd);

		if (fds_vcpu(fd) && fds_is_vcpu(fd) == FDS_NO)
			fds_drop_vcpu(fd);
		/* Keep a VM that another thread has just noted there, without the lock. */
		if (vm && fds_is_vm(fd) == FDS_NO)
			atomic_compare_exchange_strong(&vms[fd], &vm, NULL);
	}
}

static bool is_vm(const struct regpin_vm *vm, int fd)
{
	return fds_vm(fd) == vm && fds_is_vm(fd) != FDS_NO;
}

bool fds_vm_is_open(struct regpin_vm *vm)
{
	if (is_vm(vm, vm_fd(vm)))
		return true;
	/* The VMM may have closed that fd, and use another one. */
	for (int fd = atomic_load(&highest_fd); fd >= 0; fd--) {
		if (!is_vm(vm, fd))
			continue;
		vm_set_fd(vm, fd);
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

struct regpin_vm *fds_known_vm(int fd)
{
	for (int i = atomic_load(&highest_fd); i >= 0; i--)
		if (fds_vm(i) && same_file(fd, i))
			return fds_vm(i);
	return NULL;
}

struct regpin_vcpu *fds_known_vcpu(int fd)
{
	for (int i = atomic_load(&highest_fd); i >= 0; i--)
		if (fds_vcpu(i) && same_file(fd, i))
			return fds_vcpu(i);
	return NULL;
}
