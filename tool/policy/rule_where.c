// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/words.h"
#include "rule_where.h"

#define PROPOSALS	3u	/* places that an error names */

/**
 * struct wanted - a place as a person wrote it
 * @line: its line; 0: what was written is not a place
 * @column: its column, 0: any
 * @file: its file, "": any
 */
struct wanted {
	uint32_t line, column;
	char file[POLICY_MAX_SOURCE];
};

/* Takes a number off the end of @text, with the ':' before it. Returns 0 if there is none. */
static uint32_t take_number(char *text)
{
	char *colon = strrchr(text, ':'), *digits = colon ? colon + 1 : text;
	size_t len = strlen(digits);
	uint64_t value;

	if (!len || strspn(digits, "0123456789") != len ||
	    number_read(digits, len, PLACE_LINE(UINT32_MAX), &value))
		return 0;
	*(colon ? colon : text) = 0;
	return (uint32_t)value;
}

static struct wanted parse(const char *where)
{
	struct wanted wanted = { .line = 0 };
	uint32_t last, line;

	if (strlen(where) >= sizeof(wanted.file))
		return wanted;
	memcpy(wanted.file, where, strlen(where) + 1);
	last = take_number(wanted.file);
	line = last ? take_number(wanted.file) : 0;
	wanted.line = line ? line : last;
	wanted.column = line ? last : 0;
	return wanted;
}

static bool is_file(const struct wanted *wanted, const char *file)
{
	const char *slash = strrchr(file, '/');

	return !*wanted->file || strcmp(wanted->file, file) == 0 ||
	       (slash && strcmp(wanted->file, slash + 1) == 0);
}

static bool is_same_place(const struct rule *a, const struct rule *b)
{
	return a->line == b->line && a->column == b->column;
}

/* Is row @i the first one of its place? */
static bool is_first(const struct rule_table *table, uint32_t i)
{
	return !i || !is_same_place(&table->rows[i - 1].rule, &table->rows[i].rule);
}

static bool is_wanted(const struct wanted *wanted, const struct regpin_policy *policy,
		      const struct rule *rule)
{
	return PLACE_LINE(rule->line) == wanted->line &&
	       (!wanted->column || rule->column == wanted->column) &&
	       is_file(wanted, policy_file_name(policy, rule->line));
}

/* How far is @rule from the wanted place? A place in another file is farther than any here. */
static uint64_t distance(const struct wanted *wanted, const struct regpin_policy *policy,
			 const struct rule *rule)
{
	uint32_t line = PLACE_LINE(rule->line);
	uint64_t lines = line > wanted->line ? line - wanted->line : wanted->line - line;
	bool here = is_file(wanted, policy_file_name(policy, rule->line));

	return (here ? 0 : 1ull << 40) + lines;
}

static size_t add_place(char *text, size_t used, const struct regpin_policy *policy,
			const struct rule *rule, const char *before)
{
	char place[PLACE_MAX];

	if (used >= RULE_WHERE_TEXT)
		return used;
	return used + (size_t)snprintf(text + used, RULE_WHERE_TEXT - used, "%s%s", before,
				       policy_place(place, policy, rule->line, rule->column));
}

/* The row of the nearest place that is not @used; the number of rows if there is none. */
static uint32_t next_near(const struct rule_table *table,
			  const struct regpin_policy *policy,
			  const struct wanted *wanted, const bool *used)
{
	uint32_t best = table->nr;

	for (uint32_t i = 0; i < table->nr; i++) {
		if (used[i] || !is_first(table, i))
			continue;
		if (best == table->nr ||
		    distance(wanted, policy, &table->rows[i].rule) <
		    distance(wanted, policy, &table->rows[best].rule))
			best = i;
	}
	return best;
}

static void propose(const struct rule_table *table, const struct regpin_policy *policy,
		    const struct wanted *wanted, const char *where, char text[RULE_WHERE_TEXT])
{
	static bool used[POLICY_MAX_RULES];
	size_t len = (size_t)snprintf(text, RULE_WHERE_TEXT, "the policy in force has no rule at %s",
				      show(where).text);

	memset(used, 0, table->nr * sizeof(*used));
	for (unsigned int i = 0; i < PROPOSALS; i++) {
		uint32_t row = next_near(table, policy, wanted, used);

		if (row == table->nr)
			return;
		used[row] = true;
		len = add_place(text, len, policy, &table->rows[row].rule,
				i ? ", " : ": the nearest rules are at ");
	}
}

int rule_where_find(const struct rule_table *table, const struct regpin_policy *policy,
		    const char *where, struct rule_place *place,
		    char text[RULE_WHERE_TEXT])
{
	struct wanted wanted = parse(where);
	unsigned int nr = 0;
	size_t len = 0;

	if (!wanted.line) {
		snprintf(text, RULE_WHERE_TEXT, "%s is not a place: write LINE, LINE:COLUMN, FILE:LINE or FILE:LINE:COLUMN, as in events",
			 show(where).text);
		return -ENOENT;
	}
	for (uint32_t i = 0; i < table->nr; i++) {
		const struct rule *rule = &table->rows[i].rule;

		if (!is_first(table, i) || !is_wanted(&wanted, policy, rule))
			continue;
		*place = (struct rule_place){ rule->line, rule->column };
		if (!nr)
			len = (size_t)snprintf(text, RULE_WHERE_TEXT, "%s names several rules: ",
					       show(where).text);
		len = add_place(text, len, policy, rule, nr ? ", " : "");
		nr++;
	}
	if (nr == 1)
		return 0;
	if (!nr)
		propose(table, policy, &wanted, where, text);
	return nr ? -ENOTUNIQ : -ENOENT;
}
