/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fingerprints of states that were taken out of a VM (saved or migrated) or loaded into
 * it.
 */
#ifndef REGPIN_LIB_STATE_H
#define REGPIN_LIB_STATE_H

#include <stdatomic.h>
#include <stdint.h>

/**
 * struct state_print - a fingerprint of a VM's state, the same on every host
 * @regs: hash of all vCPUs' struct kvm_regs; 0: there is no state
 * @clock: hash of their TSCs; 0: the VMM does not have the TSCs of all vCPUs. VMs that
 *	were cloned may idle with the same registers, but their TSCs differ
 */
struct state_print {
	_Atomic uint64_t regs, clock;
};

/**
 * struct state_seen - the last states of a VM
 * @taken: the state that was taken out of an armed VM; none once one of its vCPUs has run
 *	since
 * @loaded: the last state that was loaded, and pinned
 */
struct state_seen {
	struct state_print taken, loaded;
};

#endif
