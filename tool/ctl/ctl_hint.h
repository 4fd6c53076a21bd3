/* SPDX-License-Identifier: GPL-2.0-only */
/* The option --ctl in commands that messages propose. */
#ifndef REGPIN_TOOL_CTL_HINT_H
#define REGPIN_TOOL_CTL_HINT_H

/**
 * struct ctl_hint - the option
 * @text: " --ctl /run/vms", in quotation marks if a shell needs them; "" if no folder was named
 */
struct ctl_hint {
	char text[256];
};

/* @dir: the folder as the user named it, or NULL. */
struct ctl_hint ctl_hint(const char *dir);

#endif
