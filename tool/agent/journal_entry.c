// SPDX-License-Identifier: GPL-2.0-only
/* Fields of the journal from a line of JSON. */
#include <ctype.h>
#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "base/nr.h"
#include "journal_entry.h"
#include "journal_table.h"

#define NAME_MAX_LEN	64u	/* of a field; the journal drops fields with longer names */
#define HEAD		"REGPIN_"

/**
 * struct entry - an entry that is being made
 * @file: the fields so far
 * @event: the event's name
 * @last: the key that @details ends with
 * @details: keys and values for MESSAGE
 * @severity: the value of the key `severity`
 * @text: the value of the key `text`
 */
struct entry {
	FILE *file;
	char event[32], severity[16], last[32], details[512], text[1024];
};

static void put_field(FILE *file, const char *name, const char *value, size_t len)
{
	uint64_t size = htole64(len);

	fprintf(file, "%s\n", name);
	fwrite(&size, sizeof(size), 1, file);
	fwrite(value, 1, len, file);
	fputc('\n', file);
}

static void put_text(FILE *file, const char *name, const char *text)
{
	put_field(file, name, text, strlen(text));
}

/* The end of the string that begins with the quote at @at, or NULL. */
static const char *string_end(const char *at, const char *end)
{
	for (at++; at < end; at++) {
		if (*at == '"')
			return at + 1;
		at += *at == '\\';
	}
	return NULL;
}

/* The end of the value at @at, or NULL. */
static const char *value_end(const char *at, const char *end)
{
	unsigned int depth = 0;

	while (at && at < end) {
		if (*at == '"') {
			at = string_end(at, end);
			if (!depth)
				return at;
			continue;
		}
		if (!depth && strchr(",]}", *at))
			return at;
		depth += *at == '[' || *at == '{';
		depth -= *at == ']' || *at == '}';
		at++;
		if (!depth && strchr("]}", at[-1]))
			return at;
	}
	return NULL;
}

static size_t put_utf8(char *to, uint32_t c)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	to[0] = (char)(0xe0 | c >> 12);
	to[1] = (char)(0x80 | (c >> 6 & 0x3f));
	to[2] = (char)(0x80 | (c & 0x3f));
	return 3;
}

/*
 * Decodes a string in place of at most @len bytes. The writer escapes no character beyond
 * U+FFFF, so there are no pairs of surrogates.
 */
static size_t decode(char *text, size_t len)
{
	static const char escapes[] = "bfnrt", meanings[] = "\b\f\n\r\t";
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		const char *escape;
		char hex[5] = "";

		if (text[i] != '\\' || ++i == len) {
			text[n++] = text[i < len ? i : len - 1];
		} else if (text[i] == 'u' && i + 4 < len) {
			memcpy(hex, text + i + 1, 4);
			n += put_utf8(text + n, (uint32_t)strtoul(hex, NULL, 16));
			i += 4;
		} else {
			escape = text[i] ? strchr(escapes, text[i]) : NULL;
			text[n] = text[i];
			if (escape)
				text[n] = meanings[escape - escapes];
			n++;
		}
	}
	return n;
}

static void keep(char *to, size_t size, const char *value, size_t len)
{
	len = len < size ? len : size - 1;
	memcpy(to, value, len);
	to[len] = 0;
}

