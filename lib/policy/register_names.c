// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * From a name to a register. The table has the manual's name and the names that differ
 * in more than a prefix; people and sources write many more.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "register_names.h"
#include "registers.h"

/*
 * Prefixes that are not part of a name. @cpus: the CPUs that have such registers; NULL if
 * the prefix names none. A prefix comes before all prefixes that it begins with.
 */
static const struct prefix {
	const char *text, *cpus;
} prefixes[] = {
	{ "MSR_", NULL }, { "_", NULL }, { "IA32_", NULL },
	{ "INTEL_", "intel" }, { "AMD64_", "amd" }, { "AMD_", "amd" },
	{ "FAM10H_", "amd" }, { "FAM15H_", "amd" }, { "FAM17H_", "amd" },
	{ "F10H_", "amd" }, { "F15H_", "amd" }, { "F16H_", "amd" },
	{ "F17H_", "amd" }, { "F19H_", "amd" }, { "F10_", "amd" },
	{ "K6_", "amd" }, { "K7_", "amd" }, { "K8_", "amd" },
	{ "ZEN2_", "amd" }, { "ZEN4_", "amd" },
	{ "HV_X64_MSR_", "hyperv" }, { "HV_MSR_", "hyperv" },
	{ "HV_", "hyperv" }, { "KVM_", "kvm" },
	/* Models. If a name in the table has such a prefix, it is a part of the name. */
	{ "P4_", "p4" }, { "PENTIUM_4_", "p4" }, { "PENTIUM_M_", "pentium-m" },
	{ "PENTIUM_", "p5" }, { "P6_", "p6" }, { "CORE2_", "core2" },
	{ "C2_", "core2" }, { "CORE_", "core" }, { "ATOM_", "atom" },
	{ "SILVERMONT_", "silvermont" }, { "SM_", "silvermont" },
	{ "GOLDMONT_PLUS_", "goldmont" }, { "GOLDMONT_", "goldmont" },
	{ "GM_", "goldmont" }, { "NEHALEM_", "nehalem" },
	{ "NHL_", "nehalem" }, { "XEON_5600_", "nehalem" },
	{ "XEON_E7_", "xeon-e7" }, { "SANDY_BRIDGE_", "sandy-bridge" },
	{ "IVY_BRIDGE_", "ivy-bridge" }, { "HASWELL_E_", "haswell-ep" },
	{ "HASWELL_", "haswell" }, { "BROADWELL_", "broadwell" },
	{ "XEON_D_", "broadwell" }, { "SKYLAKE_", "skylake" },
	{ "SKL_", "skylake" }, { "XEON_PHI_", "xeon-phi" },
	{ "KNL_", "xeon-phi" },
};

#define NR_PREFIXES	(sizeof(prefixes) / sizeof(prefixes[0]))
#define NR_VENDORS	24	/* those before the models */

/* Of the first @nr prefixes, the one that begins @text and is not all of it; or NULL. */
static const struct prefix *prefix_of(const char *text, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		size_t len = strlen(prefixes[i].text);

		if (!strncasecmp(text, prefixes[i].text, len) && text[len])
			return &prefixes[i];
	}
	return NULL;
}

/* @text without those of its prefixes that are among the first @nr. */
static const char *core_of(const char *text, size_t nr)
{
	const struct prefix *prefix;

	while ((prefix = prefix_of(text, nr)))
		text += strlen(prefix->text);
	return text;
}

const char *register_core(const char *text)
{
	return core_of(text, NR_VENDORS);
}

/* Is @word one of the words of @list, which are separated by commas? */
static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (; *list; list += strcspn(list, ","), list += *list == ',')
		if (!strncmp(list, word, len) &&
		    (!list[len] || list[len] == ','))
			return true;
	return false;
}

/* Do the CPUs that @prefix stands for have @reg? */
static bool agrees(const struct regpin_register *reg,
		   const struct prefix *prefix)
{
	static const char *const vendors[] = { "intel", "amd" };
	bool amd;

	if (!prefix->cpus)
		return true;
	if (!strcmp(prefix->cpus, "hyperv") || !strcmp(prefix->cpus, "kvm"))
		return !strcmp(reg->class, prefix->cpus);
	if (!reg->cpus)
		return strcmp(reg->class, "hyperv") != 0 &&
		       strcmp(reg->class, "kvm") != 0;
	if (has_word(reg->cpus, prefix->cpus))
		return true;
	/* The prefix of a model fits registers that all CPUs of its vendor have. */
	amd = !strcmp(prefix->cpus, "amd");
	return has_word(reg->cpus, vendors[amd]);
}

