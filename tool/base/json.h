/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A streaming JSON writer. It allocates nothing and writes no line breaks: everything
 * between json_begin() and json_end() is one line.
 *
 *	json_begin(&json, stdout);
 *	json_object_begin(&json, NULL);
 *	json_u64(&json, "vcpu", 0);
 *	json_object_end(&json);
 *	json_end(&json);
 *
 * @key is NULL for the elements of an array and for the outermost value. It must need no
 * escapes.
 */
#ifndef REGPIN_TOOL_JSON_H
#define REGPIN_TOOL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_MAX_DEPTH	63

/*
 * The "version" of all output with --json, see docs/schema/commands-1.json. Keys may be added
 * under the same version; it rises when a key is removed or changes its meaning.
 */
#define JSON_VERSION	1

/**
 * struct json - one value that is being written
 * @file: the output; NULL: @buf is
 * @buf, @size, @len: a buffer, its size, and how much of it is used
 * @full: the buffer had no room for some part
 * @depth: number of open objects and arrays
 * @filled: bit n is set if level n has a member already
 */
struct json {
	FILE *file;
	char *buf;
	size_t size, len;
	bool full;
	unsigned int depth;
	uint64_t filled;
};

void json_begin(struct json *json, FILE *file);

/* Ends the line and flushes it. Returns 0, or -1 if a write failed. */
int json_end(struct json *json);

/*
 * Begins a line with an object, in @buf of @size bytes. json_buf_end() returns the line's
 * length, or 0 if @buf has no room for it and a NUL.
 */
void json_buf_begin(struct json *json, char *buf, size_t size);
size_t json_buf_end(struct json *json);

void json_object_begin(struct json *json, const char *key);
void json_object_end(struct json *json);
void json_array_begin(struct json *json, const char *key);
void json_array_end(struct json *json);

/* @text may hold any bytes: those that are not UTF-8 become U+FFFD. NULL is null. */
void json_string(struct json *json, const char *key, const char *text);
void json_u64(struct json *json, const char *key, uint64_t value);
/* As a string, "0xc0000080": JSON's numbers lose bits beyond 2^53. */
void json_hex(struct json *json, const char *key, uint64_t value);
void json_bool(struct json *json, const char *key, bool value);
/* Adds @value, which is one line of JSON. */
void json_raw(struct json *json, const char *key, const char *value);

#endif
