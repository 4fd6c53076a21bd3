/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent's last lines of events, for `regpin ctl events`. Lines are numbered. A client
 * keeps the number of its next line, from which the number of missed lines follows.
 */
#ifndef REGPIN_TOOL_CTL_LOG_H
#define REGPIN_TOOL_CTL_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "ctl/ctl_request.h"

/**
 * struct ctl_log - the last lines
 * @next: number of the next line
 * @lines: line n is in slot n % CTL_LOG_LINES; NULL: there was no memory for it
 */
struct ctl_log {
	uint64_t next;
	char *lines[CTL_LOG_LINES];
};

/* Adds a line, which ends with '\n'. */
void ctl_log_add(struct ctl_log *log, const char *line, size_t len);

/* Number of the oldest line that is kept. */
uint64_t ctl_log_first(const struct ctl_log *log);

/* A line without its '\n', or NULL if it is not there. */
const char *ctl_log_line(const struct ctl_log *log, uint64_t number);

void ctl_log_free(struct ctl_log *log);

#endif
