// SPDX-License-Identifier: GPL-2.0-only
/* A policy's text in the form in which it is kept. */
#include <stdio.h>
#include <string.h>

#include "policy_kept.h"
#include "policy_text.h"

#define HEAD		"--- # regpin policy "
#define HASH_LEN	(POLICY_HASH_MAX - 1)

size_t kept_head(char head[KEPT_HEAD_MAX], const char *hash, const char *name)
{
	char source[POLICY_MAX_SOURCE];

	policy_source(source, name);
	return (size_t)snprintf(head, KEPT_HEAD_MAX, HEAD "%s %s\n", hash, source);
}

bool kept_is(const char *file, size_t size)
{
	return size >= strlen(HEAD) && !memcmp(file, HEAD, strlen(HEAD));
}

/* Reads the first line. Returns the byte after it, or NULL if it has another form. */
static const char *read_head(struct kept *kept, const char *file, size_t size)
{
	const char *at = file + strlen(HEAD), *end = memchr(file, '\n', size);
	char source[POLICY_MAX_SOURCE];
	size_t len;

	if (!kept_is(file, size) || !end || end - at < (ptrdiff_t)HASH_LEN + 2 ||
	    at[HASH_LEN] != ' ')
		return NULL;
	memcpy(kept->hash, at, HASH_LEN);
	kept->hash[HASH_LEN] = 0;
	at += HASH_LEN + 1;
	len = (size_t)(end - at);
	if (len >= sizeof(kept->name) || memchr(at, 0, len))
		return NULL;
	memcpy(kept->name, at, len);
	kept->name[len] = 0;
	/* A name that is written differently was not written by kept_head(). */
	policy_source(source, kept->name);
	return strcmp(source, kept->name) ? NULL : end + 1;
}

const char *kept_read(struct kept *kept, const char *file, size_t size)
{
	char hash[POLICY_HASH_MAX];

	kept->text = read_head(kept, file, size);
	if (!kept->text)
		return "its first line is not '" HEAD "HASH NAME'";
	kept->size = (size_t)(file + size - kept->text);
	if (strcmp(policy_hash(hash, kept->text, kept->size), kept->hash) != 0)
		return "its text is not the one whose hash is in its first line: it was changed";
	return NULL;
}
