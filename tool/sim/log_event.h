/* SPDX-License-Identifier: GPL-2.0-only */
/* regpin's own events as accesses. */
#ifndef REGPIN_TOOL_LOG_EVENT_H
#define REGPIN_TOOL_LOG_EVENT_H

#include <stddef.h>

#include "log_access.h"

/* Reads a line of @size bytes as an event. Fills in @access if the event is of an access. */
enum log_kind log_event(const char *text, size_t size,
			struct log_access *access);

#endif
