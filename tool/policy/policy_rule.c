// SPDX-License-Identifier: GPL-2.0-only
/* One element of `rules`: a struct rule for each register and each condition. */
#include <string.h>

#include "base/nr.h"
#include "lib/policy/rule_notes.h"
#include "policy_advice.h"
#include "policy_reader.h"
#include "policy_register.h"
#include "policy_rule.h"
#include "policy_when.h"
#include "yaml_word.h"

#define MAX_TARGETS	2048	/* registers in one rule: the largest group fits */

static const struct word rule_keys[] = {
	{ "register", 0 },
	{ "sticky", 0 },
	{ "never", 0 },
	{ "frozen", 0 },
	{ "require", 0 },
	{ "except", 0 },
	{ "once", 0 },
	{ "uniform", 0 },
	{ "deny", 0 },
	{ "allow", 0 },
	{ "value", 0 },
	{ "report", 0 },
	{ "action", 0 },
	{ "mode", 0 },
	{ "optional", 0 },
	{ "from", 0 },
	{ "when", 0 },
	{ "default", WORD_ELSEWHERE },
	{ "unknown", WORD_ELSEWHERE },
	{ "invalid", WORD_ELSEWHERE },
	{ "version", WORD_ELSEWHERE },
	{ "arming", WORD_ELSEWHERE },
	{ "request", WORD_ELSEWHERE },
	{ "accept", WORD_ELSEWHERE },
	{ "floor", WORD_ELSEWHERE },
	{ "unarmed", WORD_ELSEWHERE },
	{ "init", WORD_ELSEWHERE },
	{ "detect", WORD_ELSEWHERE },
	{ "rules", WORD_ELSEWHERE },
};

/**
 * struct one - the rule that is being read
 * @reader: its policy
 * @node: its map
 * @proto: the members that all its struct rules share
 * @nr: number of @targets
 * @targets: its registers
 */
struct one {
	struct reader *reader;
	const struct yaml_node *node;
	struct rule proto;
	unsigned int nr;
	struct target targets[MAX_TARGETS];
};

/*
 * Adds @target: as a whole, or member by member if its members have no consecutive indices.
 * Members for which there is no room stay in @target.
 */
static void add_members(struct one *one, struct target *target)
{
	struct target *to;

	while (target->count && one->nr < MAX_TARGETS) {
		to = &one->targets[one->nr++];
		*to = *target;
		if (target->family && target->reg->stride > 1) {
			to->count = 1;
			target->index += target->reg->stride;
		}
		target->count -= to->count;
	}
}

/* Adds the registers of the class whose name follows the "@". */
static void group_add(struct one *one, const struct yaml_node *node)
{
	const struct regpin_register *reg;

	if (!register_group(node->text + 1)) {
		unknown_group(node, one->reader->problems);
		return;
	}
	for (unsigned int i = 0; i < regpin_nr_registers; i++) {
		struct target target;

		reg = &regpin_registers[i];
		/* The index is KVM's own, so no rule can be on it. */
		if (strcmp(reg->class, node->text + 1) != 0 ||
		    reg->index == MSR_KVM_GUEST_SSP)
			continue;
		target = (struct target){
			.reg = reg, .index = reg->index, .count = reg->count,
			.kind = reg->kind, .family = reg->count > 1,
		};
		add_members(one, &target);
	}
}

static void target_add(struct one *one, const struct yaml_node *node)
{
	struct target target;

	if (one->nr == MAX_TARGETS)
		return;
	if (node->type == YAML_SCALAR && node->text[0] == '@') {
		group_add(one, node);
		return;
	}
	if (!target_read(node, &target, one->reader->problems))
		return;
	add_members(one, &target);
	if (one->nr == MAX_TARGETS && (target.count || node->next))
		problem_at(one->reader->problems,
			   target.count ? node : node->next,
			   "more than %u registers in one rule: split it into two rules",
			   MAX_TARGETS);
}

