// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of `regpin regs`. Lines are kept until the last one is known, because the longest
 * name determines the width of its column.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "regs_line.h"
#include "regs_print.h"

#define COLUMNS	5	/* all but the last one, which needs no width */

static struct found few[64], *lines = few;
static size_t nr_lines, room = 64;

static void cells(const struct found *found,
		  char to[COLUMNS][REGISTER_TITLE_MAX])
{
	const struct regpin_register *reg = found->reg;
	char place[REGISTER_TITLE_MAX];

	regs_title(to[0], found);
	snprintf(to[1], REGISTER_TITLE_MAX, "%s", regs_place(place, found));
	snprintf(to[2], REGISTER_TITLE_MAX, "%s", reg->class);
	snprintf(to[3], REGISTER_TITLE_MAX, "%s", reg->hot ? "hot" : "cold");
	snprintf(to[4], REGISTER_TITLE_MAX, "%s",
		 reg->kind == REGPIN_MSR && reg->replay ? "replay" : "-");
}

static void widen(int width[COLUMNS], char text[COLUMNS][REGISTER_TITLE_MAX])
{
	for (int i = 0; i < COLUMNS; i++)
		if (width[i] < (int)strlen(text[i]))
			width[i] = (int)strlen(text[i]);
}

/* Prints a line, without blanks at its end if the last column is empty. */
static void print_cells(const int width[COLUMNS],
			char text[COLUMNS][REGISTER_TITLE_MAX],
			const char *cpus, const char *note)
{
	for (int i = 0; i < COLUMNS - 1; i++)
		printf("%-*s  ", width[i], text[i]);
	if (cpus || note)
		printf("%-*s  %s%s%s\n", width[COLUMNS - 1], text[COLUMNS - 1],
		       cpus ? cpus : "", cpus && note ? "; " : "",
		       note ? note : "");
	else
		puts(text[COLUMNS - 1]);
}

void regs_flush(bool heading)
{
	char head[COLUMNS][REGISTER_TITLE_MAX] = {
		"NAME", "INDEX", "CLASS", "HEAT", "REPLAY",
	};
	char text[COLUMNS][REGISTER_TITLE_MAX];
	int width[COLUMNS] = { 0 };

	if (heading)
		widen(width, head);
	for (size_t i = 0; i < nr_lines; i++) {
		cells(&lines[i], text);
		widen(width, text);
	}
	if (heading)
		print_cells(width, head, NULL, "NOTE");
	for (size_t i = 0; i < nr_lines; i++) {
		const struct regpin_register *reg = lines[i].reg;

		cells(&lines[i], text);
		print_cells(width, text, reg->cpus, reg->note);
	}
	nr_lines = 0;
}

/* Makes room. Without memory the lines so far are printed, in columns that fit only these. */
static void make_room(void)
{
	struct found *more = malloc(2 * room * sizeof(*more));

	if (!more) {
		regs_flush(false);
		return;
	}
	memcpy(more, lines, nr_lines * sizeof(*more));
	if (lines != few)
		free(lines);
	lines = more;
	room *= 2;
}

void regs_put_line(const struct found *found, struct json *json)
{
	if (json) {
		regs_put_one(found, json);
		return;
	}
	if (nr_lines == room)
		make_room();
	lines[nr_lines++] = *found;
}
