/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Accesses in logs: what Linux, KVM and QEMU print about MSRs, KVM's trace events, and
 * regpin's own events. Prefixes (dmesg, syslog, the journal) are skipped. The forms are
 * listed in regpin-trace(5), "LOGS".
 */
#ifndef REGPIN_TOOL_LOG_H
#define REGPIN_TOOL_LOG_H

#include "log_access.h"

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

/* Reads a line of @size bytes, whatever these are. Fills in @access if it is one. */
enum log_kind log_read(struct log *log, const char *text, size_t size,
		       struct log_access *access);

#define LOG_STATEMENT	128

/* @access as a statement of a trace, without what was there before. */
void log_statement(const struct log_access *access, char text[LOG_STATEMENT]);

/* What `regpin sim` reads, for messages. */
extern const char log_forms[];

#endif
