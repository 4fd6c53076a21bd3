/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The VMs of this process, for the operator's commands. */
#ifndef REGPIN_SHIM_VM_LIST_H
#define REGPIN_SHIM_VM_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "handoff.h"
#include "regpin/regpin.h"

/**
 * struct vm_slot - a VM that commands reach
 * @vm: the VM; NULL: the slot is free
 * @number: its number in commands and events
 * @window_end: when its window ends, CLOCK_MONOTONIC in ms; 0: no window is open
 */
struct vm_slot {
	struct regpin_vm *vm;
	uint32_t number;
	uint64_t window_end;
};

/**
 * struct vm_list - all VMs of this process; control_lock() protects it
 * @slots: the open VMs, in the order of struct handoff's @vms
 * @all: all VMs, linked by vm_older(); also VMs that were closed but still have vCPUs
 */
struct vm_list {
	struct vm_slot slots[STATUS_VMS];
	struct regpin_vm *all;
};

/* Adds a VM. Returns its slot, or -1 if none is free. */
int vm_list_add(struct vm_list *list, struct handoff *handoff,
		struct regpin_vm *vm, uint32_t number);

/* Frees the slots of VMs that the VMM has closed. Caller holds control_lock(). */
void vm_list_drop_closed(struct vm_list *list, struct handoff *handoff);

/* The time by CLOCK_MONOTONIC. */
uint64_t vm_list_now_ms(void);

/*
 * Waits until every vCPU has looked at the last change, for @ms milliseconds at most.
 * Returns 0 or -ETIMEDOUT.
 */
int vm_list_wait(struct regpin_vm *vm, uint32_t ms);

#endif
