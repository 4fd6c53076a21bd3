// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Has the VM's state been taken out (saved or migrated), or loaded?
 *
 * Theory of operation: a VMM that saves or migrates a VM reads the registers of all its
 * vCPUs and then lets none of them run; a VMM that loads a state writes them. A hash of
 * each struct kvm_regs and the vCPU's id, summed up over the vCPUs, is a fingerprint: it
 * is the same where the state was taken out and where it was loaded. It names a state, but
 * proves nothing. The TSCs, if the VMM saves them, distinguish VMs that are in the same
 * idle loop.
 *
 * Reading registers alone proves little: monitors and dumps do it, too. But a VMM that
 * saves a VM's memory has KVM log writes to most of it (KVM_MEM_LOG_DIRTY_PAGES), in a
 * live migration and for a file, and QEMU continues that until the VM runs again. A frame
 * buffer that is always logged is only a small part of the memory.
 *
 * A vCPU whose registers were read is alerted, so that its next entry is noticed in
 * handle_attention(), which most entries skip.
 */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core.h"
#include "migration.h"
#include "phase.h"
#include "types.h"
#include "vmm_write.h"

/* A flag in a memory slot's size, whose low bits are free: it is of whole pages. */
#define SLOT_LOGGED	1ull

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15ull;
	return hash ^ hash >> 29;
}

/* A hash must not be 0, which means that there is none. */
static uint64_t not_zero(uint64_t hash)
{
	return hash ? hash : 1;
}

/* Hashes the members by name, because the struct may be larger on another host. */
static uint64_t hash_regs(const struct kvm_regs *r)
{
	const uint64_t values[] = {
		r->rax, r->rbx, r->rcx, r->rdx, r->rsi, r->rdi, r->rsp, r->rbp,
		r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15,
		r->rip, r->rflags,
	};
	uint64_t hash = 1;

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		hash = mix(hash, values[i]);
	return not_zero(hash);
}

/* Adds the vCPU's id to a hash. The hashes are summed up, because the list has no order. */
static uint64_t mix_vcpu(const struct regpin_vcpu *vcpu, uint64_t hash)
{
	return mix(mix(hash, vcpu->id), hash);
}

/* Is the vCPU unplugged? The VMM may keep its file for later, but has no thread for it. */
static bool is_gone(const struct regpin_vcpu *vcpu)
{
	int thread = atomic_load(&vcpu->wake.runner);

	return thread && syscall(SYS_tgkill, getpid(), thread, 0);
}

static bool is_logged(const struct regpin_vm *vm)
{
	uint64_t all = 0, logged = 0;

	for (unsigned int i = 0; i < NR_SLOTS; i++) {
		uint64_t size = vm->migration.slots[i] & ~SLOT_LOGGED;

		all += size;
		logged += vm->migration.slots[i] & SLOT_LOGGED ? size : 0;
	}
	return logged > all / 2;
}

static bool is_armed(const struct regpin_vcpu *vcpu)
{
	return phase_counts(vcpu->life.phase) &&
	       vcpu->life.vm_life == atomic_load(&vcpu->vm->gate.life);
}

/**
 * struct sum - a VM's fingerprint while it is computed
 * @regs: sum of the hashes of the registers
 * @clock: sum of the hashes of the TSCs
 * @no_regs: the registers of a vCPU are not known
 * @no_clock: the TSC of a vCPU is not known
 */
struct sum {
	uint64_t regs, clock;
	bool no_regs, no_clock;
};

static void add_vcpu(struct sum *sum, const struct regpin_vcpu *vcpu,
		     const struct state_print *print)
{
	uint64_t regs = atomic_load(&print->regs);
	uint64_t clock = atomic_load(&print->clock);

	sum->no_regs |= !regs;
	sum->no_clock |= !clock;
	sum->regs += mix_vcpu(vcpu, regs);
	sum->clock += mix_vcpu(vcpu, clock);
}

/*
 * Writes the fingerprint to @print. Returns true if it has changed. @regs goes last,
 * because a reader takes it to mean that there is a fingerprint.
 */
static bool publish(struct state_print *print, const struct sum *sum)
{
	uint64_t regs = not_zero(sum->regs);
	uint64_t clock = sum->no_clock ? 0 : not_zero(sum->clock);
	bool news = atomic_exchange(&print->clock, clock) != clock;

	return (atomic_exchange(&print->regs, regs) != regs) | news;
}

/* Has the state been taken out? Returns true if @taken is new. Caller holds the VM lock. */
static bool find_taken_locked(struct regpin_vm *vm)
{
	const struct regpin_vcpu *vcpu;
	struct sum sum = { 0 };
	bool armed = false;

	if (!vm->migration.seen || !is_logged(vm))
		return false;
	for (vcpu = vm->vcpus; vcpu; vcpu = vcpu->next) {
		if (is_gone(vcpu))
			continue;
		add_vcpu(&sum, vcpu, &vcpu->migration.read);
		armed |= is_armed(vcpu);
	}
	return armed && !sum.no_regs && publish(&vm->migration.seen->taken, &sum);
}

