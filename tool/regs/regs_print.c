// SPDX-License-Identifier: GPL-2.0-only
/* The facts about one register. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/policy/policy.h"

#include "event/event_names.h"
#include "regs_print.h"
#include "regs_value.h"

const char *regs_title(char buf[REGISTER_TITLE_MAX], const struct found *found)
{
	const struct regpin_register *reg = found->reg;

	if (!reg)
		return event_register_name(buf, REGPIN_MSR, found->index);
	return found->family ? register_family(buf, reg) :
			       register_title(buf, reg, found->index);
}

/* Copies name @n of the register; name 0 is its title. Returns false if there is none. */
static bool alias(char buf[REGISTER_NAME_MAX], const struct found *found,
		  unsigned int n)
{
	const struct regpin_register *reg = found->reg;

	return found->family ? register_whole_name(buf, reg, n) :
			       register_name(buf, reg, found->index, n);
}

const char *regs_place(char buf[REGISTER_TITLE_MAX], const struct found *found)
{
	const struct regpin_register *reg = found->reg;

	if (reg && reg->kind != REGPIN_MSR)
		return "-";
	if (reg && found->family && reg->count > 1)
		snprintf(buf, REGISTER_TITLE_MAX, "0x%" PRIx32 "-0x%" PRIx32,
			 reg->index, register_last(reg));
	else
		snprintf(buf, REGISTER_TITLE_MAX, "0x%" PRIx32, found->index);
	return buf;
}

/* The name after @name in a list of names; "" after the last one. */
static const char *next_name(const char *name)
{
	return name + strlen(name) + 1;
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
		printf("    %-6s %s", range, bit->name);
		for (const char *n = next_name(bit->name); *n; n = next_name(n))
			printf(" (%s)", n);
		putchar('\n');
	}
}

#define MSR_TSC_DEADLINE	0x6e0u

/* May a rule of @type be on the register? As policy_check() decides. */
static bool can_have(const struct found *found, unsigned int type)
{
	const struct regpin_register *reg = found->reg;

	if (rule_type_is_wide(type))
		return false;
	if (reg && reg->kind != REGPIN_MSR)
		return type == RULE_REPORT ||
		       (rule_type_is_on_bits(type) &&
			(type != RULE_REQUIRE || reg->kind != REGPIN_XCR0));
	if (found->index == UINT32_MAX)
		return false;
	if (type == RULE_ALLOW)
		return true;
	if (is_x2apic(found->index))
		return false;
	if (type == RULE_DENY || type == RULE_VALUE)
		return true;
	if (!reg || !reg->replay)
		return false;
	if (type == RULE_REPORT)
		return true;
	if (found->family)
		return false;
	if (type == RULE_REQUIRE)
		return found->index == MSR_EFER;
	return reg->kept || (type != RULE_ONCE && type != RULE_UNIFORM);
}

/* The limit of the rules on the register, as a sentence, or NULL. */
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
		return "deny: only reads, because KVM's fast path takes writes past the filter on Intel hosts and, since Linux 7, on AMD hosts";
	if (reg && reg->replay)
		return "replay: yes";
	return "replay: no, so deny has the actions gp, drop and stop only";
}

static void print_rules(const struct found *found)
{
	const char *between = "  rules: ";

	for (unsigned int type = 0; type < RULE_TYPE_MAX; type++) {
		if (!can_have(found, type))
			continue;
		printf("%s%s", between, rule_type_names[type]);
		between = ", ";
	}
	printf("%s (%s)\n", *between == ',' ? "" : "  rules: none",
	       limit_of(found));
}

/* The next row, from @i on, of another CPU's MSR with the index of @found. */
static const struct regpin_register *next_elsewhere(const struct found *found,
						    unsigned int *i)
{
	bool whole = found->family || (found->reg &&
				       found->reg->kind != REGPIN_MSR);

	for (; !whole && *i < regpin_nr_names; ++*i) {
		const struct regpin_register *reg = &regpin_registers[*i];

		if (reg->kind != REGPIN_MSR || reg == found->reg ||
		    !register_has(reg, found->index))
			continue;
		/* A row that names no CPUs is the name of a whole range. */
		if (*i >= regpin_nr_registers && !reg->cpus)
			continue;
		++*i;
		return reg;
	}
	return NULL;
}

