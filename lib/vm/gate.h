/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gate of a VM, which must be open for its vCPUs to arm, as a table. Pure. */
#ifndef REGPIN_LIB_GATE_H
#define REGPIN_LIB_GATE_H

#include <stdbool.h>
#include <stdint.h>

/* When a VM's vCPUs may arm; struct vm_gate's @state. */
enum gate {
	GATE_OPEN,	/* without a command */
	GATE_CLOSED,	/* not before the guest asks for its pins or the operator arms */
	GATE_WINDOW,	/* not before the operator's window ends */
	NR_GATES
};

/**
 * enum gate_event - the events that may open or close the gate
 * @GATE_ARM: the operator arms, or ends a window
 * @GATE_REQUEST: the guest asks for its pins
 * @GATE_LOADED: the VMM has loaded a state that has a kernel
 * @GATE_KERNEL_DONE: the kernel that the window was for has finished its set-up
 * @GATE_BEGIN_WINDOW: the operator begins a window
 * @GATE_DISARM: the operator disarms
 * @GATE_LAST_GONE: no vCPU keeps the VM armed any more
 */
enum gate_event {
	GATE_ARM, GATE_REQUEST, GATE_LOADED, GATE_KERNEL_DONE,
	GATE_BEGIN_WINDOW, GATE_DISARM, GATE_LAST_GONE,
	NR_GATE_EVENTS
};

/**
 * struct gate_moment - the conditions of the table, besides gate and event
 * @request: the policy has `arming: request`
 * @operator: the policy has `arming: operator`
 * @first_life: there was neither a window nor a disarming yet
 */
struct gate_moment {
	bool request, operator, first_life;
};

/* The duties of the caller. */
enum gate_act {
	GATE_FORGET = 1,	/* uniform values, and the floor, are open again */
	GATE_NEW_LIFE = 2,	/* all pins are void; a kernel seen before does not count */
	GATE_LOOK = 4,		/* all vCPUs look at themselves */
};

/**
 * struct gate_step - the step that the table gives
 * @to: the next state, enum gate
 * @act: enum gate_act
 * @cause: enum regpin_cause of armings or disarmings from now on; GATE_NO_CAUSE: as before
 * @why: the reason, one sentence
 */
struct gate_step {
	uint8_t to, act, cause;
	const char *why;
};

#define GATE_NO_CAUSE	0xff

/* Total: there is a row for each gate, event and moment. */
struct gate_step gate_next(enum gate gate, enum gate_event event,
			   const struct gate_moment *moment);

#endif
