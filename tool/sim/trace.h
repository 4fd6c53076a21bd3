/* SPDX-License-Identifier: GPL-2.0-only */
/* A trace of accesses, line by line. The format: regpin-trace(5). */
#ifndef REGPIN_TOOL_TRACE_H
#define REGPIN_TOOL_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_MAX_LINE	4096u		/* bytes, with its line break */
#define TRACE_MAX_VCPU	1023u

enum trace_op {
	TRACE_RDMSR,
	TRACE_WRMSR,
	TRACE_CR,		/* a write to CR0, CR4 or XCR0 */
	TRACE_SET,		/* the VMM writes a register */
	TRACE_INIT,
	TRACE_HYPERCALL,
	TRACE_LOOK,
	TRACE_ANSWER,
	TRACE_RESET,		/* from here on: of the VM, not of a vCPU */
	TRACE_ARM,
	TRACE_DISARM,
	TRACE_WINDOW,
	TRACE_OP_MAX
};

/* What may have come of a line. */
enum outcome {
	OUTCOME_OK,		/* it happened, as without regpin */
	OUTCOME_REPORT,
	OUTCOME_MASK,
	OUTCOME_DROP,
	OUTCOME_GP,
	OUTCOME_PAUSE,		/* the vCPU is held, before the instruction */
	OUTCOME_STOP,		/* the VM does not run on */
	OUTCOME_NONE,		/* there is nothing that it could have done */
	OUTCOME_OPEN,		/* it depends on a value that is not known */
	OUTCOME_MAX
};

extern const char *const outcome_names[OUTCOME_MAX];

/* What KVM itself has against an access to an MSR. */
enum trace_refusal {
	TRACE_TAKEN,		/* nothing */
	TRACE_UNKNOWN,		/* it does not know the MSR */
	TRACE_INVALID,		/* it refuses this access */
};

/**
 * struct trace_line - what one line says
 * @op: enum trace_op
 * @vcpu: which one
 * @kind: enum regpin_kind: the register
 * @index: of the MSR
 * @value: what is written; the answer's enum regpin_action
 * @relative: what is written is what the register holds, with the bits of @set set and
 *	those of @clear cleared, instead of @value
 * @open: what is written is not known, instead of @value
 * @set: see @relative
 * @clear: likewise
 * @refusal: of an access to an MSR
 * @once: of a window
 * @expects: an outcome is expected: @outcome, or, if that is OUTCOME_MAX, that the
 *	register holds @result afterwards, or the read returned it
 * @outcome: enum outcome
 * @result: see @expects
 * @len: of the statement, without what is expected, blanks and comment around it
 * @start: where it begins in its line
 */
struct trace_line {
	enum trace_op op;
	uint32_t vcpu;
	unsigned int kind;
	uint32_t index;
	uint64_t value, set, clear;
	enum trace_refusal refusal;
	bool relative, open, once, expects;
	enum outcome outcome;
	uint64_t result;
	size_t start, len;
};

/**
 * struct trace_fault - what is wrong with a line
 * @column: where, from 1
 * @text: what, and what to do about it
 */
struct trace_fault {
	unsigned int column;
	char text[440];
};

/*
 * Reads one line of @size bytes, with or without its line break. Returns 1, or 0 if
 * nothing stands in it but blanks and a comment, or -1 and fills in @fault.
 */
int trace_read(const char *text, size_t size, struct trace_line *line,
	       struct trace_fault *fault);

#endif
