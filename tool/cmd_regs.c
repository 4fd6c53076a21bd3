// SPDX-License-Identifier: GPL-2.0-only
/* regpin regs: the registers that regpin knows, for authors of policies. */
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "registers.h"

#include "cmd.h"
#include "event_json.h"
#include "json.h"
#include "options.h"
#include "policy_register.h"
#include "words.h"

/**
 * struct found - what was asked for
 * @reg: its row; NULL: an MSR that is in none
 * @index: of the MSR
 * @family: the row is meant as a whole, all that it has
 */
struct found {
	const struct regpin_register *reg;
	uint32_t index;
	bool family;
};

static void print_help(FILE *file)
{
	fputs("usage: regpin regs [--json] [NAME | INDEX | RANGE | PATTERN | BIT | CLASS]...\n"
	      "\n"
	      "Prints the registers that a policy can name: index, names and bits, whether\n"
	      "guests use it in normal running (hot), and whether userspace can perform a\n"
	      "guest's write to it (replay), which decides what rules are possible.\n"
	      "Without arguments there is one line for each. For a NAME or an INDEX all that is\n"
	      "known is printed. A line each is printed for the registers in a RANGE (0x10a-0x10f),\n"
	      "for those whose names match a PATTERN ('*ENERGY*') or contain the word, for those\n"
	      "that have a BIT (SMEP), and for those of a CLASS (power).\n"
	      "\n"
	      "  --json  print one JSON object instead\n"
	      "\n"
	      "Exit status: 0, or 2 if there is no such register.\n", file);
}

/* "EFER", "IA32_PMC0-7" for a family, "IA32_PMC3" for one of it. */
static const char *title(char buf[REGISTER_NAME_MAX], const struct found *found)
{
	const struct regpin_register *reg = found->reg;

	if (!reg)
		return event_register_name(buf, REGPIN_MSR, found->index);
	return found->family ? register_family(buf, reg) :
			       register_title(buf, reg, found->index);
}

static const char *place(char buf[REGISTER_NAME_MAX], const struct found *found)
{
	const struct regpin_register *reg = found->reg;

	if (reg && reg->kind != REGPIN_MSR)
		return "-";
	if (reg && found->family && reg->count > 1)
		snprintf(buf, REGISTER_NAME_MAX, "0x%" PRIx32 "-0x%" PRIx32,
			 reg->index, register_last(reg));
	else
		snprintf(buf, REGISTER_NAME_MAX, "0x%" PRIx32, found->index);
	return buf;
}

static void print_bits(const struct regpin_register *reg)
{
	for (unsigned int i = 0; i < reg->nbits; i++) {
		const struct regpin_bit *bit = &regpin_bits[reg->bits + i];
		unsigned int low = bit->lo, width = bit->width;
		char range[16];

		if (width > 1)
			snprintf(range, sizeof(range), "%u-%u", low,
				 low + width - 1);
		else
			snprintf(range, sizeof(range), "%u", low);
		printf("    %-6s %s\n", range, bit->name);
	}
}

#define MSR_TSC_DEADLINE	0x6e0u

/* May a rule of @type be on it? As policy_check() has it. */
static bool can_have(const struct found *found, unsigned int type)
{
	const struct regpin_register *reg = found->reg;

	if (reg && reg->kind != REGPIN_MSR)
		return type <= RULE_FROZEN ||
		       (type == RULE_REQUIRE && reg->kind != REGPIN_XCR0);
	if (found->index == UINT32_MAX)
		return false;
	if (type == RULE_ALLOW)
		return true;
	if (is_x2apic(found->index))
		return false;
	if (type >= RULE_DENY)
		return true;
	if (!reg || !reg->replay || found->family)
		return false;
	if (type == RULE_REQUIRE)
		return found->index == MSR_EFER;
	return reg->kept || (type != RULE_ONCE && type != RULE_UNIFORM);
}

/* What limits the rules that it can have, or NULL. */
static const char *limit_of(const struct found *found)
{
	const struct regpin_register *reg = found->reg;

	if (reg && reg->kind != REGPIN_MSR)
		return "enforced by regpin's CR filter only";
	if (is_x2apic(found->index))
		return "KVM never filters the x2APIC's MSRs: nothing can be denied";
	if (found->index == UINT32_MAX)
		return "KVM can't filter this index";
	if (found->index == MSR_TSC_DEADLINE)
		return "deny: read only, as the fast path of KVM takes writes before the filter on Intel hosts and, from Linux 7 on, on AMD hosts";
	if (reg && reg->replay)
		return "replay: yes";
	return "replay: no, so deny has the actions gp, drop and stop only";
}

static void print_rules(const struct found *found)
{
	const char *between = "  rules: ";

	for (unsigned int type = 0; type <= RULE_ALLOW; type++) {
		if (!can_have(found, type))
			continue;
		printf("%s%s", between, rule_type_names[type]);
		between = ", ";
	}
	printf("%s (%s)\n", *between == ',' ? "" : "  rules: none",
	       limit_of(found));
}

