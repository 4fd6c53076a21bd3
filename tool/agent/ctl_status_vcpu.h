/* SPDX-License-Identifier: GPL-2.0-only */
/* `status`: the lines about vCPUs. */
#ifndef REGPIN_TOOL_CTL_STATUS_VCPU_H
#define REGPIN_TOOL_CTL_STATUS_VCPU_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl_status_line.h"

struct ctl;

/* Writes the line of the vCPU in @slot, as JSON or as text, to @buf of EVENT_LINE_MAX bytes. */
enum status_line ctl_vcpu_line(const struct ctl *ctl, unsigned int slot,
			       bool json, uint64_t now, char *buf);

#endif
