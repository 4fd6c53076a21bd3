/* SPDX-License-Identifier: GPL-2.0-only */
/* An explanation that is being written: between the files of `regpin explain`. */
#ifndef REGPIN_TOOL_EXPLAIN_REPORT_H
#define REGPIN_TOOL_EXPLAIN_REPORT_H

#include "base/json.h"
#include "explain_subject.h"

/**
 * struct sentences - what is said of one or several registers
 * @kind: of these
 * @request: it is the one by which guests ask for their pins
 * @reads: of them
 * @writes: in each phase
 */
struct sentences {
	unsigned int kind;
	bool request;
	char reads[128];
	char writes[PHASE_MAX][EXPLAIN_TEXT];
};

#define REPORT_LIST	16	/* registers that share their lines */

/**
 * struct report - an explanation that is being written
 * @explain: what is explained
 * @json: where to; NULL: as text, to standard output
 * @verbose: KVM's filters are wanted in the text
 * @text: room for a sentence
 * @list: the registers of which @said speaks, ranges of them joined
 * @nr: their number; 0: none
 * @others: all MSRs that no rule speaks of are meant instead
 * @said: what has not been printed yet, as the next register may be the same
 * @next: what is said of that
 */
struct report {
	struct explain explain;
	struct json *json;
	bool verbose;
	char text[EXPLAIN_TEXT];
	struct subject list[REPORT_LIST];
	unsigned int nr;
	bool others;
	struct sentences said, next;
};

/* A part of it, with a title, or as JSON with a key. */
void report_begin(struct report *report, const char *key, const char *title);
void report_end(struct report *report);

/* A line of the form "name: text". */
void report_line(struct report *report, const char *key, const char *name,
		 const char *text);

#endif
