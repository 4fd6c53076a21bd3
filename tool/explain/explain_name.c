// SPDX-License-Identifier: GPL-2.0-only
/* Names of registers and lists of bits, for sentences. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/policy/registers.h"

#include "event/event_names.h"
#include "explain_name.h"

void text_add(char *to, size_t size, const char *format, ...)
{
	size_t len = strlen(to);
	va_list args;

	va_start(args, format);
	vsnprintf(to + len, size - len, format, args);
	va_end(args);
}

const char *const explain_done[REGPIN_ACTION_MAX] = {
	[REGPIN_ALLOW] = "allowed",
	[REGPIN_REPORT] = "allowed, logged",
	[REGPIN_MASK] = "written without this change",
	[REGPIN_DROP] = "dropped",
	[REGPIN_GP] = "#GP",
	[REGPIN_PAUSE] = "the vCPU is held until the operator answers",
	[REGPIN_STOP] = "the VM is stopped",
};

void explain_name(char *to, size_t size, const struct subject *subject)
{
	char name[REGISTER_NAME_MAX], members[MEMBERS_TEXT_MAX];

	if (subject->count == 1 && subject->kind == REGPIN_MSR &&
	    register_find(REGPIN_MSR, subject->index))
		snprintf(to, size, "%s (0x%" PRIx32 ")",
			 event_register_name(name, REGPIN_MSR, subject->index),
			 subject->index);
	else
		snprintf(to, size, "%s", event_members_text(members,
			 subject->kind, subject->index, subject->count));
}

/* The single bit @n's name, or NULL. */
static const char *bit_name(const struct regpin_register *reg, unsigned int n)
{
	for (unsigned int i = 0; reg && i < reg->nbits; i++) {
		const struct regpin_bit *bit = &regpin_bits[reg->bits + i];

		if (bit->lo == n && bit->width == 1)
			return bit->name;
	}
	return NULL;
}

/* The number of consecutive bits without names from @n on; 1 if @n has a name. */
static unsigned int bit_run(const struct regpin_register *reg, unsigned int n,
			    uint64_t bits)
{
	unsigned int run = 1;

	if (bit_name(reg, n))
		return 1;
	while (n + run < 64 && bits >> (n + run) & 1 && !bit_name(reg, n + run))
		run++;
	return run;
}

void bits_list(char *to, size_t size, unsigned int kind, uint32_t index,
	       uint64_t bits)
{
	const struct regpin_register *reg = register_find(kind, index);
	const char *between = "";

	to[0] = 0;
	for (unsigned int n = 0, run; n < 64; n += run) {
		const char *name = bit_name(reg, n);
		bool last;

		run = 1;
		if (!(bits >> n & 1))
			continue;
		run = bit_run(reg, n, bits);
		last = n + run == 64 || !(bits >> (n + run));
		text_add(to, size, "%s", !*between ? "" : last ? " and " : ", ");
		if (name)
			text_add(to, size, "%s", name);
		else if (run == 1)
			text_add(to, size, "bit %u", n);
		else
			text_add(to, size, "bits %u-%u", n, n + run - 1);
		between = ", ";
	}
}
