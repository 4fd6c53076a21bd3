// SPDX-License-Identifier: GPL-2.0-only
/* JSON, one value on each line. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "json.h"
#include "utf8.h"

/* The length of the beginning of @text without escapes in JSON. Most strings need none. */
static size_t plain_bytes(const char *text, size_t size)
{
	size_t n = 0;

	while (n < size && text[n] >= ' ' && text[n] < 0x7f && text[n] != '"' &&
	       text[n] != '\\')
		n++;
	return n;
}

/* Writes @text as a JSON string; bytes that are not UTF-8 become U+FFFD. */
static void write_string(FILE *file, const char *text)
{
	size_t left = strlen(text), len;
	uint32_t c;

	fputc('"', file);
	for (; left; text += len, left -= len) {
		len = plain_bytes(text, left);
		if (len) {
			fwrite(text, 1, len, file);
			continue;
		}
		len = utf8_decode(text, left, &c);
		if (!len) {
			len = 1;
			fputs("\\ufffd", file);
		} else if (c == '"' || c == '\\') {
			fprintf(file, "\\%c", (int)c);
		} else if (c == '\n') {
			fputs("\\n", file);
		} else if (c == '\t') {
			fputs("\\t", file);
		} else if (c < ' ' || (c >= 0x7f && c < 0xa0) ||
			   c == 0x2028 || c == 0x2029) {
			/* Some readers take U+2028 for the end of a line. */
			fprintf(file, "\\u%04" PRIx32, c);
		} else {
			fwrite(text, 1, len, file);
		}
	}
	fputc('"', file);
}

/* Writes a comma, if the value is not the first one, and its key. */
static void value_begin(struct json *json, const char *key)
{
	uint64_t level = 1ull << json->depth;

	if (json->filled & level)
		fputc(',', json->file);
	json->filled |= level;
	if (!key)
		return;
	write_string(json->file, key);
	fputc(':', json->file);
}

static void level_begin(struct json *json, const char *key, char bracket)
{
	value_begin(json, key);
	fputc(bracket, json->file);
	assert(json->depth < JSON_MAX_DEPTH);
	json->depth++;
	json->filled &= ~(1ull << json->depth);
}

static void level_end(struct json *json, char bracket)
{
	assert(json->depth);
	json->depth--;
	fputc(bracket, json->file);
}

void json_begin(struct json *json, FILE *file)
{
	*json = (struct json){ .file = file };
}

int json_end(struct json *json)
{
	assert(!json->depth);
	fputc('\n', json->file);
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

bool json_buf_begin(struct json *json, char *buf, size_t size)
{
	FILE *file = fmemopen(buf, size, "w");

	if (!file)
		return false;
	json_begin(json, file);
	json_object_begin(json, NULL);
	return true;
}

size_t json_buf_end(struct json *json, size_t size)
{
	FILE *file = json->file;
	long len = -1;

	json_object_end(json);
	if (json_end(json) == 0)
		len = ftell(file);
	if (fclose(file) != 0 || len < 0 || (size_t)len >= size)
		return 0;
	return (size_t)len;
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
		write_string(json->file, text);
	else
		fputs("null", json->file);
}

void json_u64(struct json *json, const char *key, uint64_t value)
{
	value_begin(json, key);
	fprintf(json->file, "%" PRIu64, value);
}

void json_hex(struct json *json, const char *key, uint64_t value)
{
	value_begin(json, key);
	fprintf(json->file, "\"0x%" PRIx64 "\"", value);
}

void json_bool(struct json *json, const char *key, bool value)
{
	value_begin(json, key);
	fputs(value ? "true" : "false", json->file);
}

void json_raw(struct json *json, const char *key, const char *value)
{
	value_begin(json, key);
	fputs(value, json->file);
}
