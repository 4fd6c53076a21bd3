/* SPDX-License-Identifier: GPL-2.0-only */
/* The accesses that a guest may still make, register by register. */
#ifndef REGPIN_TOOL_EXPLAIN_SUBJECTS_H
#define REGPIN_TOOL_EXPLAIN_SUBJECTS_H

#include "base/json.h"
#include "explain_report.h"

/* {"register": "EFER", "index": "0xc0000080"}, {"index": "0x10a", "last": "0x10f"} */
void json_subject(struct json *json, const struct subject *subject);

/* Describes all registers of the policy. Returns 0 or -ENOMEM. */
int report_subjects(struct report *report);

#endif
