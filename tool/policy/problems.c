// SPDX-License-Identifier: GPL-2.0-only
/* Problems of a policy, printed for people. */
#include <inttypes.h>
#include <stdio.h>

#include "base/printable.h"
#include "problems.h"

static bool is_before(const struct problem *a, const struct problem *b)
{
	if (a->line != b->line)
		return a->line < b->line;
	return a->column < b->column;
}

/* Stable: of two problems at the same place, the one found first is reported first. */
void problems_sort(struct problems *problems)
{
	for (unsigned int i = 1; i < problems->nr; i++) {
		struct problem problem = problems->list[i];
		unsigned int to = i;

		while (to && is_before(&problem, &problems->list[to - 1])) {
			problems->list[to] = problems->list[to - 1];
			to--;
		}
		problems->list[to] = problem;
	}
}

void problems_print(struct problems *problems, const char *path, FILE *file)
{
	problems_sort(problems);
	for (unsigned int i = 0; i < problems->nr; i++) {
		const struct problem *problem = &problems->list[i];

		fputs(printable(path), file);
		if (problem->line)
			fprintf(file, ":%" PRIu32 ":%" PRIu32, problem->line,
				problem->column);
		fprintf(file, ": %s: %s\n",
			problem->warning ? "warning" : "error", problem->text);
	}
	if (!problems->overflow)
		return;
	fputs(printable(path), file);
	fprintf(file,
		": %s: and more: only the first %d problems are shown\n",
		problems->errors ? "error" : "warning", MAX_PROBLEMS);
}
