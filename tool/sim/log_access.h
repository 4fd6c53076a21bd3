/* SPDX-License-Identifier: GPL-2.0-only */
/* An access, as a line of a log describes it. */
#ifndef REGPIN_TOOL_LOG_ACCESS_H
#define REGPIN_TOOL_LOG_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "trace.h"

/**
 * struct log_access - an access in a log
 * @op: TRACE_RDMSR, TRACE_WRMSR, TRACE_CR, TRACE_SET or TRACE_INIT
 * @vcpu: the vCPU's number; 0 if the line does not have it
 * @kind: enum regpin_kind: the register
 * @index: the MSR's index
 * @has_value: @value is known
 * @value: the value that was written, or that the read returned
 * @has_old: @old is known
 * @old: the previous value of the register
 * @refusal: why KVM refused the access
 * @armed: the vCPU was armed
 * @vmms: it is the VMM's own access, which no policy judges
 */
struct log_access {
	enum trace_op op;
	uint32_t vcpu;
	unsigned int kind;
	uint32_t index;
	bool has_value, has_old, armed, vmms;
	uint64_t value, old;
	enum trace_refusal refusal;
};

enum log_kind {
	LOG_UNRELATED,		/* about something else, or damaged */
	LOG_KNOWN,		/* of a known form, but no access that is judged */
	LOG_ACCESS,
};

#endif
