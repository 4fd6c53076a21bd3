// SPDX-License-Identifier: GPL-2.0-only
/* Finding registers by bits, classes, patterns, words, groups and ranges. */
#include <ctype.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/words.h"
#include "lib/policy/registers.h"
#include "regs_line.h"
#include "regs_search.h"

void regs_put_row(const struct regpin_register *reg, struct json *json)
{
	const struct found found = {
		.reg = reg, .index = reg->index, .family = true,
	};

	regs_put_line(&found, json);
}

/* Does @pattern match @name, with or without MSR_ in front? */
static bool pattern_matches(const char *pattern, const char *name)
{
	char longer[REGISTER_TITLE_MAX + 4];

	snprintf(longer, sizeof(longer), "MSR_%s", name);
	return !fnmatch(pattern, name, FNM_CASEFOLD) ||
	       !fnmatch(pattern, longer, FNM_CASEFOLD);
}

#define BETWEEN_WORDS	"_- ."	/* as people write them */

/*
 * Does a word of @name begin at @at? The table's names are MC4_CTL, X2APIC, LockOut
 * and MTRRphysBase.
 */
static bool begins_word(const char *name, const char *at)
{
	unsigned char here = (unsigned char)*at, before;

	if (!isalnum(here))
		return false;
	if (at == name)
		return true;
	before = (unsigned char)at[-1];
	if (!isalnum(before) || !isdigit(before) != !isdigit(here))
		return true;
	if (islower(before))
		return isupper(here);
	return isupper(before) && islower(here) && at - name > 1 &&
	       isupper((unsigned char)at[-2]);
}

/* Does @at begin with @text, apart from the characters between words? */
static bool begins_with(const char *at, const char *text)
{
	for (; *text; text++, at++) {
		bool between = strchr(BETWEEN_WORDS, *text);

		if (between ? *at != '_' :
		    tolower((unsigned char)*at) != tolower((unsigned char)*text))
			return false;
	}
	return true;
}

/* Does @name contain the words of @text, of which the last one may be cut off? */
static bool has_words(const char *name, const char *text)
{
	/* MSR_ begins half of the names, so it does not count as a word. */
	name += strncasecmp(name, "MSR_", 4) ? 0 : 4;
	for (const char *at = name; *at; at++)
		if (begins_word(name, at) && begins_with(at, text))
			return true;
	return false;
}

/**
 * struct query - the members of rows that are searched for
 * @pattern: members with such a name, or NULL
 * @words: otherwise those with these words in a name, or NULL
 * @first: otherwise the first index of a range
 * @last: the last index of the range
 */
struct query {
	const char *pattern, *words;
	uint32_t first, last;
};

/* Does one of the names of the member @index match? */
static bool member_fits(const struct query *query,
			const struct regpin_register *reg, uint32_t index)
{
	char name[REGISTER_TITLE_MAX];

	for (unsigned int i = 0; register_name(name, reg, index, i); i++)
		if (query->pattern ? pattern_matches(query->pattern, name) :
				     has_words(name, query->words))
			return true;
	return false;
}

static bool answers(const struct query *query,
		    const struct regpin_register *reg, uint32_t index)
{
	if (query->pattern || query->words)
		return member_fits(query, reg, index);
	return reg->kind == REGPIN_MSR && index >= query->first &&
	       index <= query->last;
}

/* Adds the members of @reg that match, or the row if all do. Returns their number. */
static unsigned int put_answers(const struct query *query,
				const struct regpin_register *reg,
				struct json *json)
{
	struct found found = { .reg = reg };
	unsigned int nr = 0;

	for (uint32_t n = 0; n < reg->count; n++)
		nr += answers(query, reg, reg->index + n * reg->stride);
	if (nr == reg->count)
		regs_put_row(reg, json);
	for (uint32_t n = 0; nr < reg->count && n < reg->count; n++) {
		found.index = reg->index + n * reg->stride;
		if (answers(query, reg, found.index))
			regs_put_line(&found, json);
	}
	return nr;
}

static bool is_control(const char *text)
{
	return (!strncasecmp(text, "CR", 2) || !strncasecmp(text, "DR", 2)) &&
	       text[2] && !text[2 + strspn(text + 2, "0123456789")];
}

static bool bit_matches(const struct regpin_bit *bit, const char *text,
			bool part)
{
	for (const char *n = bit->name; *n; n += strlen(n) + 1)
		if (part ? has_words(n, text) : !strcasecmp(n, text))
			return true;
	return false;
}

/*
 * Adds a line for each bit of @reg with the name @text, or, with @part, with the words of
 * @text in its name. Returns their number.
 */
