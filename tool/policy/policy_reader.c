// SPDX-License-Identifier: GPL-2.0-only
/* Keys and words that several parts of a policy may have. */
#include <string.h>

#include "base/nr.h"
#include "lib/policy/rule_notes.h"
#include "policy_mode.h"
#include "policy_reader.h"
#include "yaml_word.h"

int action_read(const struct reader *reader, const struct yaml_node *node)
{
	static const struct word words[] = {
		{ "gp", REGPIN_GP },
		{ "mask", REGPIN_MASK },
		{ "drop", REGPIN_DROP },
		{ "report", REGPIN_REPORT },
		{ "pause", REGPIN_PAUSE },
		{ "stop", REGPIN_STOP },
	};

	return word_value(node, "action", words, NR(words), reader->problems);
}

int mode_read(const struct reader *reader, const struct yaml_node *node)
{
	static const struct word words[] = {
		{ "enforce", MODE_ENFORCE },
		{ "report", MODE_REPORT },
	};

	return word_value(node, "mode", words, NR(words), reader->problems);
}

bool rule_apply_mode(const struct reader *reader, const struct yaml_node *key,
		     struct rule *rule)
{
	enum policy_mode mode = rule_modes_find(reader->modes, key->line,
						key->column);
	bool report = reader->report || rule->flags & RULE_BY_MODE;

	if (rule->action == REGPIN_REPORT)
		rule->flags |= RULE_BY_ACTION;
	if (mode != MODE_POLICY) {
		rule->flags |= RULE_BY_OPERATOR;
		report = mode == MODE_REPORT;
	}
	if (report)
		rule->action = REGPIN_REPORT;
	return report;
}

static bool key_check(const struct reader *reader, const struct yaml_node *key,
		      const struct word *words, size_t nr, const char *where,
		      const char *elsewhere)
{
	struct nearest nearest;
	char list[160];

	nearest_begin(&nearest, key->text);
	for (size_t i = 0; i < nr; i++) {
		if (strcmp(key->text, words[i].text) != 0) {
			if (words[i].value >= 0)
				nearest_try(&nearest, words[i].text);
			continue;
		}
		if (words[i].value == WORD_ELSEWHERE)
			problem_at(reader->problems, key, "'%s' %s", key->text,
				   elsewhere);
		return words[i].value >= 0;
	}
	words_list(list, sizeof(list), words, nr);
	problem_at(reader->problems, key,
		   "there is no key %s %s: the keys are %s%s",
		   show(key->text).text, where, list,
		   nearest_hint(&nearest).text);
	return false;
}

bool keys_check(const struct reader *reader, const struct yaml_node *map,
		const struct word *words, size_t nr, const char *where,
		const char *elsewhere)
{
	bool ok = true;

	for (const struct yaml_node *key = map->child; key; key = key->next)
		ok &= key_check(reader, key, words, nr, where, elsewhere);
	return ok;
}
