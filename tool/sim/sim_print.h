/* SPDX-License-Identifier: GPL-2.0-only */
/* The outcomes of a trace's lines, as text and as JSON. */
#ifndef REGPIN_TOOL_SIM_PRINT_H
#define REGPIN_TOOL_SIM_PRINT_H

#include "policy/which_kvm.h"
#include "sim_state.h"
#include "trace.h"

/**
 * struct printer - the output, on standard output
 * @kvm: the simulated KVM
 * @json: prints JSON
 * @quiet: prints only unexpected outcomes
 * @unexpected: number of unexpected outcomes
 * @elsewhere: number of outcomes that are as expected only on a KVM with the CR filter
 * @about: the beginning of the comment after a statement, or NULL
 * @len: number of bytes that wait in @buf
 */
struct printer {
	const struct which_kvm *kvm;
	bool json, quiet;
	uint64_t unexpected, elsewhere;
	const char *about;
	size_t len;
	char buf[1u << 16];
};

/* Prints a comment line, if the output is text. @texts end with NULL. */
void print_comment(struct printer *printer, const char *const texts[]);

/* Is the outcome of a line the one that the trace expects? */
enum expected {
	AS_EXPECTED,
	WITH_CR_FILTER,		/* not here, but on a KVM with the CR filter */
	UNEXPECTED,
};

/* Prints the line @text, with its outcome and the events that it caused. */
void print_line(struct printer *printer, const struct sim *sim,
		const struct trace_line *line, const char *text,
		uint64_t number, enum expected expected);

/* Prints a message about an unexpected outcome on standard error. */
void print_unexpected(struct printer *printer, const struct sim *sim,
		      const struct trace_line *line, const char *name,
		      uint64_t number, enum expected expected);

void print_flush(struct printer *printer);

#endif
