// SPDX-License-Identifier: LGPL-2.1-or-later
/* Lookups in the table of registers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "registers.h"

/* The table has the control registers first, then the MSRs ordered by index. */
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

bool register_group(const char *name)
{
	for (unsigned int i = 0; i < regpin_nr_registers; i++)
		if (!strcmp(regpin_registers[i].class, name))
			return true;
	return false;
}

bool register_is_first(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (!strcmp(regpin_registers[i].class,
			    regpin_registers[n].class))
			return false;
	return true;
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
	/* The rows of families whose members alternate stand side by side. */
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
	uint32_t past;

	if (reg->index > last || register_last(reg) < first)
		return false;
	if (reg->index >= first)
		return true;
	/* The first member that is not before @first. */
	past = (first - reg->index) % reg->stride;
	return !past || reg->stride - past <= last - first;
}

/* Writes @name to @to, with @number in place of its #, or at its end. */
static const char *put_title(char to[REGISTER_TITLE_MAX], const char *name,
			     const char *number)
{
	size_t before = strcspn(name, "#");
	const char *behind = name + before;

	/* Where a number would stand at the end, the name without one means all members. */
	if (!*behind && !strcmp(number, "i"))
		number = "";
	snprintf(to, REGISTER_TITLE_MAX, "%.*s%s%s", (int)before, name, number,
		 *behind ? behind + 1 : "");
	return to;
}

/* The number of MSR @index in the name of @reg. */
static uint32_t member_of(const struct regpin_register *reg, uint32_t index)
{
	return reg->lowest + (index - reg->index) / reg->stride;
}

static const char *put_member(char to[REGISTER_TITLE_MAX],
			      const struct regpin_register *reg,
			      const char *name, uint32_t index)
{
	char number[16] = "";

	if (reg->count > 1)
		snprintf(number, sizeof(number), "%u", member_of(reg, index));
	return put_title(to, name, number);
}

const char *register_title(char to[REGISTER_TITLE_MAX],
			   const struct regpin_register *reg, uint32_t index)
{
	return put_member(to, reg, reg->name, index);
}

bool register_name(char to[REGISTER_TITLE_MAX],
		   const struct regpin_register *reg, uint32_t index,
		   unsigned int n)
{
	const char *name = n ? reg->aliases : reg->name, *at;

	for (; *name; name += strlen(name) + 1) {
		at = strchr(name, '@');
		/* Names of other members have no number. */
		if (at && strtoul(at + 1, NULL, 10) != member_of(reg, index))
			continue;
		if (n > 1) {
			n--;
			continue;
		}
		if (at)
			snprintf(to, REGISTER_TITLE_MAX, "%.*s",
				 (int)(at - name), name);
		else
			put_member(to, reg, name, index);
		return true;
	}
	return false;
}

const char *register_whole(char to[REGISTER_TITLE_MAX],
			   const struct regpin_register *reg)
{
	return put_title(to, reg->name, "i");
}

bool register_whole_name(char to[REGISTER_TITLE_MAX],
			 const struct regpin_register *reg, unsigned int n)
{
	const char *name = n ? reg->aliases : reg->name;

	for (; *name; name += strlen(name) + 1) {
		/* A name of one member is not a name of the family. */
		if (strchr(name, '@'))
			continue;
		if (n <= 1) {
			put_title(to, name, "i");
			return true;
		}
		n--;
	}
	return false;
}

const char *register_family(char to[REGISTER_TITLE_MAX],
			    const struct regpin_register *reg)
{
	char numbers[32] = "";

	if (reg->count > 1)
		snprintf(numbers, sizeof(numbers), "%u-%u", reg->lowest,
			 reg->lowest + reg->count - 1);
	return put_title(to, reg->name, numbers);
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
