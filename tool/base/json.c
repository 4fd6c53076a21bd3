// SPDX-License-Identifier: GPL-2.0-only
/* JSON, one value on each line. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "number.h"
#include "utf8.h"

/* An event is written with a hundred calls of this, so a buffer is not a stream. */
static void put(struct json *json, const char *text, size_t len)
{
	if (json->file) {
		fwrite(text, 1, len, json->file);
	} else if (len < json->size - json->len) {
		memcpy(json->buf + json->len, text, len);
		json->len += len;
	} else {
		json->full = true;
	}
}

static void put_text(struct json *json, const char *text)
{
	put(json, text, strlen(text));
}

static void put_char(struct json *json, char c)
{
	put(json, &c, 1);
}

/* The length of the beginning of @text without escapes in JSON. Most strings need none. */
static size_t plain_bytes(const char *text, size_t size)
{
	size_t n = 0;

	while (n < size && text[n] >= ' ' && text[n] < 0x7f && text[n] != '"' &&
	       text[n] != '\\')
		n++;
	return n;
}

/* Writes @c, whose bytes in UTF-8 are @text, or an escape for it. */
static void put_escaped(struct json *json, uint32_t c, const char *text, size_t len)
{
	char escape[16];

	if (c == '"' || c == '\\') {
		put_char(json, '\\');
		put_char(json, (char)c);
	} else if (c == '\n') {
		put_text(json, "\\n");
	} else if (c == '\t') {
		put_text(json, "\\t");
	} else if (c < ' ' || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029) {
		/* Some readers take U+2028 for the end of a line. */
		snprintf(escape, sizeof(escape), "\\u%04" PRIx32, c);
		put_text(json, escape);
	} else {
		put(json, text, len);
	}
}

/* Writes @text as a JSON string; bytes that are not UTF-8 become U+FFFD. */
static void write_string(struct json *json, const char *text)
{
	size_t left = strlen(text), len;
	uint32_t c;

	put_char(json, '"');
	for (; left; text += len, left -= len) {
		len = plain_bytes(text, left);
		if (len) {
			put(json, text, len);
			continue;
		}
		len = utf8_decode(text, left, &c);
		if (len) {
			put_escaped(json, c, text, len);
		} else {
			len = 1;
			put_text(json, "\\ufffd");
		}
	}
	put_char(json, '"');
}

/* Writes a comma, if the value is not the first one, and its key, which needs no escapes. */
static void value_begin(struct json *json, const char *key)
{
	uint64_t level = 1ull << json->depth;

	if (json->filled & level)
		put_char(json, ',');
	json->filled |= level;
	if (!key)
		return;
	put_char(json, '"');
	put_text(json, key);
	put(json, "\":", 2);
}

static void level_begin(struct json *json, const char *key, char bracket)
{
	value_begin(json, key);
	put_char(json, bracket);
	assert(json->depth < JSON_MAX_DEPTH);
	json->depth++;
	json->filled &= ~(1ull << json->depth);
}

static void level_end(struct json *json, char bracket)
{
	assert(json->depth);
	json->depth--;
	put_char(json, bracket);
}

void json_begin(struct json *json, FILE *file)
{
	*json = (struct json){ .file = file };
}

int json_end(struct json *json)
{
	assert(!json->depth);
	put_char(json, '\n');
	return fflush(json->file) || ferror(json->file) ? -1 : 0;
}

void json_object_begin(struct json *json, const char *key)
{
	level_begin(json, key, '{');
}

void json_object_end(struct json *json)
{
	level_end(json, '}');
}

void json_buf_begin(struct json *json, char *buf, size_t size)
{
	*json = (struct json){ .buf = buf, .size = size };
	json_object_begin(json, NULL);
}

size_t json_buf_end(struct json *json)
{
	json_object_end(json);
	assert(!json->depth);
	put_char(json, '\n');
	if (json->full)
		json->len = 0;
	json->buf[json->len] = 0;
	return json->len;
}

void json_array_begin(struct json *json, const char *key)
{
	level_begin(json, key, '[');
}

void json_array_end(struct json *json)
{
	level_end(json, ']');
}

void json_string(struct json *json, const char *key, const char *text)
{
	value_begin(json, key);
	if (text)
		write_string(json, text);
	else
		put_text(json, "null");
}

void json_u64(struct json *json, const char *key, uint64_t value)
{
	char text[NUMBER_MAX];

	value_begin(json, key);
	put(json, text, (size_t)(put_decimal(text, value) - text));
}

void json_hex(struct json *json, const char *key, uint64_t value)
{
	char text[NUMBER_MAX + 4] = "\"0x", *end;

	value_begin(json, key);
	end = put_hex(text + strlen(text), value);
	*end++ = '"';
	put(json, text, (size_t)(end - text));
}

void json_bool(struct json *json, const char *key, bool value)
{
	value_begin(json, key);
	put_text(json, value ? "true" : "false");
}

void json_raw(struct json *json, const char *key, const char *value)
{
	value_begin(json, key);
	put_text(json, value);
}
