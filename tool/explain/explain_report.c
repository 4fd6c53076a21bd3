// SPDX-License-Identifier: GPL-2.0-only
/* An explanation that is being written: as text, or as JSON. */
#include <stdio.h>

#include "explain_report.h"

void report_begin(struct report *report, const char *key,
		  const char *title)
{
	if (report->json)
		json_object_begin(report->json, key);
	else
		printf("\n%s\n", title);
}

void report_end(struct report *report)
{
	if (report->json)
		json_object_end(report->json);
}

void report_line(struct report *report, const char *key, const char *name,
		 const char *text)
{
	if (report->json)
		json_string(report->json, key, text);
	else
		printf("  %s: %s\n", name, text);
}
