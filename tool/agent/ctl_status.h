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

#include "ctl/ctl_request.h"

struct ctl;

enum status_line {
	STATUS_LINE,	/* there is one */
	STATUS_SKIP,	/* there is none for this number */
	STATUS_END,	/* nor for all that follow */
};

/**
 * struct vcpu_tally - vCPUs in numbers, as the VMM's process shows them
 * @vcpus: all of them
 * @armed: how many are armed
 * @held: and how many are held
 */
struct vcpu_tally {
	unsigned int vcpus, armed, held;
};

/* Of VM @vm, or of CONTROL_ALL_VMS. */
struct vcpu_tally ctl_count_vcpus(const struct ctl *ctl, uint32_t vm);

/*
 * Line @n in @buf, of EVENT_LINE_MAX bytes. STATUS_WORDS has one line only, of
 * KEY=VALUE, for tables of many VMs.
 */
enum status_line ctl_status_line(const struct ctl *ctl, uint64_t n,
				 enum status_format format, uint64_t now,
				 char *buf);

#endif
