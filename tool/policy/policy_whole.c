// SPDX-License-Identifier: GPL-2.0-only
/* Rules on all MSRs at once: default, unknown, invalid. */
#include <stdio.h>
#include <string.h>

#include "base/nr.h"
#include "policy_reader.h"
#include "policy_whole.h"
#include "yaml_word.h"

static const struct word accesses[] = {
	{ "read", ACCESS_READ },
	{ "write", ACCESS_WRITE },
	{ "both", ACCESS_READ | ACCESS_WRITE },
};

static void wide_add(const struct reader *reader, const struct yaml_node *key,
		     struct rule *rule)
{
	/* The access fails as without regpin, and is reported. */
	if (rule_apply_mode(reader, key, rule)) {
		rule->flags &= (uint16_t)~RULE_ANSWERS;
		rule->value = 0;
	}
	rule->mask = ~0ull;
	rule->line = key->line;
	rule->column = key->column;
	rule->kind = REGPIN_MSR;
	if (policy_add(reader->policy, rule))
		problem_at(reader->problems, key,
			   "the policy has too many rules: the limit is %u, and '%s' counts as one",
			   POLICY_MAX_RULES, key->text);
}

/* {deny: both|read|write, action: gp|drop|stop}. Returns false if it is wrong. */
static bool default_map(const struct reader *reader,
			const struct yaml_node *map, struct rule *rule)
{
	static const struct word keys[] = { { "deny", 0 }, { "action", 0 } };
	static const struct word actions[] = {
		{ "gp", REGPIN_GP },
		{ "drop", REGPIN_DROP },
		{ "stop", REGPIN_STOP },
	};
	const struct yaml_node *deny = yaml_key(map, "deny");
	const struct yaml_node *action = yaml_key(map, "action");
	bool known;
	int value;

	known = keys_check(reader, map, keys, NR(keys), "in 'default'",
			   "does not belong here");
	if (!deny && known)
		problem_at(reader->problems, map,
			   "'default' as a map names what is denied: write {deny: both, action: gp}");
	if (!deny || !known)
		return false;
	value = word_value(deny->value, "deny", accesses, NR(accesses),
			   reader->problems);
	if (value < 0)
		return false;
	rule->access = (uint8_t)value;
	if (!action)
		return true;
	value = word_value(action->value, "the default's action", actions,
			   NR(actions), reader->problems);
	if (value >= 0)
		rule->action = (uint8_t)value;
	return value >= 0;
}

static void default_read(const struct reader *reader,
			 const struct yaml_node *root)
{
	static const struct word words[] = { { "deny", 1 }, { "allow", 0 } };
	const struct yaml_node *key = yaml_key(root, "default");
	struct rule rule = {
		.type = RULE_DEFAULT, .access = ACCESS_READ | ACCESS_WRITE,
		.action = reader->action,
	};

	if (!key)
		return;
	if (key->value->type == YAML_MAP && key->value->child) {
		if (!default_map(reader, key->value, &rule))
			return;
	} else if (key->value->type == YAML_MAP ||
		   key->value->type == YAML_LIST) {
		problem_at(reader->problems, key->value,
			   "'default' is deny or allow, or a map: {deny: both, action: gp}");
		return;
	} else if (word_value(key->value, "default", words, NR(words),
			      reader->problems) != 1) {
		return;
	}
	wide_add(reader, key, &rule);
}

/* Reads the constant that reads of the guest return. */
static bool answer_read(const struct reader *reader,
			const struct yaml_node *key, struct rule *rule)
{
	const char *fault;

	if (key->value->type == YAML_BAD)
		return false;
	if (key->value->type != YAML_SCALAR)
		fault = "one number, decimal or 0x";
	else
		fault = number_read(key->value->text, strlen(key->value->text),
				    ~0ull, &rule->value);
	if (fault)
		problem_at(reader->problems, key->value, "value: %s", fault);
	rule->flags |= RULE_ANSWERS;
	return !fault;
}

static int refused_word(const struct reader *reader,
			const struct yaml_node *node, const char *what)
{
	static const struct word words[] = {
		{ "gp", REGPIN_GP },
		{ "report", REGPIN_REPORT },
		{ "drop", REGPIN_DROP },
	};

	return word_value(node, what, words, NR(words), reader->problems);
}

/* {value: NUMBER, action: gp|report|drop}. Returns false if it is wrong. */
static bool refused_map(const struct reader *reader, const char *name,
			const struct yaml_node *map, struct rule *rule)
{
	static const struct word keys[] = { { "value", 0 }, { "action", 0 } };
	const struct yaml_node *value = yaml_key(map, "value");
	const struct yaml_node *action = yaml_key(map, "action");
	char where[32];
	bool ok;
	int word;

	snprintf(where, sizeof(where), "in '%s'", name);
	ok = keys_check(reader, map, keys, NR(keys), where,
			"does not belong here");
	/* With a value and without an action, writes are dropped. */
	rule->action = REGPIN_DROP;
	if (value)
		ok &= answer_read(reader, value, rule);
	if (action) {
		word = refused_word(reader, action->value, "action");
		rule->action = (uint8_t)word;
		ok &= word >= 0;
	}
	return ok;
}

/* Reads unknown or invalid. `gp` alone adds no rule, because KVM does that anyway. */
static void refused_read(const struct reader *reader,
			 const struct yaml_node *root, enum rule_type type)
{
	const char *name = rule_type_names[type];
	const struct yaml_node *key = yaml_key(root, name);
	struct rule rule = {
		.type = (uint8_t)type, .access = ACCESS_READ | ACCESS_WRITE,
	};
	int word;

	if (!key)
		return;
	if (key->value->type == YAML_MAP && key->value->child) {
		if (!refused_map(reader, name, key->value, &rule))
			return;
	} else if (key->value->type == YAML_MAP ||
		   key->value->type == YAML_LIST) {
		problem_at(reader->problems, key->value,
			   "'%s' is gp, report or drop, or a map: {value: 0, action: drop}",
			   name);
		return;
	} else {
		word = refused_word(reader, key->value, name);
		if (word < 0)
			return;
		rule.action = (uint8_t)word;
	}
	if (rule.action == REGPIN_GP && !(rule.flags & RULE_ANSWERS))
		return;
	wide_add(reader, key, &rule);
}

void whole_read(const struct reader *reader, const struct yaml_node *root)
{
	default_read(reader, root);
	refused_read(reader, root, RULE_UNKNOWN);
	refused_read(reader, root, RULE_INVALID);
}
