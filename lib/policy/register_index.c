// SPDX-License-Identifier: LGPL-2.1-or-later
/* The ways in which manuals, logs and events write the index of an MSR. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "register_index.h"

/*
 * Reads a hexadecimal number with a leading 0x or a trailing h from *@text, and writes it
 * to @to with a leading 0x. False if there is none.
 */
static bool read_hex(const char **text, char to[16])
{
	const char *at = *text;
	bool prefix = at[0] == '0' && at[1] == 'x';
	size_t digits;

	at += prefix ? 2 : 0;
	digits = strspn(at, "0123456789abcdefABCDEF");
	if (!digits || digits > 8)
		return false;
	if (!prefix && at[digits] != 'h' && at[digits] != 'H')
		return false;
	snprintf(to, 16, "0x%.*s", (int)digits, at);
	for (char *c = to + 2; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	*text = at + digits + !prefix;
	return true;
}

/* The length of the word MSR or MSRs at the start of @text, with blanks and brackets; or 0. */
static size_t msr_before(const char *text)
{
	size_t len = strlen("MSR");

	if (strncasecmp(text, "MSR", len) != 0)
		return 0;
	len += text[len] == 's' || text[len] == 'S';
	return text[len] && strchr(" \t[(", text[len]) ?
		       len + strspn(text + len, " \t[(") : 0;
}

/* Reads "MSRC001_0015", as AMD's processor manuals write it. False if it is not that. */
static bool halves(char to[REGISTER_TITLE_MAX], const char *text)
{
	static const char form[] = "MSRxxxx_xxxx";
	uint32_t index = 0;

	if (strlen(text) != strlen(form) || strncasecmp(text, form, 3) != 0)
		return false;
	for (size_t i = 3; form[i]; i++) {
		int c = tolower((unsigned char)text[i]);

		if (form[i] == 'x' ? !isxdigit(c) : c != form[i])
			return false;
		if (form[i] == 'x')
			index = index << 4 |
				(uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	snprintf(to, REGISTER_TITLE_MAX, "0x%x", index);
	return true;
}

const char *register_index_text(char to[REGISTER_TITLE_MAX], const char *text)
{
	size_t len = strlen(text), before = msr_before(text);
	const char *at = text + before;
	char first[16], last[16];

	if (halves(to, text))
		return to;
	/* The usual form is left alone: the caller has messages for its mistakes. */
	if (!before && (!len || !strchr("hH", text[len - 1])))
		return text;
	if (!read_hex(&at, first))
		return text;
	snprintf(to, REGISTER_TITLE_MAX, "%s", first);
	if (*at == '-' || *at == '.') {
		at += strspn(at, "-.");
		if (!read_hex(&at, last))
			return text;
		snprintf(to, REGISTER_TITLE_MAX, "%s-%s", first, last);
	}
	at += strspn(at, " \t])");
	return *at ? text : to;
}
