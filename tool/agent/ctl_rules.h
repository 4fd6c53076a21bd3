/* SPDX-License-Identifier: GPL-2.0-only */
/* The answer to `rules`: each rule of the policy in force, its mode and its counters. */
#ifndef REGPIN_TOOL_CTL_RULES_H
#define REGPIN_TOOL_CTL_RULES_H

#include <stdint.h>

#include "ctl/ctl_request.h"
#include "ctl_status_line.h"

struct ctl;

/* Writes line @n to @buf of EVENT_LINE_MAX bytes. @format is text or JSON. */
enum status_line ctl_rules_line(const struct ctl *ctl, uint64_t n,
				enum status_format format, char *buf);

#endif
