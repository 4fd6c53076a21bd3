// SPDX-License-Identifier: GPL-2.0-only
/* Bits of a register as lists in JSON. */
#include "base/number.h"
#include "bit_names.h"
#include "lib/policy/registers.h"


/* The field of @reg that bit @n belongs to, or NULL. */
static const struct regpin_bit *field_of(const struct regpin_register *reg,
					 unsigned int n)
{
	for (unsigned int i = 0; reg && i < reg->nbits; i++) {
		const struct regpin_bit *field = &regpin_bits[reg->bits + i];

		if (n - field->lo < field->width)
			return field;
	}
	return NULL;
}

void json_bit_names(struct json *json, const char *key, unsigned int kind,
		    uint32_t index, uint64_t bits)
{
	const struct regpin_register *reg = register_find(kind, index);

	if (bits == 0 || bits == UINT64_MAX)
		return;
	json_array_begin(json, key);
	while (bits) {
		unsigned int n = (unsigned int)__builtin_ctzll(bits);
		const struct regpin_bit *field = field_of(reg, n);
		char number[NUMBER_MAX + 1];

		bits &= bits - 1;
		*put_decimal(number, n) = 0;
		json_string(json, NULL, field ? field->name : number);
		if (field)
			bits &= ~(UINT64_MAX >> (64 - field->width) <<
				  field->lo);
	}
	json_array_end(json);
}
