/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The interface of agent and shim: the environment variable, the messages and the layout
 * of the shared memory. All of these are defined here alone.
 */
#ifndef REGPIN_SHIM_HANDOFF_H
#define REGPIN_SHIM_HANDOFF_H

#include <stddef.h>
#include <stdint.h>

#include "lib/policy/blob.h"
#include "lib/ring.h"
#include "lib/vm/state.h"

/*
 * "FILE,USER,NAME": where the agent listens. FILE is the number of an inherited O_PATH
 * file descriptor for the agent's socket, or -1. NAME is the name of an abstract socket,
 * for a process that has closed that file or has no /proc. USER is the agent's user id: a
 * process of another user that listens under NAME is refused. Without this variable the
 * shim does nothing.
 */
#define HANDOFF_ENV	"REGPIN_HANDOFF"

#define HANDOFF_MAGIC	0x6e697067u	/* "gpin" */
#define HANDOFF_VERSION	10u

/*
 * The agent numbers each policy that it hands out, 1 for the first; the number is in the
 * policy's blob, in the events of its rules, and in struct vm_status.
 *
 * Each packet on a connection (SOCK_SEQPACKET) is one message. The process connects
 * before it creates a VM; the agent authenticates it and answers WELCOME, or the reason
 * for which it refuses. When there is a VM, the process sends ASK with the VM's file
 * (SCM_RIGHTS), and gets GIVEN with HANDOFF_FILES files: the policy's blob (sealed),
 * struct control (which only the agent can write: F_SEAL_FUTURE_WRITE), and struct
 * handoff. The process closes these files when they are mapped, and the connection when
 * the VM has its policy. As long as the connection is open, the guard does not end the
 * process.
 */
enum handoff_word {
	HANDOFF_WELCOME,	/* agent: the process may create its VM */
	HANDOFF_ASK,		/* process: asks for the policy, with its VM's file */
	HANDOFF_GIVEN,		/* agent: the policy and the shared memory */
	HANDOFF_REFUSED,	/* process: it ends; number is an enum regpin_refusal */
	HANDOFF_USER,		/* agent: refused, the process is another user's */
	HANDOFF_STRANGER,	/* agent: refused, the process is not from this `run` */
	HANDOFF_BUSY,		/* agent: too many processes create VMs at the moment */
	HANDOFF_NO_VM,		/* agent: the file is not a VM's */
	HANDOFF_UNFIT,		/* agent: the guest could end its pins itself */
	HANDOFF_FAILED,		/* agent: out of memory or files */
	HANDOFF_WORDS
};

#define HANDOFF_FILES	3

/**
 * struct handoff_message - a message between process and agent
 * @magic: HANDOFF_MAGIC
 * @version: HANDOFF_VERSION
 * @word: enum handoff_word
 * @number: with HANDOFF_REFUSED: enum regpin_refusal; otherwise 0
 */
struct handoff_message {
	uint32_t magic;
	uint32_t version;
	uint32_t word;
	uint32_t number;
};

/* Exit status of a VMM that the shim ended, and of a `run` that could not start. */
#define EXIT_REGPIN	125