/* Keys that a person wants to read, in the order of the line. */
static bool is_detail(const char *key)
{
	static const char *const keys[] = {
		"name", "vm", "vcpu", "of", "register", "access", "bits", "lacks", "old",
		"new", "rule", "where", "verdict", "reaction", "cause", "reason", "answer",
		"to", "command", "result", "pid", "count", "error",
	};

	for (size_t i = 0; i < NR(keys); i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

static void note(struct entry *entry, const char *key, const char *value, size_t len)
{
	size_t used = strlen(entry->details);
	bool more = strcmp(entry->last, key) == 0;

	if (strcmp(key, "event") == 0)
		keep(entry->event, sizeof(entry->event), value, len);
	else if (strcmp(key, "severity") == 0)
		keep(entry->severity, sizeof(entry->severity), value, len);
	else if (strcmp(key, "text") == 0)
		keep(entry->text, sizeof(entry->text), value, len);
	if (!is_detail(key))
		return;
	snprintf(entry->details + used, sizeof(entry->details) - used, "%s%s %.*s",
		 used && !more ? ", " : "", more ? "" : key,
		 (int)(len < 200 ? len : 200), value);
	snprintf(entry->last, sizeof(entry->last), "%s", key);
}

static bool put_value(struct entry *entry, const char *key, const char *at, size_t len)
{
	char name[NAME_MAX_LEN + 1], *value;
	size_t n;

	n = (size_t)snprintf(name, sizeof(name), HEAD "%s", key);
	for (size_t i = 0; i < n && name[i]; i++)
		name[i] = isalnum((unsigned char)name[i]) ?
				  (char)toupper((unsigned char)name[i]) : '_';
	value = malloc(len + 1);
	if (!value)
		return false;
	memcpy(value, at, len);
	if (len >= 2 && *value == '"')
		len = decode(memmove(value, value + 1, len - 2), len - 2);
	put_field(entry->file, name, value, len);
	note(entry, key, value, len);
	free(value);
	return true;
}

/* A field for each element, so that the journal finds an entry by each of them. */
static bool put_array(struct entry *entry, const char *key, const char *at, const char *end)
{
	const char *stop;

	for (at++; at < end && *at != ']'; at = stop + (*stop == ',')) {
		stop = value_end(at, end);
		if (!stop || stop == at ||
		    !put_value(entry, key, at, (size_t)(stop - at)))
			return false;
	}
	return true;
}

/* The lines have no blanks between their tokens. Returns false for anything else. */
static bool put_keys(struct entry *entry, const char *at, const char *end)
{
	char key[NAME_MAX_LEN];
	const char *stop;

	if (at == end || *at != '{')
		return false;
	for (at++; at < end && *at == '"'; at = stop + (*stop == ',')) {
		stop = string_end(at, end);
		if (!stop || stop == end || *stop != ':')
			return false;
		keep(key, sizeof(key), at + 1, (size_t)(stop - at) - 2);
		at = stop + 1;
		stop = value_end(at, end);
		if (!stop || stop == end || stop == at)
			return false;
		if (strcmp(key, "json") == 0)	/* REGPIN_JSON is the line */
			continue;
		if (*at == '[' ? !put_array(entry, key, at, stop) :
				 !put_value(entry, key, at, (size_t)(stop - at)))
			return false;
	}
	return at + 1 == end && *at == '}';
}

/* LOG_ALERT is not used: in syslog it is about the host itself. */
static int priority_of(const char *severity)
{
	static const struct {
		const char *severity;
		int priority;
	} rows[] = {
		{ "alert", LOG_ERR }, { "warning", LOG_WARNING }, { "info", LOG_INFO },
	};

	for (size_t i = 0; i < NR(rows); i++)
		if (strcmp(severity, rows[i].severity) == 0)
			return rows[i].priority;
	return LOG_NOTICE;
}

static void put_message(struct entry *entry)
{
	const struct journal_type *type = journal_type(entry->event);
	char message[2048], priority[12];

	snprintf(message, sizeof(message), "%s%s%s%s%s%s", type->sentence,
		 *entry->details ? " (" : "", entry->details, *entry->details ? ")" : "",
		 *entry->text ? ": " : "", entry->text);
	put_text(entry->file, "MESSAGE", message);
	if (*type->id)
		put_text(entry->file, "MESSAGE_ID", type->id);
	snprintf(priority, sizeof(priority), "%d", priority_of(entry->severity));
	put_text(entry->file, "PRIORITY", priority);
	put_text(entry->file, "SYSLOG_IDENTIFIER", "regpin");
}

char *journal_entry(const char *line, size_t len, size_t *ret_len)
{
	struct entry entry = { .file = NULL };
	char *buf = NULL;

	entry.file = open_memstream(&buf, ret_len);
	if (!entry.file)
		return NULL;
	if (!put_keys(&entry, line, line + len))
		keep(entry.text, sizeof(entry.text), line, len);
	put_message(&entry);
	put_field(entry.file, "REGPIN_JSON", line, len);
	if (fclose(entry.file) == 0)
		return buf;
	free(buf);
	return NULL;
}
