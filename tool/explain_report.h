/* SPDX-License-Identifier: GPL-2.0-only */
/* An explanation that is being written: between the files of `regpin explain`. */
#ifndef REGPIN_TOOL_EXPLAIN_REPORT_H
#define REGPIN_TOOL_EXPLAIN_REPORT_H

#include "explain.h"
#include "json.h"

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

/**
 * struct report - an explanation that is being written
 * @explain: what is explained
 * @json: where to; NULL: as text, to standard output
 * @text: room for a sentence
 * @names: the registers of which @said speaks
 * @last: the last one of these, or a range of them
 * @last_at: where its name begins
 * @said: what has not been printed yet, as the next register may be the same
 * @next: what is said of that
 */
struct report {
	struct explain explain;
	struct json *json;
	char text[EXPLAIN_TEXT];
	char names[1024];
	struct subject last;
	size_t last_at;
	struct sentences said, next;
};

/* A part of it, with a title, or as JSON with a key. */
void report_begin(struct report *report, const char *key, const char *title);
void report_end(struct report *report);

/* A line of the form "name: text". */
void report_line(struct report *report, const char *key, const char *name,
		 const char *text);

struct guest;

/* The rules of @policy that hold for @guest, as a policy. explain_guest.c */
void explain_resolve(const struct regpin_policy *policy,
		     const struct guest *guest, struct regpin_policy *to);

/* Which conditions of @policy hold for @guest. */
void report_guest(struct report *report, const struct regpin_policy *policy,
		  const struct guest *guest);

/* What KVM is given. explain_kvm.c */
void report_kvm(struct report *report);

/* And what becomes of accesses that KVM itself refuses. */
void report_refused(struct report *report);

/* What a guest may do. explain_subjects.c; 0 or -ENOMEM */
int report_subjects(struct report *report);

#endif
