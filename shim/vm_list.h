/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The VMs of this process that the operator's commands are for. */
#ifndef REGPIN_SHIM_VM_LIST_H
#define REGPIN_SHIM_VM_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "handoff.h"
#include "regpin/regpin.h"

/**
 * struct vm_slot - a VM that commands reach
 * @vm: NULL: the slot is free
 * @number: by which commands name it
 * @window_end: CLOCK_MONOTONIC, ms; 0: no window is open
 */
struct vm_slot {
	struct regpin_vm *vm;
	uint32_t number;
	uint64_t window_end;
};

/**
 * struct vm_list - all VMs
 * @slots: in the order of struct handoff's @vms
 * @all: all VMs, by vm_older(): also those that were closed but still have vCPUs
 */
struct vm_list {
	struct vm_slot slots[STATUS_VMS];
	struct regpin_vm *all;
};

/* Adds a VM. Returns its slot, or -1 if none is free. */
int vm_list_add(struct vm_list *list, struct handoff *handoff,
		struct regpin_vm *vm, uint32_t number);

/* Frees the slots of VMs that the VMM has closed. */
void vm_list_drop_closed(struct vm_list *list, struct handoff *handoff);

/* CLOCK_MONOTONIC. */
uint64_t vm_list_now_ms(void);

/*
 * Waits until every vCPU has looked at what was changed, for @ms milliseconds at most.
 * Returns 0 or -ETIMEDOUT.
 */
int vm_list_wait(struct regpin_vm *vm, uint32_t ms);

#endif
