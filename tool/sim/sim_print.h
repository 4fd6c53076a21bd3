/* SPDX-License-Identifier: GPL-2.0-only */
/* What came of a trace's lines, for people and as JSON. */
#ifndef REGPIN_TOOL_SIM_PRINT_H
#define REGPIN_TOOL_SIM_PRINT_H

#include "policy/which_kvm.h"
#include "sim_state.h"
#include "trace.h"

/**
 * struct printer - where results go: standard output
 * @kvm: what is simulated
 * @json: as JSON
 * @quiet: only what is unexpected
 * @unexpected: how many that was
 * @elsewhere: how many more are as expected on a KVM with the CR filter only
 * @about: what a comment behind the statement begins with, or NULL
 * @len: of what waits in @buf
 */
struct printer {
	const struct which_kvm *kvm;
	bool json, quiet;
	uint64_t unexpected, elsewhere;
	const char *about;
	size_t len;
	char buf[1u << 16];
};

/* A line that is no statement, where results are text; the texts end with NULL. */
void print_comment(struct printer *printer, const char *const texts[]);

/* Is what came of a line what the trace expects? */
enum expected {
	AS_EXPECTED,
	WITH_CR_FILTER,		/* not here, but on a KVM with the CR filter */
	UNEXPECTED,
};

/* The line @text, with what came of it and what else happened. */
void print_line(struct printer *printer, const struct sim *sim,
		const struct trace_line *line, const char *text,
		uint64_t number, enum expected expected);

/* The same for standard error, as a message. */
void print_unexpected(struct printer *printer, const struct sim *sim,
		      const struct trace_line *line, const char *name,
		      uint64_t number, enum expected expected);

void print_flush(struct printer *printer);

#endif
