/* SPDX-License-Identifier: GPL-2.0-only */
/* The words of a policy's tree, and what is said about wrong ones. */
#ifndef REGPIN_TOOL_YAML_WORD_H
#define REGPIN_TOOL_YAML_WORD_H

#include <stddef.h>

#include "base/words.h"
#include "yaml_tree.h"

#define WORD_NONE	(-3)	/* not one of the words; that is told */

/*
 * The value of the word @node, which is one of @words, or a negative number
 * if it is not; then it is told. @what names what the word is for ("action").
 */
int word_value(const struct yaml_node *node, const char *what,
	       const struct word *words, size_t nr, struct problems *problems);

#endif
