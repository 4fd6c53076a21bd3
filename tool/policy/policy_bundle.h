/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A policy's text, followed by the texts that it extends, so that it can be kept, sent to an
 * agent and read again without any file. A line
 *
 *	--- # extended: NAME PATH
 *
 * stands before the text of the policy NAME, which was read from PATH. The base of the policy
 * itself comes first, then the base of that base, and so on.
 */
#ifndef REGPIN_TOOL_POLICY_BUNDLE_H
#define REGPIN_TOOL_POLICY_BUNDLE_H

#include <stddef.h>

#include "lib/policy/policy.h"

#include "policy_find.h"
#include "yaml_tree.h"

/* The limit for all texts together, with the lines between them. */
#define BUNDLE_MAX_SIZE	((POLICY_MAX_BASES + 1ul) * (YAML_MAX_SIZE + 512u))

/**
 * struct bundle_part - one text of a bundle
 * @text: where it begins
 * @size: its bytes
 * @name: the name that `extends` gives it; empty for the policy's own text
 * @path: the file that it was read from; empty for the policy's own text
 */
struct bundle_part {
	const char *text;
	size_t size;
	char name[POLICY_NAME_MAX];
	char path[POLICY_MAX_SOURCE];
};

struct bundle {
	unsigned int nr;
	struct bundle_part parts[POLICY_MAX_BASES + 1];
};

/*
 * Finds the texts of a bundle; a text without bases has one part. A malformed line between
 * texts stays in its part, where no parser accepts it.
 */
void bundle_split(struct bundle *bundle, const char *text, size_t size);

/*
 * Moves problems within a base to the policy's own `extends`, at @line and @column, because
 * messages name only the policy's own file.
 */
void bundle_place_problems(const struct bundle *bundle, uint32_t line,
			   uint32_t column, struct problems *problems);

/* Does @text have a line like those between texts? A file must not have one. */
bool bundle_has_line(const char *text, size_t size);

/*
 * Adds the texts that the policy in *@text extends, from the policy folders. *@text is
 * allocated, and moves. Returns 0, or a negative errno, with the reason in @problems:
 * -EINVAL if one is missing or can't be read, or -ENOMEM.
 */
int bundle_fill(char **text, size_t *size, struct problems *problems);

#endif
