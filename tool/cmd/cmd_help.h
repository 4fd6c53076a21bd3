/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The texts of `regpin help COMMAND` and `regpin COMMAND --help`. The shells' completion reads
 * a command's options from its text, and tests/unit/tools.sh runs the examples.
 */
#ifndef REGPIN_TOOL_CMD_HELP_H
#define REGPIN_TOOL_CMD_HELP_H

extern const char help_check[];
extern const char help_compile[];
extern const char help_probe[];
extern const char help_explain[];
extern const char help_diff[];
extern const char help_sim[];
extern const char help_regs[];
extern const char help_policies[];
extern const char help_run[];
extern const char help_list[];
extern const char help_ctl[];

#endif
