// SPDX-License-Identifier: LGPL-2.1-or-later
/* Looking things up in the table of registers. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "registers.h"

/* The rows of control registers come first, then those of MSRs, by index. */
unsigned int register_from(uint32_t index)
{
	unsigned int from = REGPIN_KIND_MAX - 1, to = regpin_nr_registers;

	while (from < to) {
		unsigned int middle = from + (to - from) / 2;
		const struct regpin_register *reg = &regpin_registers[middle];

		if (register_last(reg) < index)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

const struct regpin_register *register_find(unsigned int kind, uint32_t index)
{
	const struct regpin_register *reg = regpin_registers;
	unsigned int i;

	if (kind != REGPIN_MSR) {
		for (i = 0; i < REGPIN_KIND_MAX - 1; i++, reg++)
			if (reg->kind == kind && !index)
				return reg;
		return NULL;
	}
	/* Families whose members alternate stand side by side. */
	for (i = register_from(index); i < regpin_nr_registers; i++) {
		reg = &regpin_registers[i];
		if (reg->index > index)
			break;
		if (register_has(reg, index))
			return reg;
	}
	return NULL;
}

bool register_within(const struct regpin_register *reg, uint32_t first,
		     uint32_t last)
{
	uint32_t behind;

	if (reg->index > last || register_last(reg) < first)
		return false;
	if (reg->index >= first)
		return true;
	/* The first member that is not before @first. */
	behind = (first - reg->index) % reg->stride;
	return !behind || reg->stride - behind <= last - first;
}

static const char *put_title(char to[REGISTER_TITLE_MAX],
			     const struct regpin_register *reg,
			     const char *number)
{
	size_t before = strcspn(reg->name, "#");
	const char *behind = reg->name + before;

	/* At the end, all members go without saying. */
	if (!*behind && !strcmp(number, "i"))
		number = "";
	snprintf(to, REGISTER_TITLE_MAX, "%.*s%s%s", (int)before, reg->name,
		 number, *behind ? behind + 1 : "");
	return to;
}

const char *register_title(char to[REGISTER_TITLE_MAX],
			   const struct regpin_register *reg, uint32_t index)
{
	char number[16] = "";

	if (reg->count > 1)
		snprintf(number, sizeof(number), "%u", reg->lowest +
			 (index - reg->index) / reg->stride);
	return put_title(to, reg, number);
}

const char *register_whole(char to[REGISTER_TITLE_MAX],
			   const struct regpin_register *reg)
{
	return put_title(to, reg, "i");
}

const char *register_family(char to[REGISTER_TITLE_MAX],
			    const struct regpin_register *reg)
{
	char numbers[32] = "";

	if (reg->count > 1)
		snprintf(numbers, sizeof(numbers), "%u-%u", reg->lowest,
			 reg->lowest + reg->count - 1);
	return put_title(to, reg, numbers);
}

uint64_t register_bit(const struct regpin_register *reg, const char *name)
{
	for (unsigned int i = 0; i < reg->nbits; i++) {
		const struct regpin_bit *bit = &regpin_bits[reg->bits + i];

		for (const char *n = bit->name; *n; n += strlen(n) + 1)
			if (strcasecmp(n, name) == 0)
				return (~0ull >> (64 - bit->width)) << bit->lo;
	}
	return 0;
}

const char *regpin_register_name(unsigned int kind, __u32 index)
{
	const struct regpin_register *reg = register_find(kind, index);

	return reg ? reg->name : NULL;
}
