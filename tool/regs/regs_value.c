// SPDX-License-Identifier: GPL-2.0-only
/* Explains a value of a register: its bits by name. */
#include <inttypes.h>
#include <stdio.h>

#include "regs_value.h"

static uint64_t mask_of(const struct regpin_bit *bit)
{
	return UINT64_MAX >> (64 - bit->width) << bit->lo;
}

static void print_field(const struct regpin_bit *bit, uint64_t value)
{
	unsigned int low = bit->lo, width = bit->width;
	char range[16];

	if (width > 1) {
		snprintf(range, sizeof(range), "%u-%u", low, low + width - 1);
		printf("    %-6s %s = 0x%" PRIx64 "\n", range, bit->name,
		       (value & mask_of(bit)) >> low);
	} else if (value & mask_of(bit)) {
		printf("    %-6u %s\n", low, bit->name);
	}
}

/* Prints @bits as numbers, "5, 9-10", in a line that begins with @text. */
static void print_others(const char *text, uint64_t bits)
{
	const char *between = "";

	printf("%s", text);
	for (unsigned int n = 0, end; n < 64; n = end + 1) {
		for (end = n; end < 64 && bits >> end & 1; end++)
			;
		if (end == n)
			continue;
		if (end == n + 1)
			printf("%s%u", between, n);
		else
			printf("%s%u-%u", between, n, end - 1);
		between = ", ";
	}
	putchar('\n');
}

static void print_value(const struct found *found)
{
	const struct regpin_register *reg = found->reg;
	uint64_t left = found->value;

	printf("  0x%" PRIx64 " is:\n", found->value);
	for (unsigned int i = 0; reg && i < reg->nbits; i++) {
		const struct regpin_bit *bit = &regpin_bits[reg->bits + i];

		print_field(bit, found->value);
		left &= ~mask_of(bit);
	}
	if (left)
		print_others(reg && reg->nbits ? "    reserved or without a name: " :
						 "    bits: ", left);
	else if (!found->value)
		puts("    no bit");
}

static void json_value(const struct found *found, struct json *json)
{
	const struct regpin_register *reg = found->reg;
	uint64_t left = found->value;

	json_object_begin(json, "decoded");
	json_hex(json, "value", found->value);
	json_array_begin(json, "fields");
	for (unsigned int i = 0; reg && i < reg->nbits; i++) {
		const struct regpin_bit *bit = &regpin_bits[reg->bits + i];

		left &= ~mask_of(bit);
		if (bit->width == 1 && !(found->value & mask_of(bit)))
			continue;
		json_object_begin(json, NULL);
		json_string(json, "field", bit->name);
		json_u64(json, "low", bit->lo);
		json_u64(json, "width", bit->width);
		json_hex(json, "value",
			 (found->value & mask_of(bit)) >> bit->lo);
		json_object_end(json);
	}
	json_array_end(json);
	json_array_begin(json, "unnamed");
	for (unsigned int n = 0; n < 64; n++)
		if (left >> n & 1)
			json_u64(json, NULL, n);
	json_array_end(json);
	json_object_end(json);
}

void regs_put_value(const struct found *found, struct json *json)
{
	if (json)
		json_value(found, json);
	else
		print_value(found);
}
