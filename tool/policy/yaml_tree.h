/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A strict subset of YAML as a small tree. The subset has no anchors, aliases, tags,
 * directives, duplicate keys, second documents, block scalars or scalars of
 * several lines. A scalar is a string, which the reader of the tree converts.
 */
#ifndef REGPIN_TOOL_YAML_TREE_H
#define REGPIN_TOOL_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/policy/policy.h"

#define YAML_MAX_SIZE	(64u << 10)	/* bytes of text */
#define YAML_MAX_DEPTH	5		/* maps and lists inside each other */
#define YAML_MAX_NODES	16384u
#define YAML_MAX_KEYS	64u		/* of one map */

enum yaml_type {
	YAML_SCALAR,
	YAML_LIST,
	YAML_MAP,
	YAML_BAD,	/* stands for a refused node, which has been reported */
};

/**
 * struct yaml_node - a node of the tree
 * @next: the next element of the same list, or the next key of the same map
 * @value: a key's value, NULL for other nodes
 * @child: a list's first element, a map's first key
 * @type: its type; keys are scalars
 * @line: the line where it begins, from 1, with the number of the text in the upper bits: see
 *	PLACE_TEXT()
 * @column: the column where it begins, from 1, in characters
 * @nr: number of children
 * @text: a scalar's text, without control characters
 */
struct yaml_node {
	struct yaml_node *next, *value, *child;
	enum yaml_type type;
	uint32_t line, column;
	unsigned int nr;
	char text[];
};

/*
 * Parses @text, which is the policy's own text if @text_number is 0, and otherwise that
 * of the base with this number: see PLACE_TEXT(). Errors are added to @problems. Returns NULL
 * if the tree may not be complete (broken syntax, too large). Otherwise the caller owns the
 * tree, and must still check problems->errors.
 */
struct yaml_node *yaml_parse(const char *text, size_t size,
			     unsigned int text_number,
			     struct problems *problems);

void yaml_free(struct yaml_node *node);

/* The key @name of @map, or NULL. */
struct yaml_node *yaml_key(const struct yaml_node *map, const char *name);

/*
 * Are there more errors than will be shown? Then a search for further errors is a waste of
 * time.
 */
static inline bool enough(const struct problems *problems)
{
	return problems->errors > MAX_PROBLEMS;
}

#define problem_at(problems, node, ...) \
	problem_error(problems, (node)->line, (node)->column, __VA_ARGS__)

#endif
