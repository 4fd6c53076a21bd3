/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of VMs and vCPUs, line by line. It is read from memory that the VMM's process
 * can write at any time, so each entry is copied before it is checked and shown.
 */
#ifndef REGPIN_TOOL_CTL_STATUS_H
#define REGPIN_TOOL_CTL_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/ctl_request.h"
#include "ctl_status_line.h"

struct ctl;

/**
 * struct vcpu_tally - numbers of vCPUs, as the VMM's process shows them
 * @vcpus: of all vCPUs
 * @armed: of armed vCPUs
 * @held: of held vCPUs
 */
struct vcpu_tally {
	unsigned int vcpus, armed, held;
};

/* Counts the vCPUs of VM @vm, or of all VMs if @vm is CONTROL_ALL_VMS. */
struct vcpu_tally ctl_count_vcpus(const struct ctl *ctl, uint32_t vm);

/*
 * Writes line @n to @buf, of EVENT_LINE_MAX bytes. STATUS_WORDS has only one line, of
 * KEY=VALUE, for tables of many VMs.
 */
enum status_line ctl_status_line(const struct ctl *ctl, uint64_t n,
				 enum status_format format, uint64_t now,
				 char *buf);

#endif
