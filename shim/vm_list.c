// SPDX-License-Identifier: LGPL-2.1-or-later
/* The VMs of this process, for the operator's commands. */
#include <errno.h>
#include <time.h>

#include "fds.h"
#include "lib/vm/embed.h"
#include "lib/vm/migration.h"
#include "vm_list.h"

uint64_t vm_list_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void sleep_ms(long ms)
{
	const struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

int vm_list_wait(struct regpin_vm *vm, uint32_t ms)
{
	uint64_t end = vm_list_now_ms() + ms;

	do {
		sleep_ms(1);
		if (regpin_vm_settled(vm))
			return 0;
	} while (vm_list_now_ms() < end);
	return -ETIMEDOUT;
}

static bool has_slot(const struct vm_list *list, const struct regpin_vm *vm)
{
	for (unsigned int i = 0; i < STATUS_VMS; i++)
		if (list->slots[i].vm == vm)
			return true;
	return false;
}

/* Forgets VMs without an open file, a slot or a vCPU: they are never used again. */
static void forget_unused(struct vm_list *list)
{
	struct regpin_vm **at = &list->all, *vm;

	while ((vm = *at)) {
		if (has_slot(list, vm) || vm_first_vcpu(vm) ||
		    fds_vm_is_open(vm)) {
			at = vm_older(vm);
			continue;
		}
		fds_forget_vm(vm);
		*at = *vm_older(vm);
	}
}

void vm_list_drop_closed(struct vm_list *list, struct handoff *handoff)
{
	for (unsigned int i = 0; i < STATUS_VMS; i++) {
		struct vm_slot *slot = &list->slots[i];

		if (!slot->vm || fds_vm_is_open(slot->vm))
			continue;
		migration_set_seen(slot->vm, NULL);
		/* Also forgets its window. */
		*slot = (struct vm_slot){ .vm = NULL };
		atomic_store(&handoff->vms[i].flags, 0);
	}
	forget_unused(list);
}

int vm_list_add(struct vm_list *list, struct handoff *handoff,
		struct regpin_vm *vm, uint32_t number)
{
	int free = -1;

	for (int i = 0; i < (int)STATUS_VMS && free < 0; i++)
		/* VMMs create VMs to probe KVM, and close them: their slots are free again. */
		if (!list->slots[i].vm || !fds_vm_is_open(list->slots[i].vm))
			free = i;
	if (free < 0)
		return -1;
	if (list->slots[free].vm)
		migration_set_seen(list->slots[free].vm, NULL);
	list->slots[free] = (struct vm_slot){ .vm = vm, .number = number };
	*vm_older(vm) = list->all;
	list->all = vm;
	handoff->vms[free].vm = number;
	migration_set_seen(vm, &handoff->vms[free].state);
	return free;
}
