/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gate of a VM, behind which its vCPUs may arm, as a table. Pure. */
#ifndef REGPIN_LIB_GATE_H
#define REGPIN_LIB_GATE_H

#include <stdbool.h>
#include <stdint.h>

/* When a VM's vCPUs may arm; struct regpin_vm's @gate. */
enum gate {
	GATE_OPEN,	/* by themselves */
	GATE_CLOSED,	/* not before the guest asks or the operator says so */
	GATE_WINDOW,	/* not before the operator's window ends */
	NR_GATES
};

/**
 * enum gate_event - what happens to the gate
 * @GATE_ARM: the operator arms, or ends a window
 * @GATE_REQUEST: the guest asks
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
 * struct gate_moment - what else the table asks for
 * @request: the policy arms when the guest asks
 * @operator: or when the operator says so
 * @first_life: there was no window and no disarming yet
 */
struct gate_moment {
	bool request, operator, first_life;
};

enum gate_act {
	GATE_FORGET = 1,	/* uniform values, and the floor, are open again */
	GATE_NEW_LIFE = 2,	/* the pins are void, and no kernel was noted */
	GATE_LOOK = 4,		/* all vCPUs look at themselves */
};

/**
 * struct gate_step - what the table says
 * @to: enum gate
 * @act: enum gate_act
 * @cause: enum regpin_cause of what arms or disarms from now on; GATE_NO_CAUSE: as it was
 * @why: one sentence
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