static void targets_read(struct one *one, bool known)
{
	const struct yaml_node *key = yaml_key(one->node, "register");

	if (!key) {
		/* An unknown key, which has been reported, may be a mistyped `register`. */
		if (known)
			problem_at(one->reader->problems, one->node,
				   "a rule needs 'register': a name, an index, a range, or a list of these");
		return;
	}
	if (key->value->type != YAML_LIST) {
		target_add(one, key->value);
		return;
	}
	if (!key->value->child)
		problem_at(one->reader->problems, key->value,
			   "this list names no register: leave the whole rule out");
	for (const struct yaml_node *node = key->value->child;
	     node && !enough(one->reader->problems); node = node->next)
		target_add(one, node);
}

/* Adds a struct rule on @target, as written at @key. */
static void rule_add(struct one *one, const struct yaml_node *key,
		     enum rule_type type, const struct target *target,
		     uint64_t mask)
{
	struct rule rule = one->proto;

	rule.mask = mask;
	rule.index = target->index;
	rule.count = target->count;
	rule.line = key->line;
	rule.column = key->column;
	rule.kind = target->kind;
	rule.type = (uint8_t)type;
	if (type != RULE_VALUE && type != RULE_ALLOW)
		rule_apply_mode(one->reader, key, &rule);
	if (policy_add(one->reader->policy, &rule) == 0 || one->reader->full)
		return;
	one->reader->full = true;
	problem_at(one->reader->problems, key,
		   "the policy has too many rules: the limit is %u, and every register and every condition of a rule counts as one",
		   POLICY_MAX_RULES);
}

/* Reports a family in a rule other than deny, allow, report and value. */
static bool family_refused(struct one *one, const struct yaml_node *key,
			   const struct target *target)
{
	char name[REGISTER_TITLE_MAX], first[REGISTER_TITLE_MAX];
	char last[REGISTER_TITLE_MAX];
	const struct regpin_register *reg = target->reg;

	if (!target->family)
		return false;
	problem_at(one->reader->problems, key,
		   "%s is %u registers, and %s needs single ones: name %s to %s",
		   register_whole(name, reg), reg->count, key->text,
		   register_title(first, reg, reg->index),
		   register_title(last, reg, register_last(reg)));
	return true;
}

static bool is_all(const struct yaml_node *node)
{
	return node->type == YAML_SCALAR && strcmp(node->text, "all") == 0;
}

/* sticky, never, frozen, require. @except is NULL where there is no exception. */
static void bits_rule(struct one *one, const struct yaml_node *key,
		      enum rule_type type, const struct yaml_node *except)
{
	struct problems *problems = one->reader->problems;
	const struct yaml_node *node = key->value;

	for (unsigned int i = 0; i < one->nr; i++) {
		const struct target *target = &one->targets[i];
		uint64_t mask = 0, out = 0;

		if (family_refused(one, key, target))
			continue;
		if (is_all(node)) {
			mask = ~0ull;
		} else {
			bits_read(node, target, i > 0, &mask, problems);
			if (!mask)
				continue;
		}
		if (except && is_all(node)) {
			if (!bits_read(except, target, i > 0, &out, problems))
				continue;
			mask &= ~out;
		}
		if (mask)
			rule_add(one, key, type, target, mask);
		else
			problem_at(problems, except,
				   "'except' leaves no bit: leave the rule out");
	}
}

/* once and uniform, whose only valid value is true. */
static void whole_rule(struct one *one, const struct yaml_node *key,
		       enum rule_type type)
{
	static const struct word words[] = { { "true", 1 } };

	if (word_value(key->value, key->text, words, NR(words),
		       one->reader->problems) < 0)
		return;
	for (unsigned int i = 0; i < one->nr; i++)
		if (!family_refused(one, key, &one->targets[i]))
			rule_add(one, key, type, &one->targets[i], ~0ull);
}

