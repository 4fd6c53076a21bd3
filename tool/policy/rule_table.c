// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rule_table.h"

static int compare_u32(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

/* A rule of the text becomes one for each of its registers and conditions. */
static int compare(const void *a, const void *b)
{
	const struct rule *x = &((const struct rule_row *)a)->rule;
	const struct rule *y = &((const struct rule_row *)b)->rule;
	int ret = compare_u32(x->line, y->line);

	if (!ret)
		ret = compare_u32(x->column, y->column);
	if (!ret)
		ret = compare_u32(x->kind, y->kind);
	if (!ret)
		ret = compare_u32(x->index, y->index);
	if (!ret)
		ret = compare_u32(x->count, y->count);
	return ret ? ret : compare_u32(x->when, y->when);
}

static void add(struct rule_table *table, const struct rule *rule, bool left_out,
		const char *why)
{
	if (rule->type == RULE_ALLOW)
		return;
	table->rows[table->nr++] = (struct rule_row){ *rule, left_out, why };
	table->left_out += left_out;
}

int rule_table_make(struct rule_table *table, const struct regpin_policy *policy,
		    const struct unfits *unfits)
{
	size_t most = policy->nr_rules + (unfits ? unfits->nr : 0u);

	*table = (struct rule_table){
		.rows = calloc(most + 1, sizeof(*table->rows)),
	};
	if (!table->rows)
		return -ENOMEM;
	for (uint32_t i = 0; i < policy->nr_rules; i++)
		if (!(policy->rules[i].flags & RULE_DETECT))
			add(table, &policy->rules[i], false, NULL);
	for (uint32_t i = 0; unfits && i < unfits->nr; i++)
		add(table, &unfits->list[i].rule,
		    unfits->list[i].fitted != FIT_DETECTED, unfits->list[i].why);
	if (table->nr)
		qsort(table->rows, table->nr, sizeof(*table->rows), compare);
	return 0;
}

void rule_table_free(struct rule_table *table)
{
	free(table->rows);
	*table = (struct rule_table){ .nr = 0 };
}

/* A rule of the text may have several conditions of different types, at one place. */
static bool has_unfit(const struct rule_table *table, const struct unfit *unfit)
{
	struct rule_row row = { .rule = unfit->rule };

	for (uint32_t i = 0; i < table->nr; i++) {
		const struct rule_row *known = &table->rows[i];

		if (!compare(known, &row) && known->rule.type == unfit->rule.type)
			return known->why && !strcmp(known->why, unfit->why) &&
			       known->left_out == (unfit->fitted == FIT_LEFT_OUT);
	}
	return false;
}

uint32_t rule_table_drop_known(const struct rule_table *table, struct unfits *unfits)
{
	uint32_t kept = 0, nr = unfits->nr;

	for (uint32_t i = 0; i < nr; i++)
		if (unfits->list[i].fitted == FIT_REFUSED ||
		    !has_unfit(table, &unfits->list[i]))
			unfits->list[kept++] = unfits->list[i];
	unfits->nr = kept;
	return nr - kept;
}

int32_t rule_table_find(const struct rule_table *table, const struct rule *rule)
{
	struct rule_row key = { .rule = *rule };
	const struct rule_row *row = NULL;

	if (table->nr)
		row = bsearch(&key, table->rows, table->nr, sizeof(key), compare);
	return row ? (int32_t)(row - table->rows) : -1;
}
