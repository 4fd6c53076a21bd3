/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A vCPU's registers, as KVM shows them to userspace.
 */
#ifndef REGPIN_LIB_REGS_H
#define REGPIN_LIB_REGS_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/judge/cr_filter.h"
#include "lib/judge/judge.h"
#include "lib/policy/guest.h"

/**
 * struct vcpu_io - the access of userspace to a vCPU
 * @fd: its fd; borrowed from the VMM
 * @run: its run page, shared with KVM; borrowed from the VMM
 * @answered: KVM has an answered exit to complete, which the next KVM_RUN does
 *
 * Only the thread that runs the vCPU may use it.
 */
struct vcpu_io {
	int fd;
	struct kvm_run *run;
	bool answered;
};

/*
 * The MSRs that userspace can write for a guest and whose values are remembered, for
 * `once`, for `uniform` and for comparison after the VMM's writes; see registers.tsv.
 */
#define NR_REPLAY	9

extern const uint32_t replay_registers[NR_REPLAY];

/* Position of @index in replay_registers, or -1. */
int replay_slot(uint32_t index);

/**
 * struct snapshot - a vCPU's registers around a write by the VMM
 * @valid: the snapshot has been taken
 * @unread: the registers that KVM refused to read, by snapshot_bit()
 * @cs: base of CS, which a reset changes even if it changes nothing else
 * @crs: CR0, CR4 and XCR0, by kind - REGPIN_CR0; 0 if unread, except that CR0 is then PG
 * @msrs: by replay_slot(); 0 if unread
 */
struct snapshot {
	bool valid;
	uint32_t unread;
	uint64_t cs;
	uint64_t crs[NR_CRS];
	uint64_t msrs[NR_REPLAY];
};

_Static_assert(NR_REPLAY + NR_CRS <= 32, "each has a bit");

/* The bit of a register in a snapshot's @unread; MSRs by replay_slot(). */
static inline uint32_t snapshot_bit(unsigned int kind, int slot)
{
	return 1u << (kind == REGPIN_MSR ? (unsigned int)slot :
		      NR_REPLAY + kind - REGPIN_CR0);
}

/*
 * Read and write one MSR, as the host. Return 0, -EINVAL if KVM lacks the MSR or refuses
 * the value, or the ioctl's -errno.
 */
int vcpu_get_msr(const struct vcpu_io *io, uint32_t index,
		 uint64_t *value);
int vcpu_set_msr(const struct vcpu_io *io, uint32_t index,
		 uint64_t value);

/* Is CR0.PG set? True if KVM refuses to read it. */
bool vcpu_paging(const struct vcpu_io *io);

/*
 * Reads CR0, CR4 and, if @xcr0, XCR0 to @crs, and EFER to @efer unless that is NULL.
 * Returns false, and sets all to 0, if KVM refuses.
 */
bool vcpu_get_crs(const struct vcpu_io *io, bool xcr0,
		  uint64_t crs[NR_CRS], uint64_t *efer);

/* Reads the registers that `require` may name. Returns false, and sets all to 0, if KVM refuses. */
bool vcpu_get_protections(const struct vcpu_io *io,
			  struct protections *ret);

/*
 * Does the vCPU run a nested guest (L2)? Any thread but the vCPU's may only call this while
 * the vCPU is not in KVM_RUN: otherwise the ioctl blocks on the vCPU's mutex.
 */
bool vcpu_runs_l2(const struct vcpu_io *io, const struct guest *guest);

/*
 * Are the registers that KVM shows those of the guest's kernel? They are not in SMM, in a
 * nested guest, or while the vCPU waits for INIT or SIPI. Don't call it while @io->answered
 * is set.
 */
bool vcpu_shows_kernel(const struct vcpu_io *io, const struct guest *guest);

/* The run time of the calling thread, which runs the vCPU, in nanoseconds; never 0. */
uint64_t vcpu_run_time(void);

/*
 * Writes CR0 and CR4 and, if @xcr0, XCR0 from @crs, as the host. Returns false if KVM
 * refuses one of them; those before it are then written.
 */
bool vcpu_set_crs(const struct vcpu_io *io, const uint64_t crs[NR_CRS],
		  bool xcr0);

/* Fills @snapshot with the registers that a policy may pin. */
void vcpu_snapshot(const struct vcpu_io *io, struct snapshot *snapshot);

/* Do the registers have the same values in both? */
bool snapshot_same(const struct snapshot *a, const struct snapshot *b);

#endif
