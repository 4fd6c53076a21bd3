/* SPDX-License-Identifier: GPL-2.0-only */
/* The filters that KVM gets for a policy. */
#ifndef REGPIN_TOOL_EXPLAIN_KVM_H
#define REGPIN_TOOL_EXPLAIN_KVM_H

#include "explain_report.h"

/* Describes the filters. */
void report_kvm(struct report *report);

/* Describes how accesses that KVM itself refuses are handled. */
void report_refused(struct report *report);

#endif
