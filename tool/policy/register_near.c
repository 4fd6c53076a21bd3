// SPDX-License-Identifier: GPL-2.0-only
/* Finds names of registers that resemble a mistyped one. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "lib/policy/register_names.h"
#include "register_near.h"

#define BETWEEN_WORDS	"_- ."	/* as people write them */
#define MISTAKES	2	/* in a name */
#define TOO_MANY	(MISTAKES + 1)
#define WORD_ROOM	33	/* for the longest word that word_distance() takes */

/* The number of mistakes that a word of this length may have. */
static unsigned int allowed_mistakes(size_t len)
{
	return len < 4 ? 0 : len < 8 ? 1 : MISTAKES;
}

/* Have both the same digits, in the same order? */
static bool same_digits(const char *a, const char *b)
{
	for (;; a++, b++) {
		while (*a && !isdigit((unsigned char)*a))
			a++;
		while (*b && !isdigit((unsigned char)*b))
			b++;
		if (*a != *b)
			return false;
		if (!*a)
			return true;
	}
}

static unsigned int mistakes_in_word(const char *text, size_t text_len,
				     const char *name, size_t name_len)
{
	size_t longer = text_len > name_len ? text_len : name_len;
	size_t shorter = text_len + name_len - longer;
	char a[WORD_ROOM], b[WORD_ROOM];
	unsigned int distance;

	if (longer >= WORD_ROOM || longer - shorter > MISTAKES)
		return TOO_MANY;
	snprintf(a, sizeof(a), "%.*s", (int)text_len, text);
	snprintf(b, sizeof(b), "%.*s", (int)name_len, name);
	if (!same_digits(a, b))
		return TOO_MANY;
	distance = word_distance(a, b);
	return distance > allowed_mistakes(longer) ? TOO_MANY : distance;
}

/* The number of mistakes in @text if @name is meant; both are without prefixes. */
static unsigned int mistakes(const char *text, const char *name)
{
	unsigned int sum = 0;

	while (sum <= MISTAKES) {
		size_t text_len, name_len;

		text += strspn(text, BETWEEN_WORDS);
		name += strspn(name, "_");
		if (!*text || !*name)
			return *text || *name ? TOO_MANY : sum;
		text_len = strcspn(text, BETWEEN_WORDS);
		name_len = strcspn(name, "_");
		sum += mistakes_in_word(text, text_len, name, name_len);
		text += text_len;
		name += name_len;
	}
	return TOO_MANY;
}

/**
 * struct near - the nearest names so far
 * @text: the mistyped name, without prefixes
 * @names: the nearest ones
 * @nr: number of nearest names
 * @mistakes: number of mistakes in @text if one of them was meant
 * @last: the register of the last one
 */
struct near {
	const char *text;
	char (*names)[REGISTER_TITLE_MAX];
	unsigned int nr, mistakes;
	const struct regpin_register *last;
};

/* Compares @name, one of those of @reg. */
static void try_name(struct near *near, const struct regpin_register *reg,
		     const char *name)
{
	unsigned int nr;

	/* A quick check that excludes most names; a prefix only makes them longer. */
	if (strlen(name) + MISTAKES < strlen(near->text))
		return;
	nr = mistakes(near->text, register_core(name));
	if (nr > near->mistakes || nr > MISTAKES)
		return;
	/* If a register has several such names, only the first is kept: it is the manual's. */
	if (nr == near->mistakes && reg == near->last)
		return;
	if (nr < near->mistakes)
		near->nr = 0;
	near->mistakes = nr;
	near->last = reg;
	if (near->nr++ < MEANT_MAX)
		snprintf(near->names[near->nr - 1], REGISTER_TITLE_MAX, "%s",
			 name);
}

static void try_member(struct near *near, const struct regpin_register *reg,
		       unsigned long number)
{
	char name[REGISTER_TITLE_MAX];

	if (number < reg->lowest || number - reg->lowest >= reg->count)
		return;
	for (unsigned int i = 0; register_name(name, reg, reg->index +
			(uint32_t)(number - reg->lowest) * reg->stride, i); i++)
		try_name(near, reg, name);
}

/* Compares a family, and those of its members whose number occurs in the text. */
static void try_family(struct near *near, const struct regpin_register *reg)
{
	char name[REGISTER_TITLE_MAX];

	for (unsigned int i = 0; register_whole_name(name, reg, i); i++)
		try_name(near, reg, name);
	for (const char *at = near->text; *at; at++)
		if (isdigit((unsigned char)*at)) {
			try_member(near, reg, strtoul(at, NULL, 10));
			at += strspn(at, "0123456789") - 1;
		}
}

unsigned int register_near(const char *text,
			   char names[MEANT_MAX][REGISTER_TITLE_MAX])
{
	struct near near = {
		.text = register_core(text), .names = names,
		.mistakes = TOO_MANY,
	};
	char name[REGISTER_TITLE_MAX];

	for (unsigned int i = 0; i < regpin_nr_names; i++) {
		const struct regpin_register *reg = &regpin_registers[i];

		if (reg->count > 1) {
			try_family(&near, reg);
			continue;
		}
		for (unsigned int k = 0;
		     register_name(name, reg, reg->index, k); k++)
			try_name(&near, reg, name);
	}
	return near.nr;
}