/* The agent's commands to the shim, with the members of struct control that they use. */
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
 * struct control - the agent's current command to the process, which can only read it
 * @request: number of the last command; the agent writes it last, and wakes the futex. A
 *	command that changes all vCPUs is done when each has looked at itself, that is,
 *	has compared its state with its VM's
 * @command: enum control_command
 * @vm: number of the VM, or CONTROL_ALL_VMS
 * @vcpu: id of the vCPU
 * @arg: see enum control_command
 * @once: the window ends when one kernel has finished its set-up
 * @blob_size: bytes of @blob
 * @agent: thread id of the agent, a robust futex: FUTEX_OWNER_DIED if the agent has died
 *	and no other one has taken over; 0: the agent has ended, or is ending
 * @pad: 0
 * @blob: a policy
 * @pad_blob: makes the size a multiple of 64
 *
 * The process answers in struct control_answer.
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
 * struct control_answer - the result of a command
 * @done: number of the last command that was carried out; the shim writes it after
 *	@result, and then wakes the agent
 * @result: 0, or a negative errno. -ENOENT: there is no such VM or vCPU. -EINVAL: an
 *	answer to a vCPU that is not held, the end of a window that is not open, or a bad
 *	blob. -ETIMEDOUT: the new policy is in force, but some vCPUs have not entered
 *	since. -ENOTRECOVERABLE: it is in force, but KVM has refused its filters for a VM,
 *	which is stopped. -ESTALE: some VMs have the new policy and cannot go back to the
 *	one that the others have. -EBUSY: some vCPUs have not adopted the last policy yet,
 *	or too many policies are in use. -EOPNOTSUPP: the host cannot enforce a rule. -E2BIG:
 *	a filter has no room for the policy. -EPERM: the policy does not accept a feature
 *	that a VM has. -ENOMEM: out of memory. -ECANCELED: the agent no longer waits
 * @overflow_base: with -E2BIG: the first MSR for which KVM's filter had no room
 * @overflow_nmsrs: number of MSRs in that range
 * @overflow_flags: the accesses (1: reads, 2: writes), and OVERFLOW_VMM if only the VMM's
 *	filter names the range
 * @overflow_more: number of further ranges without room
 * @pad: 0
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
#define STATUS_ARMED	(1u << 1)	/* its pins hold; VM: those of at least one vCPU */
#define STATUS_HELD	(1u << 2)	/* vCPU: waits for an answer */
#define STATUS_WINDOW	(1u << 3)	/* VM: a window is open */
#define STATUS_STOPPED	(1u << 4)	/* VM: its vCPUs may not enter */
#define STATUS_FILTERED	(1u << 5)	/* VM: KVM's CR filter is in place */
#define STATUS_POLLED	(1u << 6)	/* VM: CR rules are polled, not enforced */
#define STATUS_FRESH	(1u << 7)	/* vCPU: not set up since its INIT */
#define STATUS_SETUP	(1u << 8)	/* armed, but its set-up is not finished */
#define STATUS_UNREACHED (1u << 9)	/* kicks do not reach it; VM: one of its vCPUs */
#define STATUS_CLOSED	(1u << 10)	/* VM: its gate is closed, and no window is open */

#define STATUS_VMS	64	/* at a time; one more VM ends the VMM */
#define STATUS_VCPUS	1024

/**
 * struct vcpu_status - status of a vCPU
 * @flags: STATUS_*; 0: the slot is free. Written last
 * @vm: number of its VM
 * @vcpu: its id
 * @pad: 0
 * @held: with STATUS_HELD: the event that was reported when it was held
 */
struct vcpu_status {
	_Atomic uint32_t flags;
	uint32_t vm;
	uint32_t vcpu;
	uint32_t pad;
	struct regpin_event held;
};

/**
 * struct vm_status - status of a VM
 * @flags: STATUS_*; 0: the slot is free
 * @vm: its number
 * @policy: number of its policy
 * @pad: 0
 * @state: fingerprints of the states that were taken out (saved or migrated) or loaded.
 *	They stay when the VM is closed, until another VM gets the slot
 */
struct vm_status {
	_Atomic uint32_t flags;
	uint32_t vm;
	_Atomic uint32_t policy;
	uint32_t pad;
	struct state_seen state;
};

/**
 * struct handoff - the memory that the agent and its processes share
 * @attached: number of VMs that got their policy
 * @refused: enum regpin_refusal + 1 once the shim has ended the VMM
 * @numbers: number of VMs so far. It gives each VM its number, so that two processes of one
 *	VMM do not use the same number in their events
 * @wake: the futex on which the agent sleeps; incremented to wake it
 * @pad: 0
 * @ring: events
 * @answer: the answer to struct control
 * @vms: status of the VMs
 * @vcpus: status of the vCPUs
 *
 * The agent uses this memory for reports only: an attacker that has compromised a VMM can
 * write here, and could bypass regpin altogether.
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
