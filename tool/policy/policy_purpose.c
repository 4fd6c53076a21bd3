// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "policy_purpose.h"

#define LICENCE	"SPDX-"
#define CUT	"..."

/* The end of the first sentence in @text, or NULL. "5.10" ends none. */
static char *sentence_end(char *text)
{
	for (char *at = text; (at = strchr(at, '.')); at++)
		if (at[1] == ' ' || !at[1])
			return at + 1;
	return NULL;
}

/* Adds a line of the comment to @to, which has @used bytes. Returns the new number of bytes. */
static size_t add(char *to, size_t size, size_t used, const char *line, size_t len)
{
	if (used && used + 1 < size)
		to[used++] = ' ';
	if (len > size - 1 - used)
		len = size - 1 - used;
	memcpy(to + used, line, len);
	to[used + len] = 0;
	return used + len;
}

/* Marks the end of a text that did not fit, at the beginning of a character. */
static void cut(char *to, size_t size)
{
	size_t end = size - sizeof(CUT);

	while (end && ((unsigned char)to[end] & 0xc0) == 0x80)
		end--;
	memcpy(to + end, CUT, sizeof(CUT));
}

const char *policy_purpose(char *to, size_t size, const char *text, size_t len)
{
	const char *end = text + len;
	size_t used = 0;
	char *stop;

	to[0] = 0;
	while (text < end && used + 1 < size) {
		const char *feed = memchr(text, '\n', (size_t)(end - text));
		const char *line = text, *last = feed ? feed : end;

		text = feed ? feed + 1 : end;
		if (line < last && last[-1] == '\r')
			last--;
		/* Blank lines and a licence may stand before the comment. */
		if (line == last && !used)
			continue;
		if (line == last || *line != '#')
			break;
		line++;
		while (line < last && *line == ' ')
			line++;
		if (line == last && used)
			break;
		if (line == last || (!used && (size_t)(last - line) > strlen(LICENCE) &&
				     !memcmp(line, LICENCE, strlen(LICENCE))))
			continue;
		if (memchr(line, 0, (size_t)(last - line)))
			break;
		used = add(to, size, used, line, (size_t)(last - line));
	}
	stop = sentence_end(to);
	if (stop && (*stop || used + 1 < size))
		*stop = 0;
	else if (used + 1 == size)
		cut(to, size);
	return to;
}
