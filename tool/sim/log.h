/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Accesses in logs: what Linux, KVM and QEMU print about MSRs, KVM's trace events, and
 * regpin's own events. Prefixes (dmesg, syslog, the journal) are skipped. The forms are
 * listed in regpin-trace(5), "LOGS".
 */
#ifndef REGPIN_TOOL_LOG_H
#define REGPIN_TOOL_LOG_H

#include "trace.h"

/* Threads whose vCPU is known; of more than these, vCPUs share a number. */
#define LOG_THREADS	256

/**
 * struct log - what lines before say about those that follow
 * @nr: of the threads
 * @threads: ids of the threads that run vCPUs
 * @vcpus: the number of each one's vCPU
 */
struct log {
	unsigned int nr;
	uint32_t threads[LOG_THREADS];
	uint16_t vcpus[LOG_THREADS];
};

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

/* Reads a line of @size bytes, whatever these are. Fills in @access if it is one. */
enum log_kind log_read(struct log *log, const char *text, size_t size,
		       struct log_access *access);

#define LOG_STATEMENT	128

/* @access as a statement of a trace, without what was there before. */
void log_statement(const struct log_access *access, char text[LOG_STATEMENT]);

/* What `regpin sim` reads, for messages. */
extern const char log_forms[];

/* regpin's own events: log_event.c. */
enum log_kind log_event(const char *text, size_t size,
			struct log_access *access);

#endif
