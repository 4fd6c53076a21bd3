/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs an input: a trace, in which each line must be valid, or a log, of which only some
 * lines are accesses. The first known line decides which of the two it is.
 */
#ifndef REGPIN_TOOL_SIM_READ_H
#define REGPIN_TOOL_SIM_READ_H

#include "log.h"
#include "sim_input.h"
#include "sim_print.h"
#include "sim_state.h"

enum reading { READS_NOTHING, READS_TRACE, READS_LOG };

/**
 * struct reader - an input that is run
 * @sim: the simulation that runs it
 * @other: a simulation of a KVM with the CR filter, or NULL. It is used if no option names the
 *	KVM and @sim's has no such filter: a trace's expectations may be met there
 * @printer: the output
 * @input: the lines
 * @reading: enum reading: the kind of input, as far as it is known
 * @log: facts from earlier lines of a log
 * @accesses: number of lines that were accesses
 * @events: number of lines of a log that are known and are no access, such as `armed`
 * @skipped: number of lines of a log in no form that is known
 * @fault: the fault of the first unknown line, while the kind of input is not known
 * @fault_line: the number of that line; 0: there is none
 */
struct reader {
	struct sim *sim, *other;
	struct printer *printer;
	struct input input;
	enum reading reading;
	struct log log;
	uint64_t accesses, events, skipped;
	struct trace_fault fault;
	uint64_t fault_line;
};

/* Runs the whole input. Returns an exit code, after messages. */
int reader_run(struct reader *reader);

#endif