static void print_one(const struct found *found)
{
	char name[REGISTER_NAME_MAX], index[REGISTER_NAME_MAX];
	const struct regpin_register *reg = found->reg;
	const char *between = "  also ";

	printf("%s  %s\n", title(name, found), place(index, found));
	if (!reg) {
		puts("  regpin has no name for it; a policy can name it by its index");
		print_rules(found);
		return;
	}
	for (const char *a = reg->aliases; *a; a += strlen(a) + 1) {
		printf("%s%s", between, a);
		between = ", ";
	}
	if (*reg->aliases)
		putchar('\n');
	printf("  class %s, %s\n", reg->class,
	       reg->hot ? "hot: guests use it in normal running" : "cold");
	if (reg->cpus)
		printf("  cpus: %s\n", reg->cpus);
	print_rules(found);
	if (reg->note)
		printf("  note: %s\n", reg->note);
	if (reg->nbits)
		puts("  bits:");
	print_bits(reg);
}

static void print_line(const struct found *found)
{
	char name[REGISTER_NAME_MAX], index[REGISTER_NAME_MAX];
	const struct regpin_register *reg = found->reg;

	printf("%-24s %-22s %-9s %-4s %-6s %s\n", title(name, found),
	       place(index, found), reg->class, reg->hot ? "hot" : "cold",
	       reg->kind != REGPIN_MSR ? "-" : reg->replay ? "replay" : "-",
	       reg->note ? reg->note : "");
}

static void json_bits(struct json *json, const struct regpin_register *reg)
{
	json_array_begin(json, "bits");
	for (unsigned int i = 0; i < reg->nbits; i++) {
		const struct regpin_bit *bit = &regpin_bits[reg->bits + i];

		json_object_begin(json, NULL);
		json_string(json, "name", bit->name);
		json_u64(json, "low", bit->lo);
		json_u64(json, "width", bit->width);
		json_object_end(json);
	}
	json_array_end(json);
}

static void json_one(struct json *json, const struct found *found)
{
	const struct regpin_register *reg = found->reg;
	char name[REGISTER_NAME_MAX];
	bool family = reg && found->family && reg->count > 1;

	json_object_begin(json, NULL);
	json_string(json, "name", family ? reg->name : reg ?
		    register_title(name, reg, found->index) : NULL);
	json_string(json, "kind", regpin_kind_names[reg ? reg->kind :
							  REGPIN_MSR]);
	if (!reg || reg->kind == REGPIN_MSR)
		json_hex(json, "index", found->index);
	json_u64(json, "count", family ? reg->count : 1);
	json_bool(json, "known", reg);
	json_bool(json, "hot", reg && reg->hot);
	json_bool(json, "replay", reg && reg->replay);
	json_array_begin(json, "rules");
	for (unsigned int type = 0; type <= RULE_ALLOW; type++)
		if (can_have(found, type))
			json_string(json, NULL, rule_type_names[type]);
	json_array_end(json);
	json_string(json, "limit", limit_of(found));
	if (reg) {
		json_array_begin(json, "aliases");
		for (const char *a = reg->aliases; *a; a += strlen(a) + 1)
			json_string(json, NULL, a);
		json_array_end(json);
		json_string(json, "class", reg->class);
		json_string(json, "cpus", reg->cpus);
		json_string(json, "note", reg->note);
		json_bits(json, reg);
	}
	json_object_end(json);
}

/* The row as a whole. */
static struct found whole(const struct regpin_register *reg)
{
	return (struct found){ .reg = reg, .index = reg->index, .family = true };
}

static void put_line(struct json *json, const struct regpin_register *reg)
{
	const struct found found = whole(reg);

	if (json)
		json_one(json, &found);
	else
		print_line(&found);
}

/* Does one of its names match? */
static bool any_name_matches(const struct regpin_register *reg, const char *pattern)
{
	if (!fnmatch(pattern, reg->name, FNM_CASEFOLD))
		return true;
	for (const char *a = reg->aliases; *a; a += strlen(a) + 1)
		if (!fnmatch(pattern, a, FNM_CASEFOLD))
			return true;
	return false;
}

static bool is_control(const char *text)
{
	return (!strncasecmp(text, "CR", 2) || !strncasecmp(text, "DR", 2)) &&
	       text[2] && !text[2 + strspn(text + 2, "0123456789")];
}

/* The one that has the bit @text, as a line that says where. */
static bool has_bit(const struct regpin_register *reg, const char *text,
		    struct json *json)
{
	for (unsigned int i = 0; i < reg->nbits; i++) {
		const struct regpin_bit *bit = &regpin_bits[reg->bits + i];

		if (strcasecmp(bit->name, text) != 0)
			continue;
		if (json)
			put_line(json, reg);
		else if (bit->width > 1)
			printf("%s: bits %u-%u of %s\n", bit->name, bit->lo,
			       bit->lo + bit->width - 1u, reg->name);
		else
			printf("%s: bit %u of %s\n", bit->name, bit->lo,
			       reg->name);
		return true;
	}
	return false;
}

