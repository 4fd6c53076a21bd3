/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A streaming JSON writer. No allocation, no line breaks: what stands between
 * json_begin() and json_end() is one line.
 *
 *	json_begin(&json, stdout);
 *	json_object_begin(&json, NULL);
 *	json_u64(&json, "vcpu", 0);
 *	json_object_end(&json);
 *	json_end(&json);
 *
 * @key is NULL for the elements of an array and for the outermost value.
 */
#ifndef REGPIN_TOOL_JSON_H
#define REGPIN_TOOL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_MAX_DEPTH	63

/*
 * The "version" of what check, probe, explain, sim and regs print. Keys may be added to
 * it; where one goes, or means something else, the number rises.
 */
#define JSON_VERSION	1

/**
 * struct json - one value that is being written
 * @file: where to
 * @depth: how many objects and arrays are open
 * @filled: bit n is set if the level n has a member already
 */
struct json {
	FILE *file;
	unsigned int depth;
	uint64_t filled;
};

void json_begin(struct json *json, FILE *file);

/* Ends the line and flushes it. Returns 0, or -1 if anything got lost. */
int json_end(struct json *json);

/*
 * One line with an object, in @buf of @size bytes. False: there is no memory.
 * json_buf_end() returns the line's length, or 0 if @buf has no room for it and a NUL.
 */
bool json_buf_begin(struct json *json, char *buf, size_t size);
size_t json_buf_end(struct json *json, size_t size);

void json_object_begin(struct json *json, const char *key);
void json_object_end(struct json *json);
void json_array_begin(struct json *json, const char *key);
void json_array_end(struct json *json);

/* @text may hold any bytes: what is not UTF-8 becomes U+FFFD. NULL is null. */
void json_string(struct json *json, const char *key, const char *text);
void json_u64(struct json *json, const char *key, uint64_t value);
/* As a string, "0xc0000080": JSON's numbers lose bits beyond 2^53. */
void json_hex(struct json *json, const char *key, uint64_t value);
void json_bool(struct json *json, const char *key, bool value);
/* @value is JSON already, and of one line. */
void json_raw(struct json *json, const char *key, const char *value);

#endif
