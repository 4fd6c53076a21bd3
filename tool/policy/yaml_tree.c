// SPDX-License-Identifier: GPL-2.0-only
/*
 * libyaml tokenises; this file builds the tree from its events, and refuses everything that
 * is not in the subset. A refused node becomes a YAML_BAD node, so that the rest is still read
 * and all errors are reported at once. The parse ends only if the rest cannot be read sensibly.
 */
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/utf8.h"
#include "base/words.h"
#include "yaml_tree.h"

struct builder {
	yaml_parser_t parser;
	const char *text;
	size_t size;
	struct problems *problems;
	unsigned int text_number, nodes;
	bool failed;
};

static uint32_t mark_line(yaml_mark_t mark)
{
	return (uint32_t)mark.line + 1;
}

/* Combines the text's number and the line, for PLACE_TEXT() and PLACE_LINE(). */
static uint32_t line_in(const struct builder *b, uint32_t line)
{
	return b->text_number << PLACE_TEXT_SHIFT | line;
}

static uint32_t mark_column(yaml_mark_t mark)
{
	return (uint32_t)mark.column + 1;
}

#define problem_mark(b, mark, ...) \
	problem_error((b)->problems, line_in(b, mark_line(mark)), \
		      mark_column(mark), __VA_ARGS__)

