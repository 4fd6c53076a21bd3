/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What `regpin run` hands to the shim, and what both see of each other. The one
 * place that names the environment variables and the shared memory's layout.
 */
#ifndef REGPIN_SHIM_HANDOFF_H
#define REGPIN_SHIM_HANDOFF_H

#include <stddef.h>
#include <stdint.h>

#include "lib/policy/blob.h"
#include "lib/ring.h"
#include "lib/vm/state.h"

/*
 * "FILE,USER,NAME": where the agent listens, and nothing else. FILE is the number of an
 * inherited O_PATH file of its socket, or -1; NAME is the name of an abstract socket,
 * for a process that has closed that file or has no /proc; USER is the agent's user id,
 * by which an impostor under NAME is found out. Without this variable the shim does
 * nothing at all.
 */
#define HANDOFF_ENV	"REGPIN_HANDOFF"

#define HANDOFF_MAGIC	0x6e697067u	/* "gpin" */
#define HANDOFF_VERSION	10u

/*
 * The agent numbers each policy that it hands out, 1 for the first; the number is in the
 * policy's blob, in the events of its rules, and in struct vm_status.
 *
 * What is said on a connection, a message each (SOCK_SEQPACKET). The process connects
 * before it creates a VM; the agent looks at who that is and answers WELCOME, or why
 * not. When there is a VM the process asks, with the VM's file (SCM_RIGHTS), and gets
 * GIVEN with HANDOFF_FILES files: the policy's blob (sealed), struct control (which only
 * the agent can write: F_SEAL_FUTURE_WRITE), and struct handoff. It closes all of these
 * once they are mapped, and the connection once the VM has its policy: as long as it is
 * open the guard is patient.
 */
enum handoff_word {
	HANDOFF_WELCOME,	/* agent: go on */
	HANDOFF_ASK,		/* process: here is my VM */
	HANDOFF_GIVEN,		/* agent: here are the policy, and the memory */
	HANDOFF_REFUSED,	/* process: number is an enum regpin_refusal; it ends */
	HANDOFF_USER,		/* agent: another user's process gets nothing */
	HANDOFF_STRANGER,	/* agent: nor does one that is not from this `run` */
	HANDOFF_BUSY,		/* agent: too many processes create VMs just now */
	HANDOFF_NO_VM,		/* agent: that file is no VM */
	HANDOFF_UNFIT,		/* agent: its guest could end its pins itself */
	HANDOFF_FAILED,		/* agent: out of memory or files */
	HANDOFF_WORDS
};

#define HANDOFF_FILES	3

struct handoff_message {
	uint32_t magic;
	uint32_t version;
	uint32_t word;
	uint32_t number;
};

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
	CONTROL_POLICY,		/* blob, for all VMs; arg: the policy's number */
	CONTROL_MAX
};

#define CONTROL_ALL_VMS	0xffffffffu
#define OVERFLOW_VMM	(1u << 31)

/**
 * struct control - one command at a time, from the agent to the process of the VMs, which
 * can read it only. Its answer is struct control_answer
 * @request: number of the last command; the agent writes it last, and wakes the
 *	futex. Commands that change all vCPUs are done when each has entered again
 * @command: enum control_command
 * @vm: number of the VM, or CONTROL_ALL_VMS
 * @vcpu: id of the vCPU
 * @arg: see enum control_command
 * @once: a window ends with the first LSTAR that the guest sets
 * @blob_size: bytes of @blob
 * @agent: thread id of the agent, a robust futex: FUTEX_OWNER_DIED if it has died and
 *	no other one has taken over; 0 if there is to be none
 * @blob: a policy
 */
struct control {
	_Atomic uint32_t request;
	_Atomic uint32_t command;
	uint32_t vm;
	uint32_t vcpu;
	uint32_t arg;
	uint32_t once;
	uint32_t blob_size;
	_Atomic uint32_t agent;
	uint32_t pad[8];
	unsigned char blob[BLOB_MAX_SIZE];
	unsigned char pad_blob[64 - BLOB_MAX_SIZE % 64];
};

