/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What `regpin run` hands to the shim, and what both see of each other. The one
 * place that names the environment variables and the shared memory's layout.
 */
#ifndef REGPIN_SHIM_HANDOFF_H
#define REGPIN_SHIM_HANDOFF_H

#include <stddef.h>
#include <stdint.h>

#include "event.h"

/*
 * "BLOB,SHARED,WAKE": decimal numbers of three inherited fds: the sealed blob
 * (a memfd), struct handoff (a memfd), and a non-blocking eventfd that wakes
 * the agent. Without this variable the shim does nothing at all.
 */
#define HANDOFF_ENV	"REGPIN_HANDOFF"

#define HANDOFF_MAGIC	0x6e697067u	/* "gpin" */
#define HANDOFF_VERSION	1u

/* Exit status of a VMM that the shim ended, and of a `run` that never began. */
#define EXIT_REGPIN	125

/**
 * struct handoff - shared by the agent and every process that the shim is in
 * @magic: HANDOFF_MAGIC, written by `run`
 * @version: HANDOFF_VERSION, written by `run`
 * @loaded: number of processes that the shim was loaded into (exec counts)
 * @attached: number of VMs that got their policy
 * @vmm: process id that attached a VM last, as seen in its own pid namespace
 * @numbers: how many numbers have been given to VMs, so that two processes of
 *	one VMM don't use the same in their events
 * @refused: enum regpin_refusal + 1 once the shim has ended the VMM
 * @creating: VMs that the shim has in hand: counted up before KVM_CREATE_VM,
 *	and down when that has failed or, after @attached went up, when the VM
 *	has its policy. So who sees an open VM, then 0 here and no new @attached
 *	knows that the shim was not asked. A process that is killed in between
 *	leaves it up.
 * @ring: events
 *
 * The agent trusts none of it for more than reporting: a VMM that has been
 * taken over can write here, and can do without us anyway.
 */
struct handoff {
	uint32_t magic;
	uint32_t version;
	_Atomic uint32_t loaded;
	_Atomic uint32_t attached;
	_Atomic uint32_t vmm;
	_Atomic uint32_t refused;
	_Atomic uint32_t numbers;
	_Atomic uint32_t creating;
	uint32_t pad[24];
	struct ring ring;
};

_Static_assert(offsetof(struct handoff, ring) == 128, "shared between builds");

#endif
