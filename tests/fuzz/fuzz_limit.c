// SPDX-License-Identifier: GPL-2.0-only
/*
 * Floods of events from the input, for the limiter: the promises of regpin-events(7) must hold
 * for each (limit_oracle.h).
 *
 * Input: three bytes for the lines per second, the lines per hour and the number of
 * rules; then steps of eight bytes: what to do, the event's type, the rule, the VM, how
 * often, and three bytes for the other values of the event. The same may be written as
 * hexadecimal digits with blanks and newlines between them. The corpus is written in this
 * way, so that it can be reviewed.
 */
#include <ctype.h>
#include <stdlib.h>

#include "../limit_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEP	8u

static void events(const uint8_t *at, uint64_t *seed)
{
	unsigned int times = 1 + at[4] * (at[0] & 8 ? 8u : 1u);
	uint32_t rule = (at[2] | (uint32_t)(at[0] & 16) << 4) %
			oracle.policy->nr_rules;

	for (unsigned int i = 0; i < times; i++) {
		struct regpin_event event;

		if (at[0] & 32)
			rule = (rule + 1) % oracle.policy->nr_rules;
		event = oracle_make(at[3] % ORACLE_VMS, at[1] % ORACLE_TYPES,
				    rule, random64(seed));
		if (at[0] & 64)
			event.vcpu = at[5];
		if (at[0] & 128)
			event.index = oracle.policy->rules[rule].index +
				      at[6] % (oracle.policy->rules[rule].count ?
					       oracle.policy->rules[rule].count :
					       256);
		oracle_event(event);
	}
}

static void step(const uint8_t *at)
{
	uint64_t seed = 1 + (at[5] | (uint64_t)at[6] << 8 | (uint64_t)at[7] << 16);

	switch (at[0] % 8) {
	case 0:
		oracle_take(1 + (uint64_t)at[4] * 16, false);
		break;
	case 1:	/* up to two hours */
		oracle_take(((uint64_t)at[4] << 8 | at[5]) * 110, at[6] == 0);
		break;
	default:
		events(at, &seed);
	}
}

static bool is_text(const uint8_t *data, size_t size)
{
	while (size && (isxdigit(data[size - 1]) || isspace(data[size - 1])))
		size--;
	return !size;
}

/* Works in place. Returns the number of bytes. */
static size_t from_text(uint8_t *text, size_t size)
{
	char digits[3] = "";
	size_t nr = 0, n = 0;

	for (size_t i = 0; i < size; i++) {
		if (isspace(text[i]))
			continue;
		digits[n++] = (char)text[i];
		if (n < 2)
			continue;
		text[nr++] = (uint8_t)strtoul(digits, NULL, 16);
		n = 0;
	}
	return nr;
}

static int flood(const uint8_t *data, size_t size)
{
	static struct regpin_policy *policy;

	if (size < 3)
		return 0;
	/* The same policy again, except for its number of rules. */
	if (!policy)
		policy = oracle_policy(ORACLE_RULES);
	policy->nr_rules = 8 + data[2] % (ORACLE_RULES - 8);
	oracle_begin(policy, data[0] % 16, data[1] & 1 ? data[1] * 20u : data[1]);
	for (data += 3, size -= 3; size >= STEP; data += STEP, size -= STEP)
		step(data);
	oracle_end();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *text;

	if (!size || !is_text(data, size))
		return flood(data, size);
	text = malloc(size);
	if (!text)
		abort();
	memcpy(text, data, size);
	flood(text, from_text(text, size));
	free(text);
	return 0;
}