/* Why @c is not valid in a policy, or NULL. */
static const char *character_fault(uint32_t c)
{
	if (!c)
		return "a NUL byte: is this a text file?";
	if (c == 0xfeff)
		return "a byte-order mark: save the file without it";
	if ((c < ' ' && c != '\t' && c != '\n' && c != '\r') ||
	    (c >= 0x7f && c < 0xa0))
		return "a control character";
	if (c == 0x2028 || c == 0x2029)
		return "a line separator of Unicode: end lines with a line feed";
	if ((c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ||
	    c == 0x200e || c == 0x200f || c == 0x061c)
		return "a character that changes the direction of writing: the file would not mean what it shows";
	if ((c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe)
		return "a code point that is not a character";
	return NULL;
}

/* Checks the bytes before libyaml reads them. Reports only the first fault. */
static bool text_valid(const struct builder *b)
{
	const char *text = b->text;
	size_t size = b->size;
	uint32_t line = 1, column = 1, c;
	const char *fault;
	size_t len;

	for (size_t at = 0; at < size; at += len) {
		len = utf8_decode(text + at, size - at, &c);
		fault = len ? character_fault(c) :
			      "this is not UTF-8: save the file as UTF-8";
		if (!fault && c == '\r' &&
		    (at + 1 == size || text[at + 1] != '\n'))
			fault = "a carriage return alone: end lines with a line feed";
		if (fault) {
			problem_error(b->problems, line_in(b, line), column,
				      "%s", fault);
			return false;
		}
		column++;
		if (c == '\n') {
			line++;
			column = 1;
		}
	}
	return true;
}

/* Is there a tab in the white space that begins @line? The first line has number 0. */
static bool line_has_tab(const struct builder *b, size_t line)
{
	const char *at = b->text, *end = b->text + b->size;

	for (; line && at < end; line--) {
		at = memchr(at, '\n', (size_t)(end - at));
		if (!at)
			return false;
		at++;
	}
	while (at < end && *at == ' ')
		at++;
	return at < end && *at == '\t';
}

/* Reports the error at which libyaml stopped. */
static void syntax_error(struct builder *b)
{
	const yaml_parser_t *p = &b->parser;
	yaml_mark_t mark = p->problem_mark;

	b->failed = true;
	if (p->error == YAML_MEMORY_ERROR)
		problem_no_memory(b->problems);
	else if (p->error == YAML_READER_ERROR)
		problem_error(b->problems, 0, 0, "this can't be read: %s",
			      p->problem);
	else if (line_has_tab(b, mark.line))
		problem_mark(b, mark, "a tab: indent with spaces");
	else if (p->context)
		problem_mark(b, mark,
			     "this is not YAML: %s at %u:%u: %s. Nothing after it was read",
			     p->context, mark_line(p->context_mark),
			     mark_column(p->context_mark), p->problem);
	else
		problem_mark(b, mark,
			     "this is not YAML: %s. Nothing after it was read",
			     p->problem);
}

static bool next_event(struct builder *b, yaml_event_t *event)
{
	if (b->failed)
		return false;
	if (yaml_parser_parse(&b->parser, event))
		return true;
	syntax_error(b);
	return false;
}

static struct yaml_node *new_node(struct builder *b, const yaml_event_t *event,
				  enum yaml_type type, const char *text,
				  size_t len)
{
	struct yaml_node *node;

	if (b->nodes == YAML_MAX_NODES) {
		problem_mark(b, event->start_mark,
			     "too many values in one policy: the limit is %u",
			     YAML_MAX_NODES);
		b->failed = true;
		return NULL;
	}
	node = calloc(1, sizeof(*node) + len + 1);
	if (!node) {
		problem_no_memory(b->problems);
		b->failed = true;
		return NULL;
	}
	b->nodes++;
	node->type = type;
	node->line = line_in(b, mark_line(event->start_mark));
	node->column = mark_column(event->start_mark);
	if (len)
		memcpy(node->text, text, len);
	return node;
}

static void refuse_decorations(struct builder *b, const yaml_event_t *event,
			       const yaml_char_t *anchor,
			       const yaml_char_t *tag)
{
	if (anchor)
		problem_mark(b, event->start_mark,
			     "anchors (&%.40s) are not part of this language: write the value in each place",
			     (const char *)anchor);
	if (tag)
		problem_mark(b, event->start_mark,
			     "tags (%.40s) are not part of this language: leave this one out; a scalar that begins with '!' needs quotes",
			     (const char *)tag);
}

static const char *scalar_fault(const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t size = event->data.scalar.length, len;
	uint32_t c;

	if (event->data.scalar.style == YAML_LITERAL_SCALAR_STYLE ||
	    event->data.scalar.style == YAML_FOLDED_SCALAR_STYLE)
		return "block scalars (| and >) are not part of this language: write the value after the key";
	if (event->start_mark.line != event->end_mark.line)
		return "this value continues on another line: is a ':', a '-' or a quote missing?";
	for (size_t at = 0; at < size; at += len) {
		len = utf8_decode(text + at, size - at, &c);
		if (!len || c < ' ' || character_fault(c))
			return "this value has a control character in it";
	}
	return NULL;
}

static struct yaml_node *build_scalar(struct builder *b,
				      const yaml_event_t *event)
{
	const char *fault = scalar_fault(event);

	refuse_decorations(b, event, event->data.scalar.anchor,
			   event->data.scalar.tag);
	if (fault) {
		problem_mark(b, event->start_mark, "%s", fault);
		return new_node(b, event, YAML_BAD, NULL, 0);
	}
	return new_node(b, event, YAML_SCALAR,
			(const char *)event->data.scalar.value,
			event->data.scalar.length);
}

static struct yaml_node *build_node(struct builder *b, yaml_event_t *event,
				    unsigned int depth);

static void build_list(struct builder *b, struct yaml_node *list,
		       unsigned int depth)
{
	struct yaml_node **tail = &list->child;
	yaml_event_t event;

	while (next_event(b, &event)) {
		bool end = event.type == YAML_SEQUENCE_END_EVENT;

		if (!end) {
			*tail = build_node(b, &event, depth);
			if (*tail) {
				tail = &(*tail)->next;
				list->nr++;
			}
		}
		yaml_event_delete(&event);
		if (end)
			return;
	}
}

/* Is @key valid in @map? If not, that is reported. */
static bool key_valid(struct builder *b, const struct yaml_node *map,
		      const struct yaml_node *key)
{
	const struct yaml_node *first;

	if (key->type == YAML_BAD)
		return false;
	if (key->type != YAML_SCALAR) {
		problem_at(b->problems, key, "a key must be one word");
		return false;
	}
	first = yaml_key(map, key->text);
	if (first) {
		problem_at(b->problems, key,
			   "%s is here twice, first at %u:%u: keep one",
			   show(key->text).text, PLACE_LINE(first->line),
			   first->column);
		return false;
	}
	if (map->nr < YAML_MAX_KEYS)
		return true;
	problem_at(b->problems, key, "too many keys: the limit is %u",
		   YAML_MAX_KEYS);
	b->failed = true;
	return false;
}

static void build_map(struct builder *b, struct yaml_node *map,
		      unsigned int depth)
{
	struct yaml_node **tail = &map->child, *key = NULL, *node;
	yaml_event_t event;

	while (next_event(b, &event)) {
		if (event.type == YAML_MAPPING_END_EVENT) {
			yaml_event_delete(&event);
			break;
		}
		node = build_node(b, &event, depth);
		yaml_event_delete(&event);
		if (!node)
			break;
		if (!key) {
			key = node;
			continue;
		}
		key->value = node;
		if (key_valid(b, map, key)) {
			*tail = key;
			tail = &key->next;
			map->nr++;
		} else {
			yaml_free(key);
		}
		key = NULL;
	}
	yaml_free(key);
}

/* The node that begins with @event; NULL only if the parse has failed. */
static struct yaml_node *build_node(struct builder *b, yaml_event_t *event,
				    unsigned int depth)
{
	bool list = event->type == YAML_SEQUENCE_START_EVENT;
	struct yaml_node *node;

	if (event->type == YAML_SCALAR_EVENT)
		return build_scalar(b, event);
	if (event->type == YAML_ALIAS_EVENT) {
		problem_mark(b, event->start_mark,
			     "aliases (*%.40s) are not part of this language: write the value itself; a scalar that begins with '*' needs quotes",
			     (const char *)event->data.alias.anchor);
		return new_node(b, event, YAML_BAD, NULL, 0);
	}
	if (depth == YAML_MAX_DEPTH) {
		problem_mark(b, event->start_mark,
			     "lists and maps in more than %u levels: no policy needs that. Nothing after it was read",
			     YAML_MAX_DEPTH);
		b->failed = true;
		return NULL;
	}
	if (list)
		refuse_decorations(b, event, event->data.sequence_start.anchor,
				   event->data.sequence_start.tag);
	else
		refuse_decorations(b, event, event->data.mapping_start.anchor,
				   event->data.mapping_start.tag);
	node = new_node(b, event, list ? YAML_LIST : YAML_MAP, NULL, 0);
	if (node && list)
		build_list(b, node, depth + 1);
	else if (node)
		build_map(b, node, depth + 1);
	return node;
}

static void refuse_directives(struct builder *b, const yaml_event_t *event)
{
	if (event->data.document_start.version_directive ||
	    event->data.document_start.tag_directives.start !=
	    event->data.document_start.tag_directives.end)
		problem_mark(b, event->start_mark,
			     "directives (%%) are not part of this language: leave the line out");
}

/* The only document of the stream. */
static struct yaml_node *build_stream(struct builder *b)
{
	struct yaml_node *root = NULL;
	unsigned int documents = 0;
	yaml_event_t event;
	bool end = false;

	while (!end && next_event(b, &event)) {
		switch (event.type) {
		case YAML_STREAM_START_EVENT:
		case YAML_DOCUMENT_END_EVENT:
			break;
		case YAML_STREAM_END_EVENT:
			end = true;
			break;
		case YAML_DOCUMENT_START_EVENT:
			refuse_directives(b, &event);
			if (!documents++)
				break;
			problem_mark(b, event.start_mark,
				     "a second document begins here: a file is one policy. Nothing after it was read");
			end = true;
			break;
		default:	/* once, as a document has one root */
			if (!root)
				root = build_node(b, &event, 0);
			break;
		}
		yaml_event_delete(&event);
	}
	if (!b->failed && !root)
		problem_error(b->problems, line_in(b, 1), 1,
			      "the policy is empty: it begins with 'version: 1'");
	return root;
}

struct yaml_node *yaml_parse(const char *text, size_t size,
			     unsigned int text_number, struct problems *problems)
{
	struct builder b = {
		.text = text, .size = size, .problems = problems,
		.text_number = text_number,
	};
	struct yaml_node *root;

	if (size > YAML_MAX_SIZE) {
		problem_error(problems, line_in(&b, 0), 0,
			      "the policy is larger than %u bytes",
			      YAML_MAX_SIZE);
		return NULL;
	}
	if (!text_valid(&b))
		return NULL;
	if (!yaml_parser_initialize(&b.parser)) {
		problem_no_memory(problems);
		return NULL;
	}
	yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b.parser, (const unsigned char *)text,
				     size);
	root = build_stream(&b);
	yaml_parser_delete(&b.parser);
	if (!b.failed)
		return root;
	yaml_free(root);
	return NULL;
}

void yaml_free(struct yaml_node *node)
{
	while (node) {
		struct yaml_node *next = node->next;

		/* The recursion is as deep as the tree: YAML_MAX_DEPTH, twice for keys. */
		yaml_free(node->value);
		yaml_free(node->child);
		free(node);
		node = next;
	}
}

struct yaml_node *yaml_key(const struct yaml_node *map, const char *name)
{
	for (struct yaml_node *key = map->child; key; key = key->next)
		if (strcmp(key->text, name) == 0)
			return key;
	return NULL;
}
