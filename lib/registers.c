// SPDX-License-Identifier: LGPL-2.1-or-later
/* Looking things up in the table of registers. */
#include <ctype.h>
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

		if (reg->index + (reg->count - 1) < index)
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
	i = register_from(index);
	reg = &regpin_registers[i];
	return i < regpin_nr_registers && index - reg->index < reg->count ?
		       reg : NULL;
}

/*
 * Does @name name @reg by @known? A family's member has its number behind the
 * name, in decimal and without leading zeros.
 */
static bool name_matches(const struct regpin_register *reg, const char *known,
			 const char *name, uint32_t *member)
{
	size_t len = strlen(known);
	uint32_t n = 0;

	if (strncasecmp(known, name, len) != 0)
		return false;
	name += len;
	*member = 0;
	if (!*name)
		return true;
	if (reg->count == 1 || (name[0] == '0' && name[1]))
		return false;
	for (; *name; name++) {
		if (!isdigit((unsigned char)*name) || n >= reg->count)
			return false;
		n = n * 10 + (uint32_t)(*name - '0');
	}
	*member = n;
	return n < reg->count;
}

static bool any_name_matches(const struct regpin_register *reg,
			     const char *name, uint32_t *member)
{
	if (name_matches(reg, reg->name, name, member))
		return true;
	for (const char *a = reg->aliases; *a; a += strlen(a) + 1)
		if (name_matches(reg, a, name, member))
			return true;
	return false;
}

const struct regpin_register *register_by_name(const char *name,
					       uint32_t *member)
{
	for (unsigned int i = 0; i < regpin_nr_registers; i++)
		if (any_name_matches(&regpin_registers[i], name, member))
			return &regpin_registers[i];
	return NULL;
}

uint64_t register_bit(const struct regpin_register *reg, const char *name)
{
	for (unsigned int i = 0; i < reg->nbits; i++) {
		const struct regpin_bit *bit = &regpin_bits[reg->bits + i];

		if (strcasecmp(bit->name, name) == 0)
			return (~0ull >> (64 - bit->width)) << bit->lo;
	}
	return 0;
}

const char *regpin_register_name(unsigned int kind, __u32 index)
{
	const struct regpin_register *reg = register_find(kind, index);

	return reg ? reg->name : NULL;
}
