// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Has the VM's state been taken out, or loaded?
 *
 * Theory of operation: who saves or migrates a VM reads the registers of all its vCPUs
 * and then lets none of them run; who loads it writes them. A hash of each struct
 * kvm_regs, summed up over the vCPUs by their ids, is a fingerprint: the same where the
 * state was taken out and where it was loaded. It is no proof, only a name. The TSCs,
 * where the VMM takes them along, tell apart those that stand in the same idle loop.
 *
 * Reading alone says little: monitors and dumps read, too. But who takes a VM's memory
 * along lets KVM log most of it (KVM_MEM_LOG_DIRTY_PAGES), be it in a live migration
 * or for a file, and QEMU goes on with that until the VM runs again. A frame buffer
 * that is logged all the time is not most of it.
 *
 * A vCPU whose registers were read is told to look at itself before it enters: so
 * one that enters after that is found out off the path that all exits take.
 */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core.h"
#include "migration.h"
#include "phase.h"
#include "types.h"
#include "vmm_write.h"

/* A memory slot's size; it is of whole pages, so there is room for a flag. */
#define SLOT_LOGGED	1ull

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15ull;
	return hash ^ hash >> 29;
}

/* 0 says that there is none. */
static uint64_t not_zero(uint64_t hash)
{
	return hash ? hash : 1;
}

/* By names, not by bytes: on another host the struct may have grown. */
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

/* The list is in no order that another host would know: so ids, and a sum. */
static uint64_t mix_vcpu(const struct regpin_vcpu *vcpu, uint64_t hash)
{
	return mix(mix(hash, vcpu->id), hash);
}

/* An unplugged vCPU: the VMM may keep it for later, but has no thread for it. */
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
 * struct sum - a VM's fingerprint, as it is added up
 * @regs: of the registers; @clock: of the TSCs
 * @no_regs: a vCPU has none; @no_clock: likewise
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

/* Returns true if it is news. @regs, which says that there is one, goes last. */
static bool publish(struct state_print *print, const struct sum *sum)
{
	uint64_t regs = not_zero(sum->regs);
	uint64_t clock = sum->no_clock ? 0 : not_zero(sum->clock);
	bool news = atomic_exchange(&print->clock, clock) != clock;

	return (atomic_exchange(&print->regs, regs) != regs) | news;
}

/* Under the lock. */
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
 * What it was given is pinned before it runs. With pins from the first instruction that
 * is so whatever it was given, also the state of a firmware.
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

/* Notes the TSC, if that is one of them. */
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
	/* SMRAM, in address space 1, is a second look at the same memory. */
	if (slot >= NR_SLOTS || flags & KVM_MEM_READONLY)
		return false;
	vm_lock(vm);
	vm->migration.slots[slot] = size & ~SLOT_LOGGED;
	if (size && flags & KVM_MEM_LOG_DIRTY_PAGES)
		vm->migration.slots[slot] |= SLOT_LOGGED;
	vm_unlock(vm);
	/* The registers may have been read before, while the VM stood still. */
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
