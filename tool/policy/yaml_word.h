/* SPDX-License-Identifier: GPL-2.0-only */
/* Words in a policy's tree, and messages about wrong ones. */
#ifndef REGPIN_TOOL_YAML_WORD_H
#define REGPIN_TOOL_YAML_WORD_H

#include <stddef.h>

#include "base/words.h"
#include "yaml_tree.h"

#define WORD_NONE	(-3)	/* not one of the words, which has been reported */

/*
 * The value of the word @node, which is one of @words; otherwise reports that and returns a
 * negative number. @what is the purpose of the word ("action").
 */
int word_value(const struct yaml_node *node, const char *what,
	       const struct word *words, size_t nr, struct problems *problems);

#endif
