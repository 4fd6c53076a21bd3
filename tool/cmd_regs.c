// SPDX-License-Identifier: GPL-2.0-only
/* regpin regs: the registers that regpin knows, for who writes a policy. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "registers.h"

#include "cmd.h"
#include "event_json.h"
#include "json.h"
#include "options.h"
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
	fputs("usage: regpin regs [--json] [NAME | INDEX]...\n"
	      "\n"
	      "Prints the registers that a policy can name: index, names and bits, whether\n"
	      "guests use it in normal running (hot), and whether userspace can perform a\n"
	      "guest's write to it (replay), without which there is only 'deny' and 'value'.\n"
	      "Without arguments one line for each; else all that is known of those named.\n"
	      "\n"
	      "  --json  print one JSON object instead\n"
	      "\n"
	      "Exit status: 0, or 2 if there is no such register.\n", file);
}

/* "EFER", "IA32_PMC0-7" for a family, "IA32_PMC3" for one of it. */
static const char *title(char buf[REGISTER_NAME_MAX], const struct found *found)
{
	const struct regpin_register *reg = found->reg;

	if (!reg || !found->family || reg->count == 1)
		return event_register_name(buf, reg ? reg->kind : REGPIN_MSR,
					   found->index);
	snprintf(buf, REGISTER_NAME_MAX, "%s0-%" PRIu32, reg->name,
		 reg->count - 1);
	return buf;
}

static const char *place(char buf[REGISTER_NAME_MAX], const struct found *found)
{
	const struct regpin_register *reg = found->reg;

	if (reg && reg->kind != REGPIN_MSR)
		return "-";
	if (reg && found->family && reg->count > 1)
		snprintf(buf, REGISTER_NAME_MAX, "0x%" PRIx32 "-0x%" PRIx32,
			 reg->index, reg->index + (reg->count - 1));
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

static const char *can_what(const struct found *found)
{
	const struct regpin_register *reg = found->reg;

	if (reg && reg->kind != REGPIN_MSR)
		return "a control register: sticky, never, frozen, require";
	if (reg && reg->replay)
		return "replay: yes, all rules are possible";
	return "replay: no, only deny (gp, drop, stop) and value are possible";
}

static void print_one(const struct found *found)
{
	char name[REGISTER_NAME_MAX], index[REGISTER_NAME_MAX];
	const struct regpin_register *reg = found->reg;
	const char *between = "  also ";

	printf("%s  %s\n", title(name, found), place(index, found));
	if (!reg) {
		puts("  regpin has no name for it; a policy can name it by its index");
		printf("  %s\n", can_what(found));
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
	printf("  %s\n", can_what(found));
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
		    event_register_name(name, reg->kind, found->index) : NULL);
	json_string(json, "kind", regpin_kind_names[reg ? reg->kind :
							  REGPIN_MSR]);
	if (!reg || reg->kind == REGPIN_MSR)
		json_hex(json, "index", found->index);
	json_u64(json, "count", family ? reg->count : 1);
	json_bool(json, "known", reg);
	json_bool(json, "hot", reg && reg->hot);
	json_bool(json, "replay", reg && reg->replay);
	if (reg) {
		json_array_begin(json, "aliases");
		for (const char *a = reg->aliases; *a; a += strlen(a) + 1)
			json_string(json, NULL, a);
		json_array_end(json);
		json_string(json, "class", reg->class);
		json_string(json, "note", reg->note);
		json_bits(json, reg);
	}
	json_object_end(json);
}

static void not_found(const char *text)
{
	struct nearest nearest;

	nearest_begin(&nearest, text);
	for (unsigned int i = 0; i < regpin_nr_registers; i++) {
		const struct regpin_register *reg = &regpin_registers[i];

		nearest_try(&nearest, reg->name);
		for (const char *a = reg->aliases; *a; a += strlen(a) + 1)
			nearest_try(&nearest, a);
	}
	fprintf(stderr, "regpin regs: there is no register %s%s\n",
		show(text).text, nearest.best ? nearest_hint(&nearest).text :
		": 'regpin regs' lists those that have names");
}

static bool is_name_of(const struct regpin_register *reg, const char *text)
{
	if (!strcasecmp(reg->name, text))
		return true;
	for (const char *a = reg->aliases; *a; a += strlen(a) + 1)
		if (!strcasecmp(a, text))
			return true;
	return false;
}

/* Finds what @text names. False if it is nothing, which is told. */
static bool find(const char *text, struct found *found)
{
	uint64_t index;
	uint32_t member;
	const char *fault;

	*found = (struct found){ 0 };
	if (number_like(text)) {
		fault = number_read(text, strlen(text), UINT32_MAX, &index);
		if (fault) {
			fprintf(stderr, "regpin regs: %s as an MSR: %s\n",
				show(text).text, fault);
			return false;
		}
		found->index = (uint32_t)index;
		found->reg = register_find(REGPIN_MSR, found->index);
		return true;
	}
	found->reg = register_by_name(text, &member);
	if (!found->reg) {
		not_found(text);
		return false;
	}
	found->index = found->reg->index + member;
	found->family = is_name_of(found->reg, text);
	return true;
}

static void all(struct json *json)
{
	if (!json)
		printf("%-24s %-22s %-9s %-4s %-6s %s\n", "NAME", "INDEX",
		       "CLASS", "HEAT", "REPLAY", "NOTE");
	for (unsigned int i = 0; i < regpin_nr_registers; i++) {
		const struct found found = {
			.reg = &regpin_registers[i], .family = true,
			.index = regpin_registers[i].index,
		};

		if (json)
			json_one(json, &found);
		else
			print_line(&found);
	}
}

static int some(char **texts, struct json *json)
{
	int ret = EXIT_OK;

	for (; *texts; texts++) {
		struct found found;

		if (!find(*texts, &found))
			ret = EXIT_USAGE;
		else if (json)
			json_one(json, &found);
		else
			print_one(&found);
	}
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
	"regs", cmd_regs_main, "tell the registers that a policy can name",
};
