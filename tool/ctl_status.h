/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the VMs and vCPUs are in, line by line, out of memory that the VMM's
 * process can write at any time: each entry is copied first, and made sense of.
 */
#ifndef REGPIN_TOOL_CTL_STATUS_H
#define REGPIN_TOOL_CTL_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ctl;

enum status_line {
	STATUS_LINE,	/* there is one */
	STATUS_SKIP,	/* there is none for this number */
	STATUS_END,	/* nor for all that follow */
};

/* Line @n, as JSON or for people, in @buf, of EVENT_LINE_MAX bytes. */
enum status_line ctl_status_line(const struct ctl *ctl, uint64_t n, bool json,
				 uint64_t now, char *buf);

#endif
