/* SPDX-License-Identifier: GPL-2.0-only */
/* An explanation that is being written, shared by the files of `regpin explain`. */
#ifndef REGPIN_TOOL_EXPLAIN_REPORT_H
#define REGPIN_TOOL_EXPLAIN_REPORT_H

#include "base/json.h"
#include "explain_subject.h"
#include "policy/policy_hash.h"

/**
 * struct sentences - the description of one or several registers
 * @kind: the kind of the registers
 * @request: it is the MSR by which guests request arming
 * @reads: about reads
 * @writes: about writes in each phase
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
 * @explain: the policy that is explained
 * @json: the output; NULL: text on standard output
 * @verbose: the text includes KVM's filters
 * @hash: of the policy's text
 * @text: room for a sentence
 * @list: the registers that @said describes, with ranges joined
 * @nr: number of @list
 * @others: @said describes all MSRs without a rule instead
 * @said: sentences that are not printed yet, as the next register may share them
 * @next: the sentences about the next register
 */
struct report {
	struct explain explain;
	struct json *json;
	bool verbose;
	char hash[POLICY_HASH_MAX];
	char text[EXPLAIN_TEXT];
	struct subject list[REPORT_LIST];
	unsigned int nr;
	bool others;
	struct sentences said, next;
};

/* A part of the explanation, with a title in text, or with a key in JSON. */
void report_begin(struct report *report, const char *key, const char *title);
void report_end(struct report *report);

/* A line of the form "name: text". */
void report_line(struct report *report, const char *key, const char *name,
		 const char *text);

#endif
