/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What `regpin run` hands to the shim, and what both see of each other. The one
 * place that names the environment variables and the shared memory's layout.
 */
#ifndef REGPIN_SHIM_HANDOFF_H
#define REGPIN_SHIM_HANDOFF_H

#include <stddef.h>
#include <stdint.h>

#include "blob.h"
#include "event.h"
#include "state.h"

/*
 * "BLOB,SHARED,WAKE": decimal numbers of three inherited fds: the sealed blob
 * (a memfd), struct handoff (a memfd), and a non-blocking eventfd that wakes
 * the agent. Without this variable the shim does nothing at all.
 */
#define HANDOFF_ENV	"REGPIN_HANDOFF"

#define HANDOFF_MAGIC	0x6e697067u	/* "gpin" */
#define HANDOFF_VERSION	6u

/* Exit status of a VMM that the shim ended, and of a `run` that never began. */
#define EXIT_REGPIN	125

/* What the agent can tell the shim to do. */
enum control_command {
	CONTROL_NONE,
	CONTROL_ARM,		/* vm */
	CONTROL_DISARM,		/* vm */
	CONTROL_WINDOW,		/* vm; arg: milliseconds; once */
	CONTROL_WINDOW_END,	/* vm */
	CONTROL_ANSWER,		/* vm, vcpu; arg: REGPIN_ALLOW, GP or STOP */
	CONTROL_POLICY,		/* blob, for all VMs */
	CONTROL_MAX
};

#define CONTROL_ALL_VMS	0xffffffffu
#define OVERFLOW_VMM	(1u << 31)

/**
 * struct control - one command at a time, from the agent to the process of the VMs
 * @request: number of the last command; the agent writes it last, and wakes the
 *	futex. Commands that change all vCPUs are done when each has entered again
 * @done: number of the last command that is done; written by the shim behind
 *	@result, which then wakes the agent by the handoff's eventfd
 * @command: enum control_command
 * @vm: number of the VM, or CONTROL_ALL_VMS
 * @vcpu: id of the vCPU
 * @arg: see enum control_command
 * @once: a window ends with the first LSTAR that the guest sets
 * @blob_size: bytes of @blob
 * @overflow_base, @overflow_nmsrs, @overflow_flags, @overflow_more: with @result -E2BIG: the
 *	first MSRs that KVM's filter had no room for, how many they are, how they are
 *	accessed (1: reads, 2: writes), whether only the VMM's filter names them
 *	(OVERFLOW_VMM), and how many ranges more there are
 * @result: 0, or a negative errno: -ENOENT no such VM or vCPU, -EINVAL an answer to
 *	a vCPU that is not held, or a bad blob; -ETIMEDOUT the new policy is in force
 *	on all vCPUs but some that the VMM has not entered since; -ENOTRECOVERABLE it
 *	is in force, but KVM has refused its filters in some VM, which is stopped;
 *	-ESTALE some VMs have it and can't go back to the one that the others have;
 *	-EBUSY vCPUs have yet to look at the last one, or too many are still in use;
 *	-E2BIG, -EPERM
 * @blob: a policy
 */
struct control {
	_Atomic uint32_t request;
	_Atomic uint32_t done;
	uint32_t command;
	uint32_t vm;
	uint32_t vcpu;
	uint32_t arg;
	uint32_t once;
	uint32_t blob_size;
	int32_t result;
	uint32_t overflow_base;
	uint32_t overflow_nmsrs;
	uint32_t overflow_flags;
	uint32_t overflow_more;
	uint32_t pad[3];
	unsigned char blob[BLOB_MAX_SIZE];
	unsigned char pad_blob[64 - BLOB_MAX_SIZE % 64];
};

#define STATUS_PRESENT	(1u << 0)
#define STATUS_ARMED	(1u << 1)	/* of a VM: some vCPU is */
#define STATUS_HELD	(1u << 2)	/* vCPU: waits for an answer */
#define STATUS_WINDOW	(1u << 3)	/* VM: a window is open */
#define STATUS_STOPPED	(1u << 4)	/* VM: must not run on */
#define STATUS_FILTERED	(1u << 5)	/* VM: KVM's CR filter is in place */
#define STATUS_DETECTS	(1u << 6)	/* VM: CR rules are looked after, not enforced */
#define STATUS_FRESH	(1u << 7)	/* vCPU: under the floor since its INIT */

#define STATUS_VMS	64	/* at a time; one more ends the VMM */
#define STATUS_VCPUS	1024

/**
 * struct vcpu_status - what a vCPU is in, for `status`
 * @flags: STATUS_*; 0: a free slot. Written last
 * @vm: number of its VM
 * @vcpu: its id
 * @policy: while STATUS_HELD: number of the CONTROL_POLICY command that brought the
 *	policy which holds it, or 0
 * @held: likewise: why. The event that was told then
 */
struct vcpu_status {
	_Atomic uint32_t flags;
	uint32_t vm;
	uint32_t vcpu;
	uint32_t policy;
	struct regpin_event held;
};

/**
 * struct vm_status - likewise for a VM
 * @flags: STATUS_*; 0: a free slot
 * @vm: its number
 * @policy: number of the CONTROL_POLICY command that its policy came with, or 0
 * @state: what of its state was taken out or loaded; it stays when the VM is gone,
 *	until another one takes the slot
 */
struct vm_status {
	_Atomic uint32_t flags;
	uint32_t vm;
	_Atomic uint32_t policy;
	uint32_t pad;
	struct state_seen state;
};

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
 * @control: what the operator wants
 * @vms: the VMs; a slot whose @flags are 0 is free
 * @vcpus: likewise
 * @ring: events; their policy is the number of the CONTROL_POLICY command that it came
 *	with, modulo 256, or 0
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
	struct control control;
	struct vm_status vms[STATUS_VMS];
	struct vcpu_status vcpus[STATUS_VCPUS];
};

_Static_assert(offsetof(struct handoff, ring) == 128, "shared between builds");

#endif
