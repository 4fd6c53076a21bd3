// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Converts the library's status flags to STATUS_*, which do not change between builds: the
 * agent may be of another build.
 */
#include "handoff.h"
#include "status.h"

uint32_t status_of_vcpu(struct regpin_vcpu *vcpu, struct regpin_event *held)
{
	unsigned int is = regpin_vcpu_status(vcpu, held);
	uint32_t flags = STATUS_PRESENT;

	if (is & REGPIN_IS_ARMED)
		flags |= STATUS_ARMED;
	if (is & REGPIN_IS_HELD)
		flags |= STATUS_HELD;
	if (is & REGPIN_IS_FRESH)
		flags |= STATUS_FRESH;
	if (is & REGPIN_IS_SETTING_UP)
		flags |= STATUS_SETUP;
	if (is & REGPIN_IS_UNREACHED)
		flags |= STATUS_UNREACHED;
	return flags;
}

uint32_t status_of_vm(struct regpin_vm *vm)
{
	unsigned int is = regpin_vm_status(vm);

	return STATUS_PRESENT |
	       (is & REGPIN_IS_ARMED ? STATUS_ARMED : 0) |
	       (is & REGPIN_IS_SETTING_UP ? STATUS_SETUP : 0) |
	       (is & REGPIN_IS_WINDOWED ? STATUS_WINDOW : 0) |
	       (is & REGPIN_IS_CLOSED ? STATUS_CLOSED : 0) |
	       (is & REGPIN_IS_STOPPED ? STATUS_STOPPED : 0) |
	       (is & REGPIN_IS_FILTERED ? STATUS_FILTERED : 0) |
	       (is & REGPIN_IS_POLLED ? STATUS_POLLED : 0) |
	       (is & REGPIN_IS_UNREACHED ? STATUS_UNREACHED : 0);
}