/* Reads the number of a member at the start of *@text. False if there is none. */
static bool read_number(const char **text, uint32_t *number)
{
	const char *at = *text;
	uint32_t n = 0;

	if (!isdigit((unsigned char)*at) ||
	    (*at == '0' && isdigit((unsigned char)at[1])))
		return false;
	for (; isdigit((unsigned char)*at); at++) {
		n = n * 10 + (uint32_t)(*at - '0');
		if (n > UINT16_MAX)
			return false;
	}
	*text = at;
	*number = n;
	return true;
}

/* Is @text, after the first part of a name, a member's number or a sign for all of them? */
static bool family_matches(const struct regpin_register *reg,
			   const char *behind, const char *text,
			   struct register_named *named)
{
	const char *at = text;
	uint32_t number;

	if (read_number(&at, &number) && !strcasecmp(at, behind)) {
		if (number < reg->lowest ||
		    number - reg->lowest >= reg->count)
			return false;
		named->index = reg->index +
			       (number - reg->lowest) * reg->stride;
		return true;
	}
	/* The manuals write IA32_MCi_CTL, Linux MCx. */
	if (*text && strchr("#iIxXnN", *text) &&
	    (*behind || *text == '#') && !strcasecmp(text + 1, behind))
		text++;
	if (strcasecmp(text, behind) != 0)
		return false;
	named->whole = true;
	return true;
}

/* Does @text name @reg, or a member of it, by its name @known? */
static bool name_matches(const struct regpin_register *reg, const char *known,
			 const char *text, struct register_named *named)
{
	size_t len = strcspn(known, "#@");
	const char *behind = known + len;
	uint32_t number;

	if (strncasecmp(known, text, len) != 0)
		return false;
	text += len;
	*named = (struct register_named){ .reg = reg, .index = reg->index };
	if (*behind == '@') {
		behind++;
		if (!*text && read_number(&behind, &number))
			named->index += (number - reg->lowest) * reg->stride;
		return !*text;
	}
	if (reg->count == 1)
		return !*text;
	return family_matches(reg, *behind ? behind + 1 : "", text, named);
}

/* The same for @known without its prefixes. */
static bool core_matches(const struct regpin_register *reg, const char *known,
			 const char *text, struct register_named *named)
{
	for (const char *at = known; *at; at += strcspn(at, "_"), at += *at == '_')
		if (name_matches(reg, at, text, named) &&
		    core_of(known, NR_VENDORS) == at)
			return true;
	return false;
}

typedef bool match(const struct regpin_register *reg, const char *known,
		   const char *text, struct register_named *named);

static bool any_matches(const struct regpin_register *reg, match *matches,
			const char *text, struct register_named *named)
{
	if (matches(reg, reg->name, text, named))
		return true;
	for (const char *a = reg->aliases; *a; a += strlen(a) + 1)
		if (matches(reg, a, text, named))
			return true;
	return false;
}

/* Do all of the prefixes of @text before @end agree with @reg? */
static bool all_agree(const struct regpin_register *reg, const char *text,
		      const char *end)
{
	const struct prefix *prefix;

	for (; text < end; text += strlen(prefix->text)) {
		prefix = prefix_of(text, NR_PREFIXES);
		if (!prefix || !agrees(reg, prefix))
			return false;
	}
	return true;
}

/* Finds @rest, which is @text without some of its prefixes, among the table's names. */
static bool find_exact(const char *text, const char *rest,
		       struct register_named *named)
{
	for (unsigned int i = 0; i < regpin_nr_names; i++)
		if (any_matches(&regpin_registers[i], name_matches, rest,
				named))
			return all_agree(named->reg, text, rest);
	return false;
}

/*
 * The same among the names without their prefixes. Several of these can be equal: a main
 * row takes precedence over a row for certain models; two rows of the same kind are
 * ambiguous, and the result is false.
 */
static bool find_core(const char *text, const char *rest,
		      struct register_named *named)
{
	struct register_named other;
	bool found = false;

