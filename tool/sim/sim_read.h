/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs what an input says: a trace, in which each line must be right, or a log, of which
 * only some lines say something. Which of the two it is, its first line that is known
 * decides.
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
 * @sim: by this simulation
 * @other: and by one of a KVM with the CR filter, or NULL: where no option names the KVM,
 *	and @sim's has no such filter, what is expected of a trace may be met there
 * @printer: where results go
 * @input: the lines
 * @reading: enum reading: what it is, as far as that is known
 * @log: what its lines have said
 * @accesses: how many lines were accesses
 * @skipped: lines of a log about something else
 * @fault: of the first line that is neither, while that is not known
 * @fault_line: its number; 0: there is none
 */
struct reader {
	struct sim *sim, *other;
	struct printer *printer;
	struct input input;
	enum reading reading;
	struct log log;
	uint64_t accesses, skipped;
	struct trace_fault fault;
	uint64_t fault_line;
};

/* Runs all of it. Returns an exit code; messages are printed. */
int reader_run(struct reader *reader);

#endif
