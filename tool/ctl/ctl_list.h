/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REGPIN_TOOL_CTL_LIST_H
#define REGPIN_TOOL_CTL_LIST_H

#include <stdbool.h>

/*
 * `regpin ctl list` and `regpin ctl status`: prints all VMs in @dir, as a table or as JSON. A
 * missing @dir is an error only if it was @given. Returns an exit code.
 */
int ctl_list(const char *dir, bool given, bool json);

#endif