	for (unsigned int i = 0; i < regpin_nr_names; i++) {
		const struct regpin_register *reg = &regpin_registers[i];

		if (found && i >= regpin_nr_registers &&
		    named->reg < &regpin_registers[regpin_nr_registers])
			return true;
		if (!any_matches(reg, core_matches, rest, &other) ||
		    !all_agree(reg, text, rest))
			continue;
		if (found)
			return false;
		*named = other;
		found = true;
	}
	return found;
}

static bool by_name(const char *text, struct register_named *named)
{
	const char *core = core_of(text, NR_PREFIXES);

	for (const char *rest = text;; rest += strlen(prefix_of(rest, NR_PREFIXES)->text)) {
		if (find_exact(text, rest, named))
			return true;
		if (rest == core)
			return find_core(text, core, named);
	}
}

/* Removes the brackets of a C macro, "MSR_P6_PERFCTR(1)". False if @text is not like that. */
static bool without_brackets(char *to, size_t size, const char *text)
{
	const char *open = strchr(text, '('), *digits;
	size_t len;

	if (!open || open == text || !isdigit((unsigned char)open[1]) ||
	    isdigit((unsigned char)open[-1]))
		return false;
	digits = open + 1;
	len = strspn(digits, "0123456789");
	if (strcmp(digits + len, ")") != 0 || strlen(text) >= size)
		return false;
	snprintf(to, size, "%.*s%.*s", (int)(open - text), text, (int)len,
		 digits);
	return true;
}

bool register_by_name(const char *text, struct register_named *named)
{
	char plain[REGISTER_TITLE_MAX];

	return by_name(text, named) ||
	       (without_brackets(plain, sizeof(plain), text) &&
		by_name(plain, named));
}

#define BETWEEN_WORDS	"_ -."	/* as people write them */

/* Is it a word that any name may have? */
static bool is_noise(const char *word, size_t len)
{
	static const char *const noise[] = { "MSR", "REG", "REGISTER" };

	for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++)
		if (strlen(noise[i]) == len &&
		    !strncasecmp(word, noise[i], len))
			return true;
	return false;
}

/* Is one of the words of @name equal to @word? A # stands for any number. */
static bool name_has(const char *name, const char *word, size_t len)
{
	for (; *name; name += strcspn(name, "_"), name += *name == '_') {
		size_t theirs = strcspn(name, "_@");
		size_t before = strcspn(name, "_@#");

		if (theirs == len && !strncasecmp(name, word, len))
			return true;
		if (before == theirs || before > len ||
		    strncasecmp(name, word, before) != 0)
			continue;
		if (before + strspn(word + before, "0123456789") == len &&
		    before + 1 == theirs)
			return true;
	}
	return false;
}

/* Does @name have all words of @core, of which there is at least one? */
static bool has_all(const char *name, const char *core)
{
	unsigned int words = 0;

	while (*(core += strspn(core, BETWEEN_WORDS))) {
		size_t len = strcspn(core, BETWEEN_WORDS);

		if (!is_noise(core, len)) {
			words++;
			if (!name_has(name, core, len))
				return false;
		}
		core += len;
	}
	return words;
}

/* Are the two equal apart from what separates words? */
static bool letters_match(const char *name, const char *core)
{
	for (;; name++, core++) {
		name += strspn(name, "_");
		core += strspn(core, BETWEEN_WORDS);
		if (tolower((unsigned char)*name) !=
		    tolower((unsigned char)*core))
			return false;
		if (!*name)
			return true;
	}
}

/* May @core mean @reg: by an @equal name, or by one with all of its words? */
static bool means(const struct regpin_register *reg, const char *core,
		  bool equal)
{
	const char *name = reg->name, *next = reg->aliases;
	struct register_named named;

	for (; *name; name = next, next += strlen(next) + 1) {
		if (equal ? core_matches(reg, name, core, &named) ||
			    letters_match(core_of(name, NR_VENDORS), core) :
			    has_all(name, core))
			return true;
		if (!*next)
			break;
	}
	return false;
}

unsigned int register_by_words(const char *text,
			       const struct regpin_register **rows,
			       unsigned int max)
{
	const char *core = core_of(text, NR_PREFIXES);
	unsigned int nr = 0;

	for (int equal = 1; equal >= 0 && !nr; equal--)
		for (unsigned int i = 0; i < regpin_nr_names; i++) {
			const struct regpin_register *reg = &regpin_registers[i];

			if (means(reg, core, equal) && nr++ < max)
				rows[nr - 1] = reg;
		}
	return nr;
}
