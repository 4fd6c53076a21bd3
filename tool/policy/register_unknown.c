// SPDX-License-Identifier: GPL-2.0-only
/* The message for a text that is not the name of a register. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/words.h"
#include "lib/policy/register_names.h"
#include "lib/policy/registers.h"
#include "lib/policy/windows.h"
#include "register_near.h"
#include "register_unknown.h"

/* Registers that have the words of @text; if there are none, registers near to it. */
static unsigned int candidates(const char *text,
			       char names[MEANT_MAX][REGISTER_TITLE_MAX])
{
	const struct regpin_register *rows[MEANT_MAX];
	unsigned int nr = register_by_words(text, rows, MEANT_MAX);

	for (unsigned int i = 0; i < nr && i < MEANT_MAX; i++)
		register_whole(names[i], rows[i]);
	return nr ? nr : register_near(text, names);
}

/* "; did you mean 'PAT'?" with the registers that may be meant, if they are few. */
static const char *meant(char *to, size_t size, const char *text)
{
	char names[MEANT_MAX][REGISTER_TITLE_MAX];
	unsigned int nr = candidates(text, names);
	size_t used = 0;

	snprintf(to, size, ".");
	if (nr > MEANT_MAX)
		return to;
	for (unsigned int i = 0; i < nr && used < size; i++)
		used += (size_t)snprintf(to + used, size - used, "%s'%s'%s",
					 !i ? "; did you mean " :
					 i + 1 < nr ? ", " : " or ",
					 names[i], i + 1 < nr ? "" : "?");
	return to;
}

#define HEX_DIGITS "0123456789abcdefABCDEF"

/*
 * Is @text a hexadecimal index without 0x or h? Its digits are written to @digits. The APM
 * separates the two halves of an index, C001_0015; @digits has no separator.
 */
static bool bare_index(const char *text, char digits[9])
{
	size_t len, rest;

	if (!strncasecmp(text, "MSR", 3) && strchr(" [(", text[3]))
		text += 3 + strspn(text + 3, " [(");
	len = strspn(text, HEX_DIGITS);
	rest = len == 4 && text[len] == '_' ?
		strspn(text + len + 1, HEX_DIGITS) : 0;
	if (len > 8 || text[len + (rest == 4 ? 5 : 0)] ||
	    !strpbrk(text, "0123456789"))
		return false;
	snprintf(digits, 9, "%.*s%.*s", (int)len, text, (int)rest,
		 text + len + (rest ? 1 : 0));
	return true;
}

/* The family of which @text would be a member, if it had more members; or NULL. */
static const struct regpin_register *family_of(const char *text)
{
	struct register_named named;
	char whole[REGISTER_TITLE_MAX];
	size_t len;

	if (strlen(text) >= sizeof(whole))
		return NULL;
	for (const char *at = text; *at; at++) {
		if (!isdigit((unsigned char)*at))
			continue;
		len = strspn(at, "0123456789");
		snprintf(whole, sizeof(whole), "%.*s#%s", (int)(at - text),
			 text, at + len);
		if (register_by_name(whole, &named) && named.whole)
			return named.reg;
		at += len - 1;
	}
	return NULL;
}

void register_unknown(char *to, size_t size, const char *text)
{
	char list[MEANT_MAX * (REGISTER_TITLE_MAX + 8)];
	const struct regpin_register *family = family_of(text);
	char digits[9];

	if ((strncasecmp(text, "CR", 2) == 0 ||
	     strncasecmp(text, "DR", 2) == 0) &&
	    isdigit((unsigned char)text[2])) {
		snprintf(to, size, "regpin has no rules on %s: the control registers that a rule can name are CR0, CR4 and XCR0",
			 show(text).text);
		return;
	}
	if (bare_index(text, digits)) {
		snprintf(to, size, "there is no register %s: as an index it is written 0x%s",
			 show(text).text, digits);
		return;
	}
	if (strcmp(text, "all") == 0 || strcmp(text, "*") == 0) {
		snprintf(to, size, "a rule can't name all registers: KVM filters at most %u in one range; name them in a list",
			 FILTER_WINDOW);
		return;
	}
	if (strpbrk(text, WORDS_SEVERAL)) {
		snprintf(to, size, "there is no register %s: several are written as a list, %s",
			 show(text).text, words_as_list(list, sizeof(list), text));
		return;
	}
	if (family) {
		snprintf(to, size, "there is no register %s: the registers of this family are %s",
			 show(text).text, register_family(list, family));
		return;
	}
	snprintf(to, size, "there is no register %s%s An MSR without a name is written as its index, for example 0x10a",
		 show(text).text, meant(list, sizeof(list), text));
}
