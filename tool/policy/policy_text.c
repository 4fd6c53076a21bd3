// SPDX-License-Identifier: GPL-2.0-only
/* The policy language: the top of a policy. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/nr.h"
#include "base/printable.h"
#include "lib/policy/policy_check.h"
#include "lib/ring.h"
#include "policy_extends.h"
#include "policy_reader.h"
#include "policy_rule.h"
#include "policy_settings.h"
#include "policy_text.h"
#include "policy_whole.h"
#include "yaml_word.h"

static const struct word top_keys[] = {
	{ "version", 0 },
	{ "extends", 0 },
	{ "without", 0 },
	{ "mode", 0 },
	{ "action", 0 },
	{ "arming", 0 },
	{ "request", 0 },
	{ "accept", 0 },
	{ "default", 0 },
	{ "unknown", 0 },
	{ "invalid", 0 },
	{ "floor", 0 },
	{ "unarmed", 0 },
	{ "init", 0 },
	{ "detect", 0 },
	{ "rules", 0 },
	{ "register", WORD_ELSEWHERE },
	{ "sticky", WORD_ELSEWHERE },
	{ "never", WORD_ELSEWHERE },
	{ "frozen", WORD_ELSEWHERE },
	{ "require", WORD_ELSEWHERE },
	{ "except", WORD_ELSEWHERE },
	{ "once", WORD_ELSEWHERE },
	{ "uniform", WORD_ELSEWHERE },
	{ "deny", WORD_ELSEWHERE },
	{ "allow", WORD_ELSEWHERE },
	{ "value", WORD_ELSEWHERE },
	{ "report", WORD_ELSEWHERE },
	{ "when", WORD_ELSEWHERE },
	{ "optional", WORD_ELSEWHERE },
	{ "from", WORD_ELSEWHERE },
};

/* Reads the version. Returns false if it is not 1, because then nothing else can be read. */
static bool version_read(const struct reader *reader,
			 const struct yaml_node *root)
{
	const struct yaml_node *key = yaml_key(root, "version"), *node;

	if (!key) {
		problem_at(reader->problems, root,
			   "the policy must begin with 'version: 1'");
		return true;
	}
	if (key != root->child)
		problem_at(reader->problems, key,
			   "'version' must be the first key of the policy");
	node = key->value;
	if (node->type == YAML_BAD)
		return true;
	if (node->type == YAML_SCALAR && strcmp(node->text, "1") == 0)
		return true;
	problem_at(reader->problems, node,
		   "this regpin reads policies of version 1 only: write 'version: 1'");
	return false;
}

static void arming_read(struct reader *reader, const struct yaml_node *root)
{
	static const struct word words[] = {
		{ "syscall-entry", ARM_SYSCALL_ENTRY },
		{ "start", ARM_START },
		{ "request", ARM_REQUEST },
		{ "operator", ARM_OPERATOR },
	};
	const struct yaml_node *key = yaml_key(root, "arming");
	int value;

	reader->policy->arming = ARM_SYSCALL_ENTRY;
	if (!key)
		return;
	value = word_value(key->value, "arming", words, NR(words),
			   reader->problems);
	/* @arming_unknown suppresses further errors, because the intended arming is not known. */
	reader->arming_unknown = value < 0;
	reader->policy->arming = value < 0 ? ARM_START : (uint32_t)value;
}

static void accept_add(const struct reader *reader,
		       const struct yaml_node *node)
{
	static const struct word words[] = {
		{ "nested", POLICY_ACCEPT_NESTED },
		{ "smm", POLICY_ACCEPT_SMM },
		{ "s3", POLICY_ACCEPT_S3 },
	};
	int value = word_value(node, "accept", words, NR(words),
			       reader->problems);

	if (value < 0)
		return;
	if (reader->policy->flags & (uint32_t)value)
		problem_at(reader->problems, node,
			   "'%s' is already in the list", node->text);
	reader->policy->flags |= (uint32_t)value;
}

static void accept_read(const struct reader *reader,
			const struct yaml_node *root)
{
	const struct yaml_node *key = yaml_key(root, "accept");

	if (!key)
		return;
	if (key->value->type != YAML_LIST) {
		accept_add(reader, key->value);
		return;
	}
	for (const struct yaml_node *node = key->value->child; node;
	     node = node->next)
		accept_add(reader, node);
}

/* Does the policy have a rule on all MSRs, so that it needs none on a register? */
static bool says_more(const struct reader *reader, const struct yaml_node *root)
{
	static const char *const wide[] = { "default", "unknown", "invalid" };

	/* If that rule is wrong, an error has reported it, so the key alone counts. */
	for (size_t i = 0; reader->problems->errors && i < NR(wide); i++)
		if (yaml_key(root, wide[i]))
			return true;
	return reader->policy->nr_rules;
}

