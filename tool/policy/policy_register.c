// SPDX-License-Identifier: GPL-2.0-only
/* The registers of a rule, and their bits. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/words.h"
#include "lib/policy/register_index.h"
#include "lib/policy/register_names.h"
#include "lib/policy/registers.h"
#include "lib/policy/windows.h"
#include "policy_register.h"
#include "register_unknown.h"
#include "yaml_tree.h"


/* Reads an index or a range of them, which @node has as @text. */
static bool target_index(const struct yaml_node *node, const char *text,
			 struct target *target, struct problems *problems)
{
	uint64_t first, last;
	const char *fault;

	fault = range_read(text, UINT32_MAX, &first, &last);
	if (fault) {
		problem_at(problems, node,
			   "%s as an MSR: %s (an index is 0 to 0xffffffff, a range 0x100-0x10f)",
			   show(node->text).text, fault);
		return false;
	}
	if (last - first >= FILTER_WINDOW) {
		problem_at(problems, node,
			   "%s is %" PRIu64 " MSRs, and KVM filters at most %u (0x%x) in one range: use a smaller range",
			   node->text, last - first + 1, FILTER_WINDOW,
			   FILTER_WINDOW);
		return false;
	}
	target->kind = REGPIN_MSR;
	target->index = (uint32_t)first;
	target->count = (uint32_t)(last - first + 1);
	if (target->count == 1)
		target->reg = register_find(REGPIN_MSR, target->index);
	return true;
}

bool target_read(const struct yaml_node *node, struct target *target,
		 struct problems *problems)
{
	struct register_named named;
	char plain[REGISTER_TITLE_MAX];
	const char *text;

	*target = (struct target){ .count = 1 };
	if (node->type == YAML_BAD)
		return false;
	if (node->type != YAML_SCALAR) {
		problem_at(problems, node,
			   "a register is a name, an index or a range of indices");
		return false;
	}
	if (!node->text[0]) {
		problem_at(problems, node,
			   "a register is missing: write a name, an index (0x10a) or a range (0x100-0x10f)");
		return false;
	}
	text = register_index_text(plain, node->text);
	if (number_like(text))
		return target_index(node, text, target, problems);

	if (!register_by_name(node->text, &named)) {
		char why[REGISTER_UNKNOWN_MAX];

		register_unknown(why, sizeof(why), node->text);
		problem_at(problems, node, "%s", why);
		return false;
	}
	target->reg = named.reg;
	target->kind = named.reg->kind;
	target->index = named.index;
	target->family = named.whole;
	if (named.whole)
		target->count = named.reg->count;
	return true;
}

void unknown_group(const struct yaml_node *node, struct problems *problems)
{
	char list[320] = "";
	struct nearest nearest;
	size_t used = 0;

	nearest_begin(&nearest, node->text + 1);
	for (unsigned int i = 0; i < regpin_nr_registers; i++) {
		const char *class = regpin_registers[i].class;

		if (!register_is_first(i))
			continue;
		nearest_try(&nearest, class);
		if (used < sizeof(list))
			used += (size_t)snprintf(list + used, sizeof(list) - used,
						 "%s@%s", used ? ", " : "", class);
	}
	problem_at(problems, node, "there is no group %s%s: the groups are %s",
		   show(node->text).text, nearest_hint(&nearest).text, list);
}

static const char *target_name(const struct target *target, char *buf,
			       size_t size)
{
	char title[REGISTER_TITLE_MAX];

	if (!target->reg)
		snprintf(buf, size, "MSR 0x%" PRIx32, target->index);
	else
		snprintf(buf, size, "%s",
			 register_title(title, target->reg, target->index));
	return buf;
}

/* The name of a register that has a bit @name, if the author may have meant that one. */
static const char *bit_owner(const char *name)
{
	for (unsigned int i = 0; i < regpin_nr_registers; i++)
		if (register_bit(&regpin_registers[i], name))
			return regpin_registers[i].name;
	return NULL;
}

