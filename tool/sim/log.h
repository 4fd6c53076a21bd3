/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Accesses in logs: messages of Linux, KVM and QEMU about MSRs, KVM's trace events, and
 * regpin's own events. Prefixes (dmesg, syslog, the journal) are skipped. The forms are
 * listed in regpin-trace(5), "LOGS".
 */
#ifndef REGPIN_TOOL_LOG_H
#define REGPIN_TOOL_LOG_H

#include "log_access.h"

/* Threads whose vCPU is known; vCPUs of further threads share a number. */
#define LOG_THREADS	256

/**
 * struct log - facts from earlier lines about the vCPUs of threads
 * @nr: number of threads
 * @threads: ids of the threads that run vCPUs
 * @vcpus: the number of the vCPU of each thread
 */
struct log {
	unsigned int nr;
	uint32_t threads[LOG_THREADS];
	uint16_t vcpus[LOG_THREADS];
};

/* Reads a line of @size bytes, which may be any. Fills in @access if it is an access. */
enum log_kind log_read(struct log *log, const char *text, size_t size,
		       struct log_access *access);

#define LOG_STATEMENT	128

/* Writes @access as a statement of a trace, without the old value. */
void log_statement(const struct log_access *access, char text[LOG_STATEMENT]);

/* The forms of input that `regpin sim` reads, for messages. */
extern const char log_forms[];

#endif
