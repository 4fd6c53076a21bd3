/* SPDX-License-Identifier: GPL-2.0-only */
/* A trace of accesses, line by line. The format is in regpin-trace(5). */
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
	TRACE_RESET,		/* this and the next ones are about the VM */
	TRACE_ARM,
	TRACE_DISARM,
	TRACE_WINDOW,
	TRACE_OP_MAX
};

/* Outcomes of a line. */
enum outcome {
	OUTCOME_OK,		/* it happened, as without regpin */
	OUTCOME_REPORT,
	OUTCOME_MASK,
	OUTCOME_DROP,
	OUTCOME_GP,
	OUTCOME_PAUSE,		/* the vCPU is held, before the instruction */
	OUTCOME_STOP,		/* the VM does not run on */
	OUTCOME_NONE,		/* it could have no effect */
	OUTCOME_OPEN,		/* it depends on a value that is not known */
	OUTCOME_MAX
};

extern const char *const outcome_names[OUTCOME_MAX];

/* Why KVM itself refuses an access to an MSR. */
enum trace_refusal {
	TRACE_TAKEN,		/* KVM does not refuse the access */
	TRACE_UNKNOWN,		/* KVM does not know the MSR */
	TRACE_INVALID,		/* KVM knows the MSR, and refuses this access */
};

/**
 * struct trace_line - a line of a trace
 * @op: enum trace_op
 * @vcpu: the vCPU's number
 * @kind: enum regpin_kind: the register
 * @index: the MSR's index
 * @value: the value that is written; for an answer enum regpin_action
 * @relative: the register's present value is written, with the bits of @set set and those of
 *	@clear cleared, instead of @value
 * @open: the value that is written is not known
 * @set: see @relative
 * @clear: see @relative
 * @refusal: whether KVM refuses the access to an MSR
 * @once: the window also ends when a kernel writes LSTAR
 * @expects: the line expects @outcome or, if that is OUTCOME_MAX, @result: the value that the
 *	read returns, or that the register has afterwards
 * @outcome: enum outcome
 * @result: see @expects
 * @len: length of the statement, without expectation, comment and blanks around it
 * @start: offset of the statement in the line
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
 * struct trace_fault - an error in a line
 * @column: its column, from 1
 * @text: the error and the remedy
 */
struct trace_fault {
	unsigned int column;
	char text[440];
};

/*
 * Reads one line of @size bytes, with or without its line break. Returns 1, or 0 if it has
 * only blanks and a comment, or -1 and fills in @fault.
 */
int trace_read(const char *text, size_t size, struct trace_line *line,
	       struct trace_fault *fault);

#endif
