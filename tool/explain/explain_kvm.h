/* SPDX-License-Identifier: GPL-2.0-only */
/* What KVM is given for a policy. */
#ifndef REGPIN_TOOL_EXPLAIN_KVM_H
#define REGPIN_TOOL_EXPLAIN_KVM_H

#include "explain_report.h"

/* What KVM is given. */
void report_kvm(struct report *report);

/* And what becomes of accesses that KVM itself refuses. */
void report_refused(struct report *report);

#endif
