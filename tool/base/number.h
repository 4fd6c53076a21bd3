/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers as text, where printf() would be most of the work. */
#ifndef REGPIN_TOOL_NUMBER_H
#define REGPIN_TOOL_NUMBER_H

#include <stdint.h>

/* Room for any number, without a NUL. */
#define NUMBER_MAX	20u

/* Writes @value to @to, without a NUL. Return the end. */
char *put_decimal(char *to, uint64_t value);
/* The same in hexadecimal, without "0x". */
char *put_hex(char *to, uint64_t value);
/* Exactly @digits digits, with zeros before the number, of which the last ones are written. */
char *put_digits(char *to, uint64_t value, unsigned int digits);

#endif