static void rules_read(struct reader *reader, const struct yaml_node *root)
{
	const struct yaml_node *key = yaml_key(root, "rules");

	if (!key) {
		if (!says_more(reader, root))
			problem_at(reader->problems, root,
				   "the policy has no 'rules', and no other setting that has an effect: write a rule, or a setting for all MSRs ('default: deny')");
		return;
	}
	if (key->value->type == YAML_BAD)
		return;
	if (key->value->type != YAML_LIST) {
		problem_at(reader->problems, key->value,
			   "'rules' must be a list: begin each rule with '- register: NAME'%s",
			   says_more(reader, root) ?
			   ", or write 'rules: []' if there is none" : "");
		return;
	}
	if (!key->value->child && !says_more(reader, root))
		problem_at(reader->problems, key->value,
			   "the policy has no rules, and no other setting that has an effect: write a rule, or a setting for all MSRs ('default: deny')");
	for (const struct yaml_node *node = key->value->child;
	     node && !enough(reader->problems); node = node->next)
		rule_read(reader, node);
}

static void policy_read(struct reader *reader, const struct yaml_node *root)
{
	const struct yaml_node *key;
	int value;

	if (root->type == YAML_BAD)
		return;
	if (root->type != YAML_MAP) {
		problem_at(reader->problems, root,
			   "a policy is a map: it begins with 'version: 1'");
		return;
	}
	if (!version_read(reader, root))
		return;
	keys_check(reader, root, top_keys, NR(top_keys), "in a policy",
		   "belongs in a rule: '- register: NAME' below 'rules:'");
	key = yaml_key(root, "mode");
	reader->own = key && mode_read(reader, key->value) == MODE_REPORT ?
			      MODE_REPORT : MODE_ENFORCE;
	reader->report = (reader->mode == MODE_POLICY ? reader->own :
							reader->mode) == MODE_REPORT;
	key = yaml_key(root, "action");
	value = key ? action_read(reader, key->value) : -1;
	reader->action = value < 0 ? REGPIN_GP : (uint8_t)value;
	arming_read(reader, root);
	accept_read(reader, root);
	settings_read(reader, root);
	reader->has_reaction = settings_have_reaction(root);
	whole_read(reader, root);
	rules_read(reader, root);
	/* If all rules only report, the default action of the floor only reports, too. */
	if (!settings_have_floor_action(root) &&
	    policy_rules_only_report(reader->policy))
		reader->policy->settings.deadline_action = REGPIN_REPORT;
}

void policy_source(char source[POLICY_MAX_SOURCE], const char *name)
{
	static const char cut[] = "\xe2\x80\xa6";	/* "…" */
	size_t len, max = POLICY_MAX_SOURCE - 1;

	name = printable(name);
	len = strlen(name);

	if (len > max) {
		name += len - (max - strlen(cut));
		while (((unsigned char)*name & 0xc0) == 0x80)
			name++;
		snprintf(source, POLICY_MAX_SOURCE, "%s%s", cut, name);
	} else {
		memcpy(source, name, len + 1);
	}
}

int policy_text_read_as(const char *name, const char *text, size_t size,
			enum policy_mode mode, const struct rule_modes *modes,
			enum policy_mode *own, struct regpin_policy *policy,
			struct problems *problems)
{
	struct reader reader = { .policy = policy, .problems = problems,
				 .mode = mode, .own = MODE_ENFORCE,
				 .modes = modes };
	const struct yaml_node *extends = NULL;
	struct yaml_node *root;
	struct bundle bundle;

	memset(problems, 0, sizeof(*problems));
	memset(policy, 0, offsetof(struct regpin_policy, reach));
	policy->settings = (struct settings)SETTINGS_DEFAULT;
	policy_source(policy->source, name);
	bundle_split(&bundle, text, size);
	root = extends_tree(&bundle, policy, problems);
	if (root) {
		policy_read(&reader, root);
		policy_check(policy, problems);
		if (root->type == YAML_MAP)
			extends = yaml_key(root, "extends");
	}
	bundle_place_problems(&bundle, extends ? extends->line : 0,
			      extends ? extends->column : 0, problems);
	yaml_free(root);
	if (own)
		*own = reader.own;
	if (problems->no_memory)
		return -ENOMEM;
	return problems->errors ? -EINVAL : 0;
}

int policy_text_read(const char *name, const char *text, size_t size,
		     struct regpin_policy *policy, struct problems *problems)
{
	return policy_text_read_as(name, text, size, MODE_POLICY, NULL, NULL,
				   policy, problems);
}