static unsigned int put_bits(const struct regpin_register *reg,
			     const char *text, bool part, struct json *json)
{
	char name[REGISTER_TITLE_MAX];
	unsigned int nr = 0;

	register_whole(name, reg);
	for (unsigned int i = 0; i < reg->nbits; i++) {
		const struct regpin_bit *bit = &regpin_bits[reg->bits + i];

		if (!bit_matches(bit, text, part))
			continue;
		if (json && !nr)
			regs_put_row(reg, json);
		else if (!json && bit->width > 1)
			printf("%s: bits %u-%u of %s\n", bit->name, bit->lo,
			       bit->lo + bit->width - 1u, name);
		else if (!json)
			printf("%s: bit %u of %s\n", bit->name, bit->lo, name);
		nr++;
	}
	return nr;
}

static unsigned int search_bits(const char *text, bool part, struct json *json)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < regpin_nr_names; i++)
		nr += put_bits(&regpin_registers[i], text, part, json);
	return nr;
}

/*
 * Adds a line for each register that fits @query, or that is of @class if that is not NULL.
 * Returns their number.
 */
static unsigned int search_names(const struct query *query, const char *class,
				 struct json *json)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < regpin_nr_names; i++) {
		const struct regpin_register *reg = &regpin_registers[i];

		if (!class || strcasecmp(reg->class, class) != 0) {
			nr += put_answers(query, reg, json);
			continue;
		}
		regs_put_row(reg, json);
		nr++;
	}
	return nr;
}

bool regs_search(const char *text, struct json *json)
{
	struct query query = { 0 };

	if (strpbrk(text, "*?[")) {
		query.pattern = text;
		return search_names(&query, NULL, json);
	}
	text += strspn(text, BETWEEN_WORDS);
	if (!strncasecmp(text, "MSR_", 4) && text[4])
		text += 4;
	/* A control register's name is never meant as a part of another name. */
	if (strlen(text) < 2 || is_control(text))
		return false;
	query.words = text;
	return search_bits(text, false, json) ||
	       search_names(&query, text, json) || search_bits(text, true, json);
}

const char *regs_near_bit(const char *text)
{
	struct nearest nearest;

	nearest_begin(&nearest, text);
	/* As for registers: short words are too close to names of other bits. */
	if (strlen(text) < 4)
		return NULL;
	for (unsigned int i = 0; i < regpin_nr_names; i++) {
		const struct regpin_register *reg = &regpin_registers[i];

		for (unsigned int n = 0; n < reg->nbits; n++)
			nearest_try(&nearest, regpin_bits[reg->bits + n].name);
	}
	return nearest.best;
}

/* How many registers are in the group of row @n. */
static unsigned int group_size(unsigned int n)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < regpin_nr_registers; i++)
		if (!strcmp(regpin_registers[i].class,
			    regpin_registers[n].class))
			nr += regpin_registers[i].count;
	return nr;
}

static void put_groups(struct json *json)
{
	for (unsigned int i = 0; i < regpin_nr_registers; i++) {
		char name[REGISTER_TITLE_MAX];

		if (!register_is_first(i))
			continue;
		snprintf(name, sizeof(name), "@%s", regpin_registers[i].class);
		if (json) {
			json_object_begin(json, NULL);
			json_string(json, "group", name);
			json_u64(json, "count", group_size(i));
			json_object_end(json);
		} else {
			printf("%-12s %u\n", name, group_size(i));
		}
	}
}

bool regs_group(const char *text, struct json *json)
{
	if (!text[1]) {
		put_groups(json);
		return true;
	}
	for (unsigned int i = 0; i < regpin_nr_registers; i++)
		if (!strcmp(regpin_registers[i].class, text + 1))
			regs_put_row(&regpin_registers[i], json);
	return register_group(text + 1);
}

bool regs_range(const char *text, struct json *json)
{
	struct query query = { 0 };
	uint64_t first, last;
	const char *fault = range_read(text, UINT32_MAX, &first, &last);
	unsigned int nr = 0;

	if (fault) {
		fprintf(stderr, "regpin regs: %s as MSRs: %s\n",
			show(text).text, fault);
		return false;
	}
	query.first = (uint32_t)first;
	query.last = (uint32_t)last;
	for (unsigned int i = 0; i < regpin_nr_names; i++) {
		const struct regpin_register *reg = &regpin_registers[i];

		/* A row that names no CPUs is the name of a whole range. */
		if (i < regpin_nr_registers || reg->cpus)
			nr += put_answers(&query, reg, json);
	}
	if (!nr && !json)
		printf("%s: regpin has no name for any of these; a policy can name them by this range\n",
		       text);
	return true;
}
