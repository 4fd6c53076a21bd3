/* SPDX-License-Identifier: GPL-2.0-only */
/* `status`: the lines about VMs. */
#ifndef REGPIN_TOOL_CTL_STATUS_VM_H
#define REGPIN_TOOL_CTL_STATUS_VM_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl_status_line.h"

struct ctl;

/**
 * struct ctl_windows - the open windows
 * @nr: the number of VMs that have one
 * @left_ms: the time until the last one closes, as far as it is known
 */
struct ctl_windows {
	unsigned int nr;
	uint64_t left_ms;
};

struct ctl_windows ctl_count_windows(const struct ctl *ctl, uint64_t now);

/* Writes the line of the VM in @slot, as JSON or as text, to @buf of EVENT_LINE_MAX bytes. */
enum status_line ctl_vm_line(const struct ctl *ctl, unsigned int slot, bool json,
			     uint64_t now, char *buf);

#endif