static void print_elsewhere(const struct found *found)
{
	const struct regpin_register *reg;
	unsigned int i = 0;
	char name[REGISTER_TITLE_MAX];

	while ((reg = next_elsewhere(found, &i)))
		printf("  %s%s: %s\n", reg->cpus ? "on " : "elsewhere",
		       reg->cpus ? reg->cpus : "", register_title(name, reg, found->index));
}

static void json_elsewhere(struct json *json, const struct found *found)
{
	const struct regpin_register *reg;
	unsigned int i = 0;
	char name[REGISTER_TITLE_MAX];

	json_array_begin(json, "elsewhere");
	while ((reg = next_elsewhere(found, &i))) {
		json_object_begin(json, NULL);
		json_string(json, "register",
			    register_title(name, reg, found->index));
		json_string(json, "cpus", reg->cpus);
		json_object_end(json);
	}
	json_array_end(json);
}

/* "  also X, Y": the other names of the register, or of the member. */
static void print_aliases(const struct found *found)
{
	const char *between = "  also ";
	char name[REGISTER_TITLE_MAX];

	for (unsigned int i = 1; alias(name, found, i); i++) {
		printf("%s%s", between, name);
		between = ", ";
	}
	if (*between == ',')
		putchar('\n');
}

static void print_one(const struct found *found)
{
	char name[REGISTER_NAME_MAX], index[REGISTER_NAME_MAX];
	const struct regpin_register *reg = found->reg;

	printf("%s  %s\n", regs_title(name, found),
	       regs_place(index, found));
	if (found->decode) {
		regs_put_value(found, NULL);
		return;
	}
	print_elsewhere(found);
	if (!reg) {
		puts("  regpin has no name for it; a policy can name it by its index");
		print_rules(found);
		return;
	}
	print_aliases(found);
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

static void json_fields(struct json *json, const struct regpin_register *reg)
{
	json_array_begin(json, "fields");
	for (unsigned int i = 0; i < reg->nbits; i++) {
		const struct regpin_bit *bit = &regpin_bits[reg->bits + i];

		json_object_begin(json, NULL);
		json_string(json, "field", bit->name);
		if (*next_name(bit->name))
			json_string(json, "alias", next_name(bit->name));
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
	json_string(json, "register", reg && alias(name, found, 0) ? name :
		    event_register_name(name, REGPIN_MSR, found->index));
	json_string(json, "kind", regpin_kind_names[reg ? reg->kind :
							  REGPIN_MSR]);
	if (!reg || reg->kind == REGPIN_MSR)
		json_hex(json, "index", found->index);
	json_u64(json, "count", family ? reg->count : 1);
	json_u64(json, "stride", family ? reg->stride : 1);
	json_bool(json, "known", reg);
	json_bool(json, "hot", reg && reg->hot);
	json_bool(json, "replay", reg && reg->replay);
	json_array_begin(json, "rule_types");
	for (unsigned int type = 0; type < RULE_TYPE_MAX; type++)
		if (can_have(found, type))
			json_string(json, NULL, rule_type_names[type]);
	json_array_end(json);
	json_string(json, "limit", limit_of(found));
	if (reg) {
		json_array_begin(json, "aliases");
		for (unsigned int i = 1; alias(name, found, i); i++)
			json_string(json, NULL, name);
		json_array_end(json);
		json_string(json, "class", reg->class);
		json_string(json, "cpus", reg->cpus);
		json_string(json, "note", reg->note);
		json_fields(json, reg);
	}
	json_elsewhere(json, found);
	if (found->decode)
		regs_put_value(found, json);
	json_object_end(json);
}

void regs_put_one(const struct found *found, struct json *json)
{
	if (json)
		json_one(json, found);
	else
		print_one(found);
}
