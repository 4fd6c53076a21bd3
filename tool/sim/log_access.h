/* SPDX-License-Identifier: GPL-2.0-only */
/* What a line of a log says. */
#ifndef REGPIN_TOOL_LOG_ACCESS_H
#define REGPIN_TOOL_LOG_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "trace.h"

/**
 * struct log_access - what a line says
 * @op: TRACE_RDMSR, TRACE_WRMSR, TRACE_CR, TRACE_SET or TRACE_INIT
 * @vcpu: which one; 0 where the line does not say
 * @kind: enum regpin_kind: the register
 * @index: of the MSR
 * @has_value: @value is known: what is written, or what the read returned
 * @value: see @has_value
 * @has_old: @old is known: what the register held before
 * @old: see @has_old
 * @refusal: what KVM had against it
 * @armed: the vCPU's pins held
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