/*
 * Was a state loaded into the vCPU that is pinned before the vCPU runs? With pins from
 * the first instruction, that is true of any state, including a firmware's.
 */
static bool is_loaded(const struct regpin_vcpu *vcpu, bool from_start)
{
	return (vmm_loads(vcpu->writes.state) && is_armed(vcpu)) ||
	       (from_start && !atomic_load(&vcpu->wake.runner));
}

static bool arms_from_start(struct regpin_vm *vm)
{
	bool from_start = vm_get_policy(vm)->arming == ARM_START;

	vm_put_policy(vm);
	return from_start;
}

/* Has a state been loaded? Returns true if @loaded is new. Caller holds the VM lock. */
static bool find_loaded_locked(struct regpin_vm *vm)
{
	const struct regpin_vcpu *vcpu;
	struct sum sum = { 0 };
	bool loaded = false, from_start = arms_from_start(vm);

	if (!vm->migration.seen)
		return false;
	for (vcpu = vm->vcpus; vcpu; vcpu = vcpu->next) {
		if (is_gone(vcpu))
			continue;
		add_vcpu(&sum, vcpu, &vcpu->migration.written);
		loaded |= is_loaded(vcpu, from_start);
	}
	return loaded && !sum.no_regs && publish(&vm->migration.seen->loaded, &sum);
}

static bool find_news(struct regpin_vm *vm, bool (*at)(struct regpin_vm *vm))
{
	int err = errno;
	bool news;

	vm_lock(vm);
	news = at(vm);
	vm_unlock(vm);
	errno = err;
	return news;
}

bool migration_note_read(struct regpin_vcpu *vcpu, const struct kvm_regs *regs)
{
	atomic_store(&vcpu->migration.read.regs, hash_regs(regs));
	vcpu_alert(vcpu);
	return find_news(vcpu->vm, find_taken_locked);
}

bool migration_note_written(struct regpin_vcpu *vcpu,
			    const struct kvm_regs *regs)
{
	atomic_store(&vcpu->migration.written.regs, hash_regs(regs));
	return find_news(vcpu->vm, find_loaded_locked);
}

#define MSR_TSC	0x10u

/* Notes the TSC, if it is among the MSRs. */
static bool note_tsc(struct state_print *print, const struct kvm_msrs *msrs,
		     unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (msrs->entries[i].index != MSR_TSC)
			continue;
		atomic_store(&print->clock, msrs->entries[i].data);
		return true;
	}
	return false;
}

bool migration_note_read_msrs(struct regpin_vcpu *vcpu,
			      const struct kvm_msrs *msrs, unsigned int nr)
{
	if (!note_tsc(&vcpu->migration.read, msrs, nr))
		return false;
	vcpu_alert(vcpu);
	return find_news(vcpu->vm, find_taken_locked);
}

bool migration_note_written_msrs(struct regpin_vcpu *vcpu,
				 const struct kvm_msrs *msrs, unsigned int nr)
{
	note_tsc(&vcpu->migration.written, msrs, nr);
	return find_news(vcpu->vm, find_loaded_locked);
}

bool migration_note_load(struct regpin_vm *vm)
{
	return find_news(vm, find_loaded_locked);
}

bool migration_note_slot(struct regpin_vm *vm, uint32_t slot, uint32_t flags,
			 uint64_t size)
{
	/* SMRAM, in address space 1, is the same memory once more. */
	if (slot >= NR_SLOTS || flags & KVM_MEM_READONLY)
		return false;
	vm_lock(vm);
	vm->migration.slots[slot] = size & ~SLOT_LOGGED;
	if (size && flags & KVM_MEM_LOG_DIRTY_PAGES)
		vm->migration.slots[slot] |= SLOT_LOGGED;
	vm_unlock(vm);
	/* The registers may have been read earlier, since the VM last ran. */
	return find_news(vm, find_taken_locked);
}

static void clear_print(struct state_print *print)
{
	atomic_store(&print->regs, 0);
	atomic_store(&print->clock, 0);
}

void migration_note_entry(struct regpin_vcpu *vcpu)
{
	struct regpin_vm *vm = vcpu->vm;

	vm_lock(vm);
	clear_print(&vcpu->migration.read);
	if (vm->migration.seen)
		clear_print(&vm->migration.seen->taken);
	vm_unlock(vm);
}

void migration_set_seen(struct regpin_vm *vm, struct state_seen *seen)
{
	vm_lock(vm);
	vm->migration.seen = seen;
	if (seen) {
		clear_print(&seen->taken);
		clear_print(&seen->loaded);
	}
	vm_unlock(vm);
}