/**
 * struct control_answer - what became of a command
 * @done: number of the last command that is done; written by the shim behind
 *	@result, which then wakes the agent
 * @result: 0, or a negative errno: -ENOENT no such VM or vCPU, -EINVAL an answer to
 *	a vCPU that is not held, or a bad blob; -ETIMEDOUT the new policy is in force
 *	on all vCPUs but some that the VMM has not entered since; -ENOTRECOVERABLE it
 *	is in force, but KVM has refused its filters in some VM, which is stopped;
 *	-ESTALE some VMs have it and can't go back to the one that the others have;
 *	-EBUSY vCPUs have yet to look at the last one, or too many are still in use;
 *	-E2BIG, -EPERM
 * @overflow_base, @overflow_nmsrs, @overflow_flags, @overflow_more: with @result -E2BIG: the
 *	first MSRs that KVM's filter had no room for, how many they are, how they are
 *	accessed (1: reads, 2: writes), whether only the VMM's filter names them
 *	(OVERFLOW_VMM), and how many ranges more there are
 */
struct control_answer {
	_Atomic uint32_t done;
	int32_t result;
	uint32_t overflow_base;
	uint32_t overflow_nmsrs;
	uint32_t overflow_flags;
	uint32_t overflow_more;
	uint32_t pad[10];
};

#define STATUS_PRESENT	(1u << 0)
#define STATUS_ARMED	(1u << 1)	/* of a VM: some vCPU is */
#define STATUS_HELD	(1u << 2)	/* vCPU: waits for an answer */
#define STATUS_WINDOW	(1u << 3)	/* VM: a window is open */
#define STATUS_STOPPED	(1u << 4)	/* VM: must not run on */
#define STATUS_FILTERED	(1u << 5)	/* VM: KVM's CR filter is in place */
#define STATUS_POLLED	(1u << 6)	/* VM: CR rules are polled, not enforced */
#define STATUS_FRESH	(1u << 7)	/* vCPU: under the floor since its INIT */
#define STATUS_SETUP	(1u << 8)	/* armed, but not through its syscall set-up */
#define STATUS_UNREACHED (1u << 9)	/* vCPU: kicks don't reach it; VM: some of its vCPUs */
#define STATUS_CLOSED	(1u << 10)	/* VM: no vCPU arms before it is armed or requested */

#define STATUS_VMS	64	/* at a time; one more ends the VMM */
#define STATUS_VCPUS	1024

/**
 * struct vcpu_status - status of a vCPU
 * @flags: STATUS_*; 0: a free slot. Written last
 * @vm: number of its VM
 * @vcpu: its id
 * @pad: 0
 * @held: while STATUS_HELD: the event that was made when it was held
 */
struct vcpu_status {
	_Atomic uint32_t flags;
	uint32_t vm;
	uint32_t vcpu;
	uint32_t pad;
	struct regpin_event held;
};

/**
 * struct vm_status - likewise for a VM
 * @flags: STATUS_*; 0: a free slot
 * @vm: its number
 * @policy: number of the policy that it has
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
 * struct handoff - shared by the agent and every process that it was given to
 * @attached: number of VMs that got their policy
 * @refused: enum regpin_refusal + 1 once the shim has ended the VMM
 * @numbers: how many numbers have been given to VMs, so that two processes of
 *	one VMM don't use the same in their events
 * @wake: a futex that the agent sleeps on; counted up to wake it
 * @ring: events
 * @answer: to struct control
 * @vms: the VMs; a slot whose @flags are 0 is free
 * @vcpus: likewise
 *
 * The agent trusts none of it for more than reporting: a VMM that has been
 * taken over can write here, and can do without us anyway.
 */
struct handoff {
	_Atomic uint32_t attached;
	_Atomic uint32_t refused;
	_Atomic uint32_t numbers;
	_Atomic uint32_t wake;
	uint32_t pad[28];
	struct ring ring;
	struct control_answer answer;
	struct vm_status vms[STATUS_VMS];
	struct vcpu_status vcpus[STATUS_VCPUS];
};

_Static_assert(offsetof(struct handoff, ring) == 128, "shared between builds");

#endif