/* deny, allow and report. */
static void access_rule(struct one *one, const struct yaml_node *key,
			enum rule_type type)
{
	static const struct word words[] = {
		{ "read", ACCESS_READ },
		{ "write", ACCESS_WRITE },
		{ "both", ACCESS_READ | ACCESS_WRITE },
	};
	int access = word_value(key->value, key->text, words, NR(words),
				one->reader->problems);

	if (access < 0)
		return;
	one->proto.access = (uint8_t)access;
	for (unsigned int i = 0; i < one->nr; i++)
		rule_add(one, key, type, &one->targets[i], ~0ull);
}

/* Reports keys that have no effect because the rule cannot be violated. */
static void useless_check(struct one *one, const char *with, const char *why)
{
	static const char *const useless[] = { "action", "mode" };

	for (size_t i = 0; i < NR(useless); i++) {
		const struct yaml_node *other = yaml_key(one->node, useless[i]);

		if (other)
			problem_at(one->reader->problems, other,
				   "'%s' has no effect with '%s', which %s: leave it out",
				   useless[i], with, why);
	}
	one->proto.action = REGPIN_GP;
	one->proto.flags &= (uint16_t)~RULE_NOTES;
}

static void allow_rule(struct one *one, const struct yaml_node *key)
{
	useless_check(one, "allow", "is never violated");
	access_rule(one, key, RULE_ALLOW);
}

/* report: the action is fixed, because each access is let pass and reported. */
static void report_rule(struct one *one, const struct yaml_node *key)
{
	useless_check(one, "report", "refuses nothing");
	one->proto.action = REGPIN_REPORT;
	access_rule(one, key, RULE_REPORT);
}

/* value: the constant that reads return. */
static void value_rule(struct one *one, const struct yaml_node *key)
{
	struct problems *problems = one->reader->problems;
	const char *fault;
	uint64_t value;

	useless_check(one, "value", "sets what reads return and is never violated");
	if (key->value->type != YAML_SCALAR)
		fault = "one number, decimal or 0x";
	else
		fault = number_read(key->value->text,
				    strlen(key->value->text), ~0ull, &value);
	if (fault) {
		problem_at(problems, key->value, "value: %s", fault);
		return;
	}
	one->proto.access = ACCESS_READ;
	one->proto.value = value;
	for (unsigned int i = 0; i < one->nr; i++)
		rule_add(one, key, RULE_VALUE, &one->targets[i], ~0ull);
}

/* action, mode and optional. */
static void options_read(struct one *one)
{
	static const struct word words[] = { { "true", 1 }, { "false", 0 } };
	const struct reader *reader = one->reader;
	const struct yaml_node *key;
	int value;

	one->proto.action = reader->action;
	one->proto.access = ACCESS_WRITE;
	key = yaml_key(one->node, "action");
	value = key ? action_read(reader, key->value) : -1;
	if (value >= 0)
		one->proto.action = (uint8_t)value;

	key = yaml_key(one->node, "mode");
	value = key ? mode_read(reader, key->value) : -1;
	if (value == MODE_ENFORCE && reader->report &&
	    reader->mode == MODE_POLICY)
		problem_warning(reader->problems, key->line, key->column,
				"the policy's 'mode: report' is stronger: this rule will only report as well");
	if (value == MODE_REPORT)
		one->proto.flags |= RULE_BY_MODE;

	key = yaml_key(one->node, "optional");
	if (key && word_value(key->value, "optional", words, NR(words),
			      reader->problems) == 1)
		one->proto.flags |= RULE_OPTIONAL;
}

/* The key of the rule's condition @type, if it has that one. */
static const struct yaml_node *condition(const struct one *one,
					 unsigned int type)
{
	return rule_type_is_wide(type) ? NULL :
	       yaml_key(one->node, rule_type_names[type]);
}