enum by { BY_PATTERN, BY_BIT, BY_CLASS, BY_MAX };

/* All registers that @text fits in one of three ways. Returns their number. */
static unsigned int search_by(enum by by, const char *text, struct json *json)
{
	bool pattern = strpbrk(text, "*?[");
	char part[128];
	unsigned int nr = 0;

	snprintf(part, sizeof(part), pattern ? "%s" : "*%s*", text);
	for (unsigned int i = 0; i < regpin_nr_names; i++) {
		const struct regpin_register *reg = &regpin_registers[i];

		if (by == BY_BIT) {
			nr += has_bit(reg, text, json);
			continue;
		}
		if (by == BY_CLASS ? strcasecmp(reg->class, text) != 0 :
				     !any_name_matches(reg, part))
			continue;
		put_line(json, reg);
		nr++;
	}
	return nr;
}

/* A bit and a class are exact; then a part of a name will do. */
static bool search(const char *text, struct json *json)
{
	static const enum by order[] = { BY_BIT, BY_CLASS, BY_PATTERN };

	if (strpbrk(text, "*?["))
		return search_by(BY_PATTERN, text, json);
	/* CR3 is no part of another register's name. */
	if (strlen(text) < 2 || is_control(text))
		return false;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (search_by(order[i], text, json))
			return true;
	return false;
}

/* "0x10a-0x10f": those in it that have names. Returns false if that is wrong. */
static bool range(const char *text, struct json *json)
{
	uint64_t first, last;
	const char *fault = range_read(text, UINT32_MAX, &first, &last);
	unsigned int nr = 0;

	if (fault) {
		fprintf(stderr, "regpin regs: %s as MSRs: %s\n",
			show(text).text, fault);
		return false;
	}
	for (unsigned int i = 0; i < regpin_nr_registers; i++) {
		const struct regpin_register *reg = &regpin_registers[i];

		if (reg->kind != REGPIN_MSR ||
		    !register_within(reg, (uint32_t)first, (uint32_t)last))
			continue;
		put_line(json, reg);
		nr++;
	}
	if (!nr && !json)
		printf("%s: regpin has no name for any of these; a policy can name them by this range\n",
		       text);
	return true;
}

/* Prints what @text stands for. False if that is nothing; a message is printed then. */
static bool put(const char *text, struct json *json)
{
	struct found found = { 0 };
	char why[REGISTER_UNKNOWN_MAX];
	const char *fault;
	uint64_t index;
	struct register_named named;

	if (number_like(text) && strchr(text + 1, '-'))
		return range(text, json);
	if (number_like(text)) {
		fault = number_read(text, strlen(text), UINT32_MAX, &index);
		if (fault) {
			fprintf(stderr, "regpin regs: %s as an MSR: %s\n",
				show(text).text, fault);
			return false;
		}
		found.index = (uint32_t)index;
		found.reg = register_find(REGPIN_MSR, found.index);
	} else {
		if (!register_by_name(text, &named)) {
			if (search(text, json))
				return true;
			register_unknown(why, sizeof(why), text);
			fprintf(stderr, "regpin regs: %s\n", why);
			return false;
		}
		found = (struct found){ named.reg, named.index, named.whole };
	}
	if (json)
		json_one(json, &found);
	else
		print_one(&found);
	return true;
}

static void all(struct json *json)
{
	if (!json)
		printf("%-24s %-22s %-9s %-4s %-6s %s\n", "NAME", "INDEX",
		       "CLASS", "HEAT", "REPLAY", "NOTE");
	for (unsigned int i = 0; i < regpin_nr_registers; i++)
		put_line(json, &regpin_registers[i]);
}

static int some(char **texts, struct json *json)
{
	int ret = EXIT_OK;

	for (; *texts; texts++)
		if (!put(*texts, json))
			ret = EXIT_USAGE;
	return ret;
}

static int cmd_regs_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct json json, *to = NULL;
	int c, ret = EXIT_OK;

	optind = 0;
	while ((c = option_next("regs", argc, argv, "h", options)) != -1) {
		switch (c) {
		case 'j':
			to = &json;
			break;
		case 'h':
			print_help(stdout);
			return EXIT_OK;
		default:
			print_help(stderr);
			return EXIT_USAGE;
		}
	}
	if (to) {
		json_begin(to, stdout);
		json_object_begin(to, NULL);
		json_u64(to, "version", JSON_VERSION);
		json_array_begin(to, "registers");
	}
	if (optind == argc)
		all(to);
	else
		ret = some(argv + optind, to);
	if (to) {
		json_array_end(to);
		json_object_end(to);
		json_end(to);
	}
	return ret;
}

const struct cmd cmd_regs = {
	"regs", cmd_regs_main, "print the registers that a policy can name",
};
