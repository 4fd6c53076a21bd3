// SPDX-License-Identifier: GPL-2.0-only
/* Words and numbers of the policy language, and messages about wrong ones. */
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "printable.h"
#include "words.h"

#define NEAREST_MAX	32	/* characters of the longest words that are compared */

struct shown show(const char *text)
{
	struct shown shown;
	size_t max = sizeof(shown.text) - 6, len;
	char clean[128];

	text = printable_copy(clean, sizeof(clean), text);
	len = strlen(text);
	if (len <= max) {
		snprintf(shown.text, sizeof(shown.text), "'%s'", text);
		return shown;
	}
	/* Does not cut within a character. */
	while (max && ((unsigned char)text[max] & 0xc0) == 0x80)
		max--;
	snprintf(shown.text, sizeof(shown.text), "'%.*s...'", (int)max, text);
	return shown;
}

unsigned int word_distance(const char *a, const char *b)
{
	unsigned int row[3][NEAREST_MAX + 1];
	size_t na = strlen(a), nb = strlen(b);

	if (na > NEAREST_MAX || nb > NEAREST_MAX)
		return NEAREST_MAX;
	for (unsigned int j = 0; j <= nb; j++)
		row[0][j] = j;
	for (unsigned int i = 1; i <= na; i++) {
		unsigned int *cur = row[i % 3], *prev = row[(i - 1) % 3];
		int c = tolower((unsigned char)a[i - 1]);

		cur[0] = i;
		for (unsigned int j = 1; j <= nb; j++) {
			int d = tolower((unsigned char)b[j - 1]);
			unsigned int best = prev[j - 1] + (c != d);

			if (prev[j] + 1 < best)
				best = prev[j] + 1;
			if (cur[j - 1] + 1 < best)
				best = cur[j - 1] + 1;
			if (i > 1 && j > 1 &&
			    c == tolower((unsigned char)b[j - 2]) &&
			    d == tolower((unsigned char)a[i - 2]) &&
			    row[(i - 2) % 3][j - 2] + 1 < best)
				best = row[(i - 2) % 3][j - 2] + 1;
			cur[j] = best;
		}
	}
	return row[na % 3][nb];
}

void nearest_begin(struct nearest *nearest, const char *text)
{
	size_t len = strlen(text);

	nearest->text = text;
	nearest->best = NULL;
	/* A third of the letters may be wrong, and at least one. */
	nearest->distance = len < 6 ? 2 : (unsigned int)len / 3 + 1;
	if (len < 2 || len > NEAREST_MAX)
		nearest->distance = 0;
}

/* Have both the same letters, apart from their order and their case? */
static bool same_letters(const char *a, const char *b)
{
	int counts[UCHAR_MAX + 1] = { 0 };

	for (; *a; a++)
		counts[tolower((unsigned char)*a)]++;
	for (; *b; b++)
		counts[tolower((unsigned char)*b)]--;
	for (size_t i = 0; i <= UCHAR_MAX; i++)
		if (counts[i])
			return false;
	return true;
}

void nearest_try(struct nearest *nearest, const char *word)
{
	size_t a, b;
	unsigned int d;

	if (!nearest->distance)
		return;
	a = strlen(nearest->text);
	b = strlen(word);
	if ((a > b ? a - b : b - a) > nearest->distance)
		return;
	d = word_distance(nearest->text, word);
	if (d > nearest->distance)
		return;
	/* Of equally close words, one whose letters were only exchanged was meant. */
	if (d == nearest->distance &&
	    (!nearest->best || same_letters(nearest->text, nearest->best) ||
	     !same_letters(nearest->text, word)))
		return;
	nearest->distance = d;
	nearest->best = word;
}

struct hint nearest_hint(const struct nearest *nearest)
{
	struct hint hint = { "" };

	if (nearest->best)
		snprintf(hint.text, sizeof(hint.text), "; did you mean '%s'?",
			 nearest->best);
	return hint;
}

void words_list(char *to, size_t size, const struct word *words, size_t nr)
{
	size_t left = 0, used = 0;

	to[0] = 0;
	for (size_t i = 0; i < nr; i++)
		left += words[i].value >= 0;
	for (size_t i = 0; i < nr; i++) {
		if (words[i].value < 0)
			continue;
		left--;
		if (used < size)
			used += (size_t)snprintf(to + used, size - used,
						 "%s%s", words[i].text,
						 left > 1 ? ", " :
						 left ? " or " : "");
	}
}

