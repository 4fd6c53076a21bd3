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
 * struct vcpu_io - a vCPU as userspace reaches it
 * @fd: its file; borrowed
 * @run: the VMM's shared page; borrowed
 * @answered: KVM has an answered exit to complete, which its next KVM_RUN does
 *
 * The thread that runs the vCPU owns it.
 */
struct vcpu_io {
	int fd;
	struct kvm_run *run;
	bool answered;
};

/*
 * Of the registers that userspace can write for a guest those whose values are
 * remembered, for `once`, `uniform` and what the VMM writes; see registers.tsv.
 */
#define NR_REPLAY	9

extern const uint32_t replay_registers[NR_REPLAY];

/* Position of @index in replay_registers, or -1. */
int replay_slot(uint32_t index);

/**
 * struct snapshot - a vCPU's registers around a write by the VMM
 * @valid: taken
 * @cs: CS's base; what a reset changes if nothing else
 * @crs: CR0, CR4 and XCR0, by kind - REGPIN_CR0; 0 where KVM refused
 * @msrs: by replay_slot(); values of registers that KVM refused to read are 0
 * @unread: which ones these are, by snapshot_bit()
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

/* One MSR of a vCPU. Return 0, -EINVAL if KVM has or takes no such, -errno. */
int vcpu_get_msr(const struct vcpu_io *io, uint32_t index,
		 uint64_t *value);
int vcpu_set_msr(const struct vcpu_io *io, uint32_t index,
		 uint64_t value);

/* Is CR0.PG set, as far as KVM says? */
bool vcpu_paging(const struct vcpu_io *io);

/*
 * CR0, CR4 and, if @xcr0, XCR0; EFER, unless @efer is NULL. False, and all are 0, if
 * KVM refuses.
 */
bool vcpu_get_crs(const struct vcpu_io *io, bool xcr0,
		  uint64_t crs[NR_CRS], uint64_t *efer);

/* What `require` speaks of. False, and all are 0, if KVM refuses. */
bool vcpu_get_protections(const struct vcpu_io *io,
			  struct protections *ret);

/*
 * Is the vCPU in a guest of its own guest (L2)? Another thread than the vCPU's may only
 * ask while the vCPU is not in KVM_RUN.
 */
bool vcpu_runs_l2(const struct vcpu_io *io, const struct guest *guest);

/*
 * Are the registers that KVM shows those of the guest's kernel? Not in SMM, not in
 * a nested guest, not while the vCPU waits for INIT or SIPI. Not to be asked while
 * an answered exit is to be completed.
 */
bool vcpu_shows_kernel(const struct vcpu_io *io, const struct guest *guest);

/* The time that this thread, which runs the vCPU, has run, in ns; never 0. */
uint64_t vcpu_run_time(void);

/*
 * Writes CR0 and CR4, and if @xcr0, XCR0, as the VMM would. False if KVM refuses one of
 * them; those before are written then.
 */
bool vcpu_set_crs(const struct vcpu_io *io, const uint64_t crs[NR_CRS],
		  bool xcr0);

/* The registers that a policy may pin, all at one moment. */
void vcpu_snapshot(const struct vcpu_io *io, struct snapshot *snapshot);

/* Have the registers the same values in both? */
bool snapshot_same(const struct snapshot *a, const struct snapshot *b);

#endif
