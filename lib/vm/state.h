/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was seen of the states that were taken out of a VM and loaded into it. */
#ifndef REGPIN_LIB_STATE_H
#define REGPIN_LIB_STATE_H

#include <stdatomic.h>
#include <stdint.h>

/**
 * struct state_print - a fingerprint of a VM's state, the same wherever that is
 * @regs: of all vCPUs' struct kvm_regs; 0: there is no state
 * @clock: of their TSCs; 0: the VMM does not have those of all vCPUs. VMs that were
 *	cloned may idle with the same registers, but not at the same time
 */
struct state_print {
	_Atomic uint64_t regs, clock;
};

/**
 * struct state_seen - what was seen of a VM's state
 * @taken: the one that was taken out of an armed VM, none of whose vCPUs has run
 *	since; else none
 * @loaded: the last one that was loaded, and pinned
 */
struct state_seen {
	struct state_print taken, loaded;
};

#endif
