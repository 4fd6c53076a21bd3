/* SPDX-License-Identifier: GPL-2.0-only */
/* `status`: the VMM's process, as the kernel shows it. */
#ifndef REGPIN_TOOL_CTL_STATUS_VMM_H
#define REGPIN_TOOL_CTL_STATUS_VMM_H

struct agent;
struct json;

/* The process as an object of JSON. */
void status_put_vmm(struct json *json, const struct agent *agent);

/* A remark if the process does not run, or "". */
const char *status_vmm_text(const struct agent *agent);

#endif