const char *words_as_list(char *to, size_t size, const char *text)
{
	size_t used = (size_t)snprintf(to, size, "[");
	const char *between = "";

	while (*(text += strspn(text, WORDS_SEVERAL))) {
		size_t len = strcspn(text, WORDS_SEVERAL);

		if (used + len + 4 >= size)
			break;
		used += (size_t)snprintf(to + used, size - used, "%s%.*s",
					 between, (int)len, text);
		between = ", ";
		text += len;
	}
	snprintf(to + used, size - used, *text ? ", ...]" : "]");
	return to;
}

static bool all_of(const char *text, size_t len, int (*is)(int))
{
	for (size_t i = 0; i < len; i++)
		if (!is((unsigned char)text[i]))
			return false;
	return len > 0;
}

/* Why @text is not a valid number: it is neither decimal nor 0x and digits. */
static const char *number_fault(const char *text, size_t len)
{
	if (!len)
		return "there is no number";
	if (text[0] == '-' || text[0] == '+')
		return "numbers have no sign";
	if (len > 1 && text[0] == '0' && text[1] == 'X')
		return "write 0x, with a lower-case x";
	if (memchr(text, '_', len))
		return "numbers have no underscores";
	if (memchr(text, ' ', len))
		return "write it without blanks";
	if (len > 1 && text[0] == '0' && strchr("bBoO", text[1]))
		return "numbers are decimal, or hexadecimal with 0x";
	if (all_of(text, len, isxdigit))
		return "hexadecimal numbers begin with 0x";
	return "this is not a number: they are decimal, or hexadecimal with 0x";
}

static const char too_large[] = "it is too large";

const char *number_read(const char *text, size_t len, uint64_t max,
			uint64_t *value)
{
	unsigned int base = 10;
	uint64_t number = 0;

	if (len > 2 && text[0] == '0' && text[1] == 'x' &&
	    all_of(text + 2, len - 2, isxdigit)) {
		base = 16;
		text += 2;
		len -= 2;
	} else if (!all_of(text, len, isdigit)) {
		return number_fault(text, len);
	} else if (len > 1 && text[0] == '0') {
		return "a leading zero looks octal: write it without, or in hexadecimal with 0x";
	}
	for (size_t i = 0; i < len; i++) {
		int c = tolower((unsigned char)text[i]);
		unsigned int digit = (unsigned int)(c <= '9' ? c - '0' :
						    c - 'a' + 10);

		if (number > (max - digit) / base)
			return too_large;
		number = number * base + digit;
	}
	*value = number;
	return NULL;
}

const char *range_read(const char *text, uint64_t max, uint64_t *first,
		       uint64_t *last)
{
	const char *dash = text[0] ? strchr(text + 1, '-') : NULL;
	size_t len = dash ? (size_t)(dash - text) : strlen(text);
	const char *fault;

	fault = number_read(text, len, max, first);
	if (fault)
		return fault;
	*last = *first;
	if (!dash)
		return NULL;
	fault = number_read(dash + 1, strlen(dash + 1), max, last);
	if (fault)
		return fault;
	if (*last < *first)
		return "the range runs backwards";
	return NULL;
}

static const struct {
	const char *name;
	uint32_t ms;
} units[] = {
	{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "min", 60000 },
	{ "h", 3600000 },
};

/* The milliseconds of one @unit; 0: there is no such unit. */
static uint32_t unit_ms(const char *unit)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(unit, units[i].name) == 0)
			return units[i].ms;
	return 0;
}

const char *duration_read(const char *text, uint32_t *ms)
{
	size_t digits = strspn(text, "0123456789");
	const char *unit = text + digits, *fault;
	uint32_t factor = unit_ms(unit);
	uint64_t number = 0;

	if (!digits)
		return "a time is a number and its unit: ms, s, m (min) or h";
	if (!*unit)
		return "a time needs a unit: ms, s, m (min) or h";
	if (digits > 1 && *text == '0')
		return "write it without a leading zero";
	if (*unit == ' ')
		return "write it without blanks";
	if (*unit == '.' || *unit == ',')
		return "write a whole number, of a smaller unit if need be";
	if (!factor)
		return "the units of time are ms, s, m (min) and h";
	fault = number_read(text, digits, DURATION_MAX_MS / factor, &number);
	if (fault)
		return fault == too_large ? "a time is at most 24h" : fault;
	*ms = (uint32_t)number * factor;
	return NULL;
}

const char *plural(uint64_t nr)
{
	return nr == 1 ? "" : "s";
}

bool number_like(const char *text)
{
	if (text[0] == '-' || text[0] == '+')
		text++;
	return isdigit((unsigned char)text[0]);
}
