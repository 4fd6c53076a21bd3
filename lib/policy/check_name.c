// SPDX-License-Identifier: LGPL-2.1-or-later
/* How a rule and bits of its register are named in messages. */
#include <stdio.h>

#include "check_name.h"
#include "policy.h"
#include "registers.h"

void check_begin(struct check *check, const struct rule *rule)
{
	check->rule = rule;
	check->type = rule_type_names[rule->type];
}

void check_name(struct check *check)
{
	const struct rule *rule = check->rule;
	const struct regpin_register *reg;
	char *to = check->subject, title[REGISTER_TITLE_MAX];
	size_t size = sizeof(check->subject);

	reg = register_find(rule->kind, rule->index);
	if (rule->kind != REGPIN_MSR)
		snprintf(to, size, "%s", regpin_kind_names[rule->kind]);
	else if (rule->count != 1)
		snprintf(to, size, "MSRs 0x%x-0x%x", rule->index,
			 rule->index + (rule->count - 1));
	else if (!reg)
		snprintf(to, size, "MSR 0x%x", rule->index);
	else
		snprintf(to, size, "%s",
			 register_title(title, reg, rule->index));
}

/* The name of the single bit or the field that bit @n belongs to, or NULL. */
static const struct regpin_bit *field_of(const struct regpin_register *reg,
					 unsigned int n)
{
	for (unsigned int i = 0; reg && i < reg->nbits; i++) {
		const struct regpin_bit *bit = &regpin_bits[reg->bits + i];

		if (n - bit->lo < bit->width)
			return bit;
	}
	return NULL;
}

/*
 * Appends the name of bit @n, or the numbers of the unnamed bits that begin with it, to
 * @to. Returns the mask of what it appended.
 */
static uint64_t add_bit(char *to, size_t size, size_t *used,
			const struct regpin_register *reg, uint64_t bits,
			unsigned int n)
{
	const struct regpin_bit *field = field_of(reg, n);
	unsigned int end = n + 1;
	const char *between = *used ? ", " : "";

	if (field) {
		*used += (size_t)snprintf(to + *used, size - *used, "%s%s",
					  between, field->name);
		return ~0ull >> (64 - field->width) << field->lo;
	}
	while (end < 64 && bits >> end & 1 && !field_of(reg, end))
		end++;
	if (end == n + 1)
		*used += (size_t)snprintf(to + *used, size - *used, "%s%u",
					  between, n);
	else
		*used += (size_t)snprintf(to + *used, size - *used, "%s%u-%u",
					  between, n, end - 1);
	return ~0ull >> (64 - (end - n)) << n;
}

const char *bits_text(char *to, size_t size, const struct rule *rule,
		      uint64_t bits)
{
	const struct regpin_register *reg =
		register_find(rule->kind, rule->index);
	bool most = __builtin_popcountll(bits) > 32;
	const char *name = "the MSR";
	char title[REGISTER_TITLE_MAX];
	uint64_t left = most ? ~bits : bits;
	char list[BITS_TEXT - 64] = "";
	bool several = left & (left - 1);
	size_t used = 0;

	while (left && used < sizeof(list))
		left &= ~add_bit(list, sizeof(list), &used, reg, left,
				 (unsigned int)__builtin_ctzll(left));
	if (reg)
		name = register_title(title, reg, rule->index);
	if (!~bits)
		snprintf(to, size, "every bit of %s", name);
	else
		snprintf(to, size, "%s%s of %s%s%s",
			 most ? "every bit" : several ? "bits " : "bit ",
			 most ? "" : list, name,
			 most ? " but " : "", most ? list : "");
	return to;
}

bool rule_touches(const struct rule *rule, uint32_t index, uint32_t count)
{
	return rule->kind == REGPIN_MSR &&
	       (uint64_t)rule->index < (uint64_t)index + count &&
	       (uint64_t)index < (uint64_t)rule->index + rule->count;
}
