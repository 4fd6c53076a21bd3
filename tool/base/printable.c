// SPDX-License-Identifier: GPL-2.0-only
/* Names that others have chosen, such as paths, made safe for a terminal. */
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "printable.h"
#include "utf8.h"

/* Could @c make a terminal act, or show the rest of the text in another order or line? */
static bool is_control(uint32_t c)
{
	return c < ' ' || (c >= 0x7f && c < 0xa0) ||
	       (c >= 0x200e && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069) || c == 0x061c;
}

char *printable_copy(char *to, size_t size, const char *text)
{
	size_t left = strlen(text), used = 0;

	to[0] = 0;
	while (left) {
		char piece[16];
		uint32_t c = 0;
		size_t len = utf8_decode(text, left, &c), more;

		if (!len || c < 0x80)
			c = (unsigned char)*text;
		if (!len || (c < 0x80 && is_control(c)))
			snprintf(piece, sizeof(piece), "\\x%02" PRIx32, c);
		else if (is_control(c))
			snprintf(piece, sizeof(piece), "\\u%04" PRIx32, c);
		else
			snprintf(piece, sizeof(piece), "%.*s", (int)len, text);
		len = len ? len : 1;
		text += len;
		left -= len;
		more = strlen(piece);
		if (used + more >= size)
			break;
		memcpy(to + used, piece, more + 1);
		used += more;
	}
	return to;
}

const char *printable(const char *text)
{
	static char copies[4][4 * PATH_MAX];
	static unsigned int next;

	next = (next + 1) % 4;
	return printable_copy(copies[next], sizeof(copies[next]), text);
}

void print_wrapped(const char *first, const char *text)
{
	int indent = (int)strlen(first), column = indent;

	fputs(first, stdout);
	while (*text) {
		int len = (int)strcspn(text, " ");

		if (column > indent && column + 1 + len > 80) {
			printf("\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			putchar(' ');
			column++;
		}
		printf("%.*s", len, text);
		column += len;
		text += len;
		text += strspn(text, " ");
	}
	putchar('\n');
}