static void unknown_bit(const struct yaml_node *node,
			const struct target *target, struct problems *problems)
{
	const struct regpin_register *reg = target->reg;
	const char *owner = bit_owner(node->text);
	struct nearest nearest;
	char list[180], name[48];
	size_t used = 0;

	target_name(target, name, sizeof(name));
	if (!reg || !reg->nbits) {
		problem_at(problems, node,
			   "%s has no named bits, so no %s: write numbers, 0 to 63, or ranges, 4-7",
			   name, show(node->text).text);
		return;
	}
	if (strpbrk(node->text, WORDS_SEVERAL)) {
		problem_at(problems, node,
			   "%s has no bit %s: several bits are written as a list, %s",
			   name, show(node->text).text,
			   words_as_list(list, sizeof(list), node->text));
		return;
	}
	list[0] = 0;
	nearest_begin(&nearest, node->text);
	for (unsigned int i = 0; i < reg->nbits; i++) {
		const char *bit = regpin_bits[reg->bits + i].name;

		nearest_try(&nearest, bit);
		if (used + strlen(bit) + 8 < sizeof(list))
			used += (size_t)snprintf(list + used,
						 sizeof(list) - used, "%s%s",
						 i ? ", " : "", bit);
		else if (used < sizeof(list) - 6)
			used += (size_t)snprintf(list + used,
						 sizeof(list) - used, ", ...");
	}
	if (owner)
		problem_at(problems, node,
			   "%s has no bit %s (%s has): its bits are %s", name,
			   show(node->text).text, owner, list);
	else
		problem_at(problems, node, "%s has no bit %s: its bits are %s%s",
			   name, show(node->text).text, list,
			   nearest_hint(&nearest).text);
}

/* Returns false if @text may be meant as a mask: a number above 63. *@mask is set to it. */
static bool mask_is_bit(const char *text, uint64_t *mask)
{
	return number_read(text, strlen(text), UINT64_MAX, mask) || *mask <= 63;
}

/* A hint for a number that may be meant as a mask: "; as a mask it is [LME, NXE]". */
static const char *mask_hint(char *to, size_t size, const char *text,
			     const struct target *target)
{
	const struct regpin_register *reg = target->reg;
	const char *between = "";
	uint64_t mask;
	size_t used;

	to[0] = 0;
	if (strncmp(text, "0x", 2) != 0 || mask_is_bit(text, &mask))
		return to;
	used = (size_t)snprintf(to, size, "; as a mask it is [");
	for (unsigned int n = 0; n < 64 && used < size; n++) {
		const char *name = NULL;

		if (!(mask >> n & 1))
			continue;
		for (unsigned int i = 0; reg && i < reg->nbits; i++) {
			const struct regpin_bit *bit = &regpin_bits[reg->bits + i];

			if (bit->lo == n && bit->width == 1)
				name = bit->name;
		}
		used += (size_t)(name ?
			snprintf(to + used, size - used, "%s%s", between, name) :
			snprintf(to + used, size - used, "%s%u", between, n));
		between = ", ";
	}
	if (used + 1 < size)
		snprintf(to + used, size - used, "]");
	else
		to[0] = 0;
	return to;
}

/* Reads bits by number or by name. Returns 0 if anything is wrong. */
static uint64_t bits_of(const struct yaml_node *node,
			const struct target *target, bool again,
			struct problems *problems)
{
	uint64_t first, last, bits;
	const char *fault;
	char hint[200];

	bits = target->reg ? register_bit(target->reg, node->text) : 0;
	if (bits)
		return bits;
	if (!number_like(node->text)) {
		unknown_bit(node, target, problems);
		return 0;
	}
	fault = range_read(node->text, 63, &first, &last);
	if (!fault)
		return (~0ull >> (63 - (last - first))) << first;
	if (!again)
		problem_at(problems, node,
			   "%s as a bit: %s (bits are numbered 0 to 63, a range is 4-7, and there are no masks)%s",
			   show(node->text).text, fault,
			   mask_hint(hint, sizeof(hint), node->text, target));
	return 0;
}

static bool bit_read(const struct yaml_node *node, const struct target *target,
		     bool again, uint64_t *mask, struct problems *problems)
{
	uint64_t bits;

	if (node->type == YAML_BAD)
		return false;
	if (node->type != YAML_SCALAR || !node->text[0]) {
		if (!again)
			problem_at(problems, node,
				   "a bit is a name, a number from 0 to 63 or a range (4-7)");
		return false;
	}
	if (strcasecmp(node->text, "all") == 0) {
		if (!again)
			problem_at(problems, node,
				   "'all' is written alone, in lower-case letters and without brackets");
		return false;
	}
	bits = bits_of(node, target, again, problems);
	if (!bits)
		return false;
	if ((*mask & bits) && !again)
		problem_at(problems, node, "%s: this bit is already in the list",
			   show(node->text).text);
	*mask |= bits;
	return true;
}

bool bits_read(const struct yaml_node *node, const struct target *target,
	       bool again, uint64_t *mask, struct problems *problems)
{
	bool ok = true;

	if (node->type != YAML_LIST)
		return bit_read(node, target, again, mask, problems);
	if (!node->child && !again)
		problem_at(problems, node,
			   "this list names no bit: leave the line out");
	for (node = node->child; node && !enough(problems); node = node->next)
		ok &= bit_read(node, target, again, mask, problems);
	return ok && *mask;
}
