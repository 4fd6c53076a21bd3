/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REGPIN_TOOL_CTL_LIST_H
#define REGPIN_TOOL_CTL_LIST_H

#include <stdbool.h>

/* `regpin ctl list`: who can be talked to in @dir. Returns an exit code. */
int ctl_list(const char *dir, bool json);

#endif
