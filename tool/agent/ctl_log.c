// SPDX-License-Identifier: GPL-2.0-only
/* The agent's last lines of events. */
#include <stdlib.h>
#include <string.h>

#include "ctl_log.h"

void ctl_log_add(struct ctl_log *log, const char *line, size_t len)
{
	char **slot = &log->lines[log->next++ % CTL_LOG_LINES];

	free(*slot);
	*slot = len ? strndup(line, len - 1) : NULL;
}

uint64_t ctl_log_first(const struct ctl_log *log)
{
	return log->next > CTL_LOG_LINES ? log->next - CTL_LOG_LINES : 0;
}

const char *ctl_log_line(const struct ctl_log *log, uint64_t number)
{
	if (number < ctl_log_first(log) || number >= log->next)
		return NULL;
	return log->lines[number % CTL_LOG_LINES];
}

void ctl_log_free(struct ctl_log *log)
{
	for (unsigned int i = 0; i < CTL_LOG_LINES; i++)
		free(log->lines[i]);
	memset(log, 0, sizeof(*log));
}