/* The rule's exception, if it has one and may have one. */
static const struct yaml_node *except_read(struct one *one)
{
	const struct yaml_node *except = yaml_key(one->node, "except");
	unsigned int alls = 0;

	if (!except)
		return NULL;
	for (unsigned int type = 0; type < RULE_TYPE_MAX; type++) {
		const struct yaml_node *key = condition(one, type);

		if (!rule_type_is_on_bits(type) || type == RULE_REQUIRE)
			continue;
		/* A wrong value, which has been reported, may have been meant as `all`. */
		if (key && key->value->type == YAML_BAD)
			return NULL;
		alls += key && is_all(key->value);
	}
	if (alls == 1)
		return except->value;
	problem_at(one->reader->problems, except,
		   alls ? "'except' with more than one 'all' is ambiguous: write two rules" :
			  "'except' names exceptions from 'all', and this rule has no 'all': leave it out");
	return NULL;
}

/* Warns of gaps that the rule leaves; once for all its registers. */
static void advise(const struct one *one)
{
	from_read(one->reader, one->node);
	advise_arming(one->reader, one->node);
	for (unsigned int i = 0; i < one->nr; i++) {
		if (one->targets[i].kind == REGPIN_MSR)
			continue;
		advise_action(one->reader, one->node, &one->proto,
			      one->targets[i].kind);
		return;
	}
}

/* A condition on the whole register (once, uniform, deny, ..) must be the only one. */
static bool conditions_check(struct one *one, bool known)
{
	const struct yaml_node *whole = NULL;
	unsigned int nr = 0;

	for (unsigned int type = 0; type < RULE_TYPE_MAX; type++) {
		const struct yaml_node *key = condition(one, type);

		if (!key)
			continue;
		nr++;
		if (!rule_type_is_on_bits(type))
			whole = key;
	}
	/* An unknown key, which has been reported, may be a mistyped condition. */
	if (!nr && known)
		problem_at(one->reader->problems, one->node,
			   "this rule has no condition: add sticky, never, frozen, require, once, uniform, deny, allow, report or value");
	if (nr < 2 || !whole)
		return nr > 0;
	problem_at(one->reader->problems, whole,
		   "'%s' applies to the whole register: write a separate rule for it",
		   whole->text);
	return false;
}

/* Reads the conditions, for the guests of one `when`. */
static void conditions_read(struct one *one, const struct yaml_node *except)
{
	for (unsigned int type = 0; type < RULE_TYPE_MAX; type++) {
		const struct yaml_node *key = condition(one, type);

		if (!key)
			continue;
		if (type == RULE_DENY)
			access_rule(one, key, RULE_DENY);
		else if (type == RULE_ALLOW)
			allow_rule(one, key);
		else if (type == RULE_REPORT)
			report_rule(one, key);
		else if (type == RULE_VALUE)
			value_rule(one, key);
		else if (!rule_type_is_on_bits(type))
			whole_rule(one, key, (enum rule_type)type);
		else
			bits_rule(one, key, (enum rule_type)type,
				  type == RULE_REQUIRE ? NULL : except);
	}
}

void rule_read(struct reader *reader, const struct yaml_node *node)
{
	struct one one = { .reader = reader, .node = node };
	const struct yaml_node *except;
	struct rule_whens whens;
	bool known;

	if (node->type == YAML_BAD)
		return;
	if (node->type != YAML_MAP) {
		problem_at(reader->problems, node,
			   "a rule is a map: '- register: EFER', with its conditions in the lines below");
		return;
	}
	known = keys_check(reader, node, rule_keys, NR(rule_keys), "in a rule",
			   "belongs at the top of the policy, not in a rule");
	targets_read(&one, known);
	options_read(&one);
	except = except_read(&one);
	advise(&one);
	if (!when_read(reader, node, &whens) ||
	    !conditions_check(&one, known))
		return;
	for (unsigned int i = 0; i < whens.nr; i++) {
		one.proto.when = whens.numbers[i];
		conditions_read(&one, except);
	}
}
