// SPDX-License-Identifier: GPL-2.0-only
/* A policy's text with the texts that it extends. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/printable.h"
#include "base/words.h"
#include "policy_bundle.h"

#define LINE_START	"--- # extended: "

/*
 * The next of the lines that stand between texts, or NULL; *@end is set to the byte after it.
 * The last line of @text may lack its line feed, which bundle_fill() would add.
 */
static const char *find_line(const char *text, size_t size, const char **end)
{
	const size_t len = strlen(LINE_START);
	const char *at = text, *const all = text + size;

	while (at < all) {
		const char *next = memchr(at, '\n', (size_t)(all - at));

		if ((size_t)(all - at) >= len && !memcmp(at, LINE_START, len)) {
			*end = next ? next + 1 : all;
			return at;
		}
		if (!next)
			break;
		at = next + 1;
	}
	return NULL;
}

bool bundle_has_line(const char *text, size_t size)
{
	const char *end;

	return find_line(text, size, &end);
}

/* Reads "NAME PATH" of a line into @part. Returns false if it is not of this form. */
static bool read_names(const char *at, const char *end, struct bundle_part *part)
{
	const char *blank, *name = at + strlen(LINE_START);
	size_t len;

	if (end[-1] != '\n')
		return false;
	blank = memchr(name, ' ', (size_t)(end - name));
	len = blank ? (size_t)(blank - name) : 0;
	if (!len || len >= sizeof(part->name))
		return false;
	memcpy(part->name, name, len);
	part->name[len] = 0;
	len = (size_t)(end - 1 - (blank + 1));
	if (!policy_is_name(part->name) || !len || len >= sizeof(part->path) ||
	    memchr(blank + 1, 0, len))
		return false;
	memcpy(part->path, blank + 1, len);
	part->path[len] = 0;
	return true;
}

void bundle_split(struct bundle *bundle, const char *text, size_t size)
{
	const char *at = text, *line, *end;

	memset(bundle, 0, sizeof(*bundle));
	bundle->parts[0].text = text;
	bundle->parts[0].size = size;
	bundle->nr = 1;
	while (bundle->nr <= POLICY_MAX_BASES &&
	       (line = find_line(at, (size_t)(text + size - at), &end))) {
		struct bundle_part *part = &bundle->parts[bundle->nr];

		if (!read_names(line, end, part))
			return;
		part[-1].size = (size_t)(line - part[-1].text);
		part->text = at = end;
		part->size = (size_t)(text + size - end);
		bundle->nr++;
	}
}

void bundle_place_problems(const struct bundle *bundle, uint32_t line,
			   uint32_t column, struct problems *problems)
{
	for (unsigned int i = 0; i < problems->nr; i++) {
		struct problem *problem = &problems->list[i];
		uint32_t part = PLACE_TEXT(problem->line);
		char whole[PLACE_MAX + sizeof(problem->text) + 64];

		if (!part || part >= bundle->nr)
			continue;
		snprintf(whole, sizeof(whole),
			 "in a policy that this one extends, %s:%" PRIu32 ":%" PRIu32 ": %s",
			 printable(bundle->parts[part].path),
			 PLACE_LINE(problem->line), problem->column, problem->text);
		/* Cuts it, if it must be cut, between two characters. */
		printable_copy(problem->text, sizeof(problem->text), whole);
		problem->line = line;
		problem->column = column;
	}
}

/*
 * The policy that @text extends: its node in *@root, which the caller frees; or NULL. Only
 * that there is no memory becomes one of @problems: the others are left to the policy's
 * reader.
 */
static const struct yaml_node *
find_extends(const char *text, size_t size, unsigned int text_number,
	     struct yaml_node **root, struct problems *problems)
{
	struct problems *scratch = problems_new();
	const struct yaml_node *key = NULL;

	*root = scratch ? yaml_parse(text, size, text_number, scratch) : NULL;
	if (!scratch || scratch->no_memory)
		problem_no_memory(problems);
	if (*root && (*root)->type == YAML_MAP)
		key = yaml_key(*root, "extends");
	problems_free(scratch);
	return key && key->value->type == YAML_SCALAR ? key->value : NULL;
}

