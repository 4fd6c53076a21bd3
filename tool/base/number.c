// SPDX-License-Identifier: GPL-2.0-only
/* Numbers as text, where printf() would be most of the work. */
#include "number.h"

char *put_digits(char *to, uint64_t value, unsigned int digits)
{
	for (unsigned int i = digits; i; i--, value /= 10)
		to[i - 1] = (char)('0' + value % 10);
	return to + digits;
}

char *put_decimal(char *to, uint64_t value)
{
	unsigned int digits = 1;

	for (uint64_t rest = value / 10; rest; rest /= 10)
		digits++;
	return put_digits(to, value, digits);
}

char *put_hex(char *to, uint64_t value)
{
	/* 0 has one digit. */
	unsigned int digits = (67 - (unsigned int)__builtin_clzll(value | 1)) / 4;

	for (unsigned int i = digits; i; i--, value >>= 4)
		to[i - 1] = "0123456789abcdef"[value & 15];
	return to + digits;
}
