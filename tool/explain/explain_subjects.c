// SPDX-License-Identifier: GPL-2.0-only
/* The accesses that a guest may still make, register by register. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/policy/registers.h"

#include "event/event_parts.h"
#include "explain.h"
#include "explain_name.h"
#include "explain_subjects.h"
#include "explain_writes.h"

/* The beginnings of the lines on writes. */
static const char *const phase_texts[PHASE_MAX] = {
	[PHASE_UNARMED] = "writes, unarmed",
	[PHASE_BESIDE] = "writes, unarmed beside armed vCPUs that are set up",
	[PHASE_FIRST] = "writes, armed, in the first armed vCPU's syscall set-up",
	[PHASE_SETUP] = "writes, armed, in its syscall set-up",
	[PHASE_DONE] = "writes, armed",
};

static const char *const phase_keys[PHASE_MAX] = {
	[PHASE_UNARMED] = "unarmed",
	[PHASE_BESIDE] = "beside",
	[PHASE_FIRST] = "first_setup",
	[PHASE_SETUP] = "setup",
	[PHASE_DONE] = "after_setup",
};

static bool is_request(const struct report *report,
		       const struct subject *subject)
{
	uint32_t msr = report->explain.policy->settings.request_msr;

	return msr && subject->kind == REGPIN_MSR && subject->index == msr;
}

/* Prints a line for each phase, but one line for phases with the same text. */
static void write_lines(struct report *report)
{
	static const uint8_t as[PHASE_MAX] = {
		[PHASE_UNARMED] = PHASE_UNARMED, [PHASE_BESIDE] = PHASE_UNARMED,
		[PHASE_FIRST] = PHASE_SETUP, [PHASE_SETUP] = PHASE_DONE,
		[PHASE_DONE] = PHASE_DONE,
	};
	bool start = report->explain.policy->arming == ARM_START, one = true;
	const struct sentences *said = &report->said;

	for (unsigned int i = 1; i < PHASE_MAX; i++)
		one = one && !strcmp(said->writes[0], said->writes[i]);
	for (unsigned int i = 0; i < PHASE_MAX; i++) {
		if (one && i != PHASE_DONE)
			continue;
		/* With `arming: start` all vCPUs are armed. */
		if (start && !phase_is_armed(i))
			continue;
		if (as[i] != i &&
		    !strcmp(said->writes[i], said->writes[as[i]]))
			continue;
		if (report->json)
			json_string(report->json, one ? "always" :
				    phase_keys[i], said->writes[i]);
		else
			printf("    %s: %s\n", one ? "writes" : phase_texts[i],
			       said->writes[i]);
	}
}

static void print_names(const struct report *report)
{
	const char *between = "\n  ";
	char name[128];

	for (unsigned int i = 0; i < report->nr; i++) {
		explain_name(name, sizeof(name), &report->list[i]);
		printf("%s%s", between, name);
		between = ", ";
	}
	puts(report->others ? "\n  all other MSRs" : "");
}

void json_subject(struct json *json, const struct subject *subject)
{
	json_object_begin(json, NULL);
	event_put_registers(json, subject->kind, subject->index,
			    subject->count);
	json_object_end(json);
}

static void json_names(const struct report *report)
{
	json_array_begin(report->json, "registers");
	for (unsigned int i = 0; i < report->nr; i++)
		json_subject(report->json, &report->list[i]);
	json_array_end(report->json);
	json_bool(report->json, "others", report->others);
}

/* Prints report->said, which describes report->list. */
static void print_said(struct report *report)
{
	static const char asks[] = "a write requests arming";
	const struct sentences *said = &report->said;
	struct json *json = report->json;

	if (!report->nr && !report->others)
		return;
	if (json) {
		json_object_begin(json, NULL);
		json_names(report);
		if (said->kind == REGPIN_MSR)
			json_string(json, "reads", said->reads);
		json_object_begin(json, "writes");
	} else {
		print_names(report);
		if (said->kind == REGPIN_MSR)
			printf("    reads: %s\n", said->reads);
	}
	if (!said->request)
		write_lines(report);
	else if (json)
		json_string(json, "always", asks);
	else
		printf("    writes: %s\n", asks);
	if (json) {
		json_object_end(json);
		json_object_end(json);
	}
	report->nr = 0;
}

static bool same(const struct sentences *a, const struct sentences *b)
{
	for (int i = 0; i < PHASE_MAX; i++)
		if (strcmp(a->writes[i], b->writes[i]) != 0)
			return false;
	return a->kind == b->kind && a->request == b->request &&
	       !strcmp(a->reads, b->reads);
}

/* Are both MSRs without names, with consecutive indices? Then they are one range. */
static bool joins(const struct subject *last, const struct subject *what)
{
	return last->kind == REGPIN_MSR && what->kind == REGPIN_MSR &&
	       last->index + last->count == what->index &&
	       (last->count > 1 || !register_find(REGPIN_MSR, last->index)) &&
	       (what->count > 1 || !register_find(REGPIN_MSR, what->index));
}

/* Adds @what to the registers that report->said describes. Returns false without room. */
static bool join_said(struct report *report, const struct subject *what)
{
	struct subject *last = &report->list[report->nr - 1];

	if (joins(last, what)) {
		last->count += what->count;
		return true;
	}
	if (report->nr == REPORT_LIST)
		return false;
	report->list[report->nr++] = *what;
	return true;
}

/* Describes @what; registers with the same description share their lines. */
static void add_subject(struct report *report, const struct subject *what)
{
	struct sentences *next = &report->next;

	next->kind = what->kind;
	next->request = is_request(report, what);
	explain_reads(&report->explain, what, next->reads,
		      sizeof(next->reads));
	for (int i = 0; i < PHASE_MAX; i++)
		explain_writes(&report->explain, what, (enum phase)i,
			       next->writes[i], EXPLAIN_TEXT);
	if (report->nr && same(&report->said, next) && join_said(report, what))
		return;
	print_said(report);
	report->said = *next;
	report->list[0] = *what;
	report->nr = 1;
}

int report_subjects(struct report *report)
{
	struct subject *list, rest;
	int nr = explain_subjects(&report->explain, &list);

	if (nr < 0)
		return nr;
	if (report->json)
		json_array_begin(report->json, "accesses");
	else
		puts("\nWhat a guest may do");
	for (int i = 0; i < nr; i++)
		add_subject(report, &list[i]);
	print_said(report);
	if (explain_rest(&report->explain, &rest)) {
		add_subject(report, &rest);
		report->nr = 0;
		report->others = true;
	}
	print_said(report);
	if (report->json)
		json_array_end(report->json);
	free(list);
	return 0;
}
