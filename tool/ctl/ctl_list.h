/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REGPIN_TOOL_CTL_LIST_H
#define REGPIN_TOOL_CTL_LIST_H

#include <stdbool.h>

/*
 * `regpin list`, `regpin ctl list` and `regpin ctl status`: prints all VMs of the host, as far
 * as this user can read the folders of their sockets, or all in @dir if that is not NULL; as a
 * table, or as JSON. @title begins messages. Returns an exit code.
 */
int ctl_list(const char *title, const char *dir, bool json);

#endif
