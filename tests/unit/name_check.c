// SPDX-License-Identifier: GPL-2.0-only
/*
 * name_check GROUP EXCEPTIONS: reads lines "NAME VALUE" and reports which of these
 * names of MSRs the table does not know, or has at another index. EXCEPTIONS lists
 * names that are not an MSR's, as "group<TAB>pattern<TAB>reason"
 * (tests/unit/msr_names.except). The last line is "KNOWN known, EXCEPTED excepted"; the
 * exit status is 1 if anything is wrong.
 */
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/policy/register_names.h"

static struct exception {
	char group[16], pattern[80];
	char reason[160];
} exceptions[256];
static unsigned int nr_exceptions;

static void read_exceptions(const char *path)
{
	FILE *file = fopen(path, "re");
	char line[300];

	if (!file) {
		perror(path);
		exit(2);
	}
	while (fgets(line, sizeof(line), file)) {
		struct exception *e = &exceptions[nr_exceptions];

		if (line[0] == '#')
			continue;
		if (nr_exceptions == 256 ||
		    sscanf(line, "%15[^\t]\t%79[^\t]\t%159[^\n]", e->group,
			   e->pattern, e->reason) != 3) {
			fprintf(stderr, "%s: expected group, pattern and reason: %s",
				path, line);
			exit(2);
		}
		nr_exceptions++;
	}
	fclose(file);
}

static const struct exception *exception_of(const char *group,
					    const char *name)
{
	for (unsigned int i = 0; i < nr_exceptions; i++) {
		const struct exception *e = &exceptions[i];

		if ((!strcmp(e->group, "all") || !strcmp(e->group, group)) &&
		    !fnmatch(e->pattern, name, 0))
			return e;
	}
	return NULL;
}

/* Compares @name, which is @value in the header, with the table. */
static const char *fault_of(const char *name, const char *value)
{
	static char text[160];
	struct register_named named;
	uint64_t number;
	char *end;

	number = strtoull(value, &end, 16);
	if (*end || end == value)
		return "is not a number";
	if (!register_by_name(name, &named))
		return "is unknown";
	if (named.reg->kind == REGPIN_MSR && named.index == number)
		return NULL;
	snprintf(text, sizeof(text), "is at 0x%" PRIx32, named.index);
	return text;
}

int main(int argc, char **argv)
{
	unsigned int known = 0, excepted = 0, wrong = 0;
	char name[128], value[32];

	if (argc != 3)
		return 2;
	read_exceptions(argv[2]);
	while (scanf("%127s %31s", name, value) == 2) {
		const struct exception *e = exception_of(argv[1], name);
		const char *fault = fault_of(name, value);

		/*
		 * An exception with a pattern may match a known name; one without a
		 * pattern may not.
		 */
		if (!fault && e && strpbrk(e->pattern, "*?["))
			e = NULL;
		if (!fault && e)
			printf("%s is in the table, so the exception is not needed (%s)\n",
			       name, e->pattern);
		else if (fault && !e)
			printf("%s %s: %s\n", name, value, fault);
		known += !fault;
		excepted += fault && e;
		wrong += !fault == (e != NULL);
	}
	printf("%u known, %u excepted\n", known, excepted);
	return wrong || !known;
}
