// SPDX-License-Identifier: GPL-2.0-only
/* Words in a policy, and messages about wrong ones. */
#include <string.h>

#include "yaml_word.h"

int word_value(const struct yaml_node *node, const char *what,
	       const struct word *words, size_t nr, struct problems *problems)
{
	struct nearest nearest;
	char list[160];

	words_list(list, sizeof(list), words, nr);
	if (node->type == YAML_BAD)
		return WORD_NONE;
	if (node->type != YAML_SCALAR) {
		problem_at(problems, node, "%s must be one word: %s", what,
			   list);
		return WORD_NONE;
	}
	if (!node->text[0]) {
		problem_at(problems, node, "%s has no value: write %s", what,
			   list);
		return WORD_NONE;
	}
	nearest_begin(&nearest, node->text);
	for (size_t i = 0; i < nr; i++) {
		if (strcmp(node->text, words[i].text) != 0) {
			if (words[i].value >= 0)
				nearest_try(&nearest, words[i].text);
			continue;
		}
		return words[i].value;
	}
	problem_at(problems, node, "%s %s is not known: write %s%s", what,
		   show(node->text).text, list, nearest_hint(&nearest).text);
	return WORD_NONE;
}
