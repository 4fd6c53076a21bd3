// SPDX-License-Identifier: GPL-2.0-only
/* regpin regs: the registers that regpin knows, for authors of policies. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/exit_codes.h"
#include "base/json.h"
#include "base/options.h"
#include "base/words.h"
#include "cmd.h"
#include "cmd_help.h"
#include "lib/policy/register_index.h"
#include "lib/policy/register_names.h"
#include "lib/policy/registers.h"
#include "policy/register_unknown.h"
#include "regs/regs_line.h"
#include "regs/regs_print.h"
#include "regs/regs_search.h"


/* An MSR without a row of its own may be known on certain CPUs. */
static void find_index(struct found *found, uint32_t index)
{
	found->index = index;
	found->reg = register_find(REGPIN_MSR, index);
	for (unsigned int i = regpin_nr_registers;
	     !found->reg && i < regpin_nr_names; i++) {
		const struct regpin_register *reg = &regpin_registers[i];

		if (reg->cpus && register_has(reg, index))
			found->reg = reg;
	}
}

enum find { FIND_ONE, FIND_NOTHING, FIND_ERROR };

/* Finds the register that @text names. Prints a message if there is an error. */
static enum find find(const char *text, struct found *found)
{
	struct register_named named;
	const char *fault;
	uint64_t index;

	*found = (struct found){ 0 };
	if (number_like(text)) {
		fault = number_read(text, strlen(text), UINT32_MAX, &index);
		if (fault) {
			fprintf(stderr, "regpin regs: %s as an MSR: %s\n",
				show(text).text, fault);
			return FIND_ERROR;
		}
		find_index(found, (uint32_t)index);
		return FIND_ONE;
	}
	if (!register_by_name(text, &named))
		return FIND_NOTHING;
	found->reg = named.reg;
	found->index = named.index;
	found->family = named.whole;
	return FIND_ONE;
}

/* Is it "EFER 0xd01" in one argument? A value has to be written with =. */
static bool is_register_and_value(const char *text)
{
	char name[REGISTER_TITLE_MAX];
	const char *blank = strchr(text, ' ');
	struct register_named named;

	if (!blank || blank == text || (size_t)(blank - text) >= sizeof(name) ||
	    !number_like(blank + strspn(blank, " ")))
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)(blank - text), text);
	return register_by_name(name, &named);
}

static bool unknown(const char *text)
{
	char why[REGISTER_UNKNOWN_MAX];
	const char *bit = regs_near_bit(text);

	if (!text[strspn(text, " ")])
		snprintf(why, sizeof(why), "an argument is empty: write a name, an index, a range or a pattern; without arguments all registers are listed");
	else if (strpbrk(text, "*?["))
		snprintf(why, sizeof(why), "no register has a name that fits the pattern %s",
			 show(text).text);
	else if (is_register_and_value(text))
		snprintf(why, sizeof(why), "there is no register %s: a value is written after =, for example EFER=0xd01",
			 show(text).text);
	else
		register_unknown(why, sizeof(why), text);
	if (bit && !strstr(why, "did you mean"))
		snprintf(why, sizeof(why), "there is no register or bit %s; did you mean the bit '%s'?",
			 show(text).text, bit);
	fprintf(stderr, "regpin regs: %s\n", why);
	return false;
}

/* Prints the registers that @text names. Returns false after a message if there are none. */
static bool put(const char *text, struct json *json)
{
	char plain[REGISTER_TITLE_MAX];
	struct found found;
	bool any;

	if (text[0] == '@') {
		any = regs_group(text, json);
		regs_flush(false);
		if (!any)
			fprintf(stderr, "regpin regs: there is no group %s: 'regpin regs @' lists them\n",
				show(text).text);
		return any;
	}
	text = register_index_text(plain, text);
	if (number_like(text) && strchr(text + 1, '-')) {
		any = regs_range(text, json);
		regs_flush(false);
		return any;
	}
	switch (find(text, &found)) {
	case FIND_ONE:
		regs_put_one(&found, json);
		return true;
	case FIND_NOTHING:
		any = regs_search(text, json);
		regs_flush(false);
		return any || unknown(text);
	default:
		return false;
	}
}

/* Reads "0x69" or "69h". Returns NULL, or the reason why it is wrong. */
static const char *read_value(const char *text, uint64_t *value)
{
	char plain[REGISTER_TITLE_MAX];

	text = register_index_text(plain, text);
	return number_read(text, strlen(text), UINT64_MAX, value);
}

/* Explains the number @value as a value of @text. Returns false after a message. */
static bool put_value(const char *text, const char *value, struct json *json)
{
	char plain[REGISTER_TITLE_MAX];
	struct found found;
	const char *fault;

	text = register_index_text(plain, text);
	switch (find(text, &found)) {
	case FIND_ONE:
		break;
	case FIND_NOTHING:
		return unknown(text);
	default:
		return false;
	}
	fault = read_value(value, &found.value);
	if (fault) {
		fprintf(stderr, "regpin regs: %s as a value of %s: %s\n",
			show(value).text, text, fault);
		return false;
	}
	found.decode = true;
	regs_put_one(&found, json);
	return true;
}

/* "EFER=0xd01"; there may be blanks around the =. */
static bool put_assigned(const char *text, const char *equals,
			 struct json *json)
{
	char name[REGISTER_TITLE_MAX];
	size_t len = (size_t)(equals - text);

	while (len && text[len - 1] == ' ')
		len--;
	if (!len || len >= sizeof(name)) {
		fprintf(stderr, "regpin regs: %s: a value is written after its register, for example EFER=0xd01\n",
			show(text).text);
		return false;
	}
	memcpy(name, text, len);
	name[len] = 0;
	return put_value(name, equals + 1 + strspn(equals + 1, " "), json);
}

static void all(struct json *json)
{
	for (unsigned int i = 0; i < regpin_nr_registers; i++)
		regs_put_row(&regpin_registers[i], json);
	if (!json)
		regs_flush(true);
}

/*
 * Are these two arguments a register and its value? Not if the second one could be the
 * index of another register.
 */
static bool is_value(char **texts)
{
	struct register_named named;
	char plain[REGISTER_TITLE_MAX];
	const char *text = register_index_text(plain, texts[0]);
	uint64_t value, index;

	if (!texts[1] || texts[2] || read_value(texts[1], &value))
		return false;
	if (value <= UINT32_MAX && register_find(REGPIN_MSR, (uint32_t)value))
		return false;
	if (number_like(text))
		return !number_read(text, strlen(text), UINT32_MAX, &index) &&
		       register_find(REGPIN_MSR, (uint32_t)index);
	return register_by_name(text, &named);
}

static int some(char **texts, struct json *json)
{
	int ret = EXIT_OK;

	/* "MSR 0x64e" and "MSRs 0x600-0x64f", in two arguments. */
	if ((!strcasecmp(texts[0], "MSR") || !strcasecmp(texts[0], "MSRs")) &&
	    texts[1])
		texts++;
	if (is_value(texts))
		return put_value(texts[0], texts[1], json) ? EXIT_OK :
							     EXIT_USAGE;
	for (; *texts; texts++) {
		const char *equals = strchr(*texts, '=');

		if (equals ? !put_assigned(*texts, equals, json) :
			     !put(*texts, json))
			ret = EXIT_USAGE;
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
			fputs(help_regs, stdout);
			return EXIT_OK;
		default:
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