static void explain_open(const struct yaml_node *node, const char *path,
			 int err, struct problems *problems)
{
	char folders[POLICY_FOLDERS_TEXT];

	if (err == -ENOENT)
		problem_at(problems, node, "there is no policy %s in %s",
			   show(node->text).text, policy_folders(folders));
	else if (err == -EXDEV || err == -ELOOP)
		problem_at(problems, node,
			   "%s is a symbolic link that leads out of its folder: copy the file there",
			   printable(path));
	else if (err == -ENOTSUP)
		problem_at(problems, node, "%s is not a regular file",
			   printable(path));
	else
		problem_at(problems, node, "%s can't be read: %s",
			   printable(path), strerror(-err));
}

/* Appends the policy that @node names to *@text. Returns 0 or a negative errno. */
static int append_base(const struct yaml_node *node, char **text, size_t *size,
		       struct problems *problems)
{
	char path[POLICY_MAX_SOURCE], line[POLICY_MAX_SOURCE + 128];
	size_t used = *size, room;
	ssize_t len;
	char *more;
	int fd = policy_open(node->text, path);

	if (fd >= 0 && strlen(printable(path)) >= POLICY_MAX_SOURCE) {
		close(fd);
		fd = -ENAMETOOLONG;
	}
	if (fd < 0) {
		explain_open(node, path, fd, problems);
		return -EINVAL;
	}
	/* Begins with a line feed, because the text before it may not end with one. */
	snprintf(line, sizeof(line), "\n" LINE_START "%s %s\n", node->text,
		 printable(path));
	room = used + strlen(line) + YAML_MAX_SIZE + 1;
	more = realloc(*text, room);
	if (!more) {
		close(fd);
		problem_no_memory(problems);
		return -ENOMEM;
	}
	*text = more;
	stpcpy(more + used, line);
	used += strlen(line);
	*size = used;
	do {
		len = read(fd, more + used, room - used);
		used += len > 0 ? (size_t)len : 0;
	} while (len > 0 || (len < 0 && errno == EINTR));
	if (len < 0)
		explain_open(node, path, -errno, problems);
	else if (bundle_has_line(more + *size, used - *size))
		problem_at(problems, node, "%s has a line '" LINE_START "…', which regpin writes between texts, and which no policy may have",
			   printable(path));
	close(fd);
	*size = used;
	return problems->errors ? -EINVAL : 0;
}

/* Is the policy @name part of @bundle already? Then it extends itself. */
static bool is_circle(const struct bundle *bundle, const char *name)
{
	for (unsigned int i = 1; i < bundle->nr; i++)
		if (!strcmp(bundle->parts[i].name, name))
			return true;
	return false;
}

/* Why the policy that @node names can't be added to @bundle, or NULL. */
static const char *fault_of(const struct bundle *bundle, unsigned int part,
			    const struct yaml_node *node)
{
	if (!policy_is_name(node->text))
		return "is not a policy's name: names have a-z, 0-9, _ and - only, and no path";
	if (is_circle(bundle, node->text))
		return "extends itself, by way of the policies in between";
	if (part == POLICY_MAX_BASES)
		return "is one too many: a policy can have at most 8 bases";
	return NULL;
}

/* Adds the policy that part @n extends. Returns 1, 0 if there is none, or an errno. */
static int fill_one(char **text, size_t *size, unsigned int n,
		    struct problems *problems)
{
	const struct yaml_node *node;
	struct yaml_node *root;
	struct bundle bundle;
	const char *fault;
	int ret = 0;

	bundle_split(&bundle, *text, *size);
	/* A line that bundle_split() can't read; extends_tree() reports what is missing. */
	if (n >= bundle.nr)
		return 0;
	node = find_extends(bundle.parts[n].text, bundle.parts[n].size, n,
			    &root, problems);
	if (node) {
		fault = fault_of(&bundle, n, node);
		if (fault)
			problem_at(problems, node, "%s %s",
				   show(node->text).text, fault);
		ret = fault ? -EINVAL :
			      append_base(node, text, size, problems);
		ret = ret ? ret : 1;
	}
	yaml_free(root);
	if (problems->no_memory)
		return -ENOMEM;
	if (ret == -EINVAL) {
		bundle_split(&bundle, *text, *size);
		bundle_place_problems(&bundle, 0, 0, problems);
	}
	return ret;
}

int bundle_fill(char **text, size_t *size, struct problems *problems)
{
	int ret = 1;

	for (unsigned int n = 0; ret > 0; n++)
		ret = fill_one(text, size, n, problems);
	return ret;
}
