// SPDX-License-Identifier: GPL-2.0-only
/* The bases that a policy had when it was last started. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/printable.h"
#include "policy_diff.h"
#include "policy_kept.h"
#include "policy_text.h"
#include "store.h"
#include "store_find.h"
#include "store_start.h"

/*
 * A file of text: a line with the hash of the whole policy, a line with that of its own text,
 * and for each base a line "HASH NAME PATH".
 */
#define START_MAX	((size_t)(POLICY_MAX_BASES + 2u) * (POLICY_HASH_MAX + POLICY_NAME_MAX + \
						    POLICY_MAX_SOURCE + 2u))

void store_start_name(char file[STORE_START_NAME], const char *path,
		      const struct policy_written *written)
{
	char real[PATH_MAX], hash[POLICY_HASH_MAX];
	struct stat st;

	*file = 0;
	if (!strcmp(path, "-") || store_is_name(path) ||
	    !bundle_has_line(written->text, written->size) || !realpath(written->name, real) ||
	    stat(real, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	snprintf(file, STORE_START_NAME, STORE_START "%s", policy_hash(hash, real, strlen(real)));
}

/* The hash of a base's file. bundle_fill() adds a line feed to each text but the last. */
static const char *part_hash(char hash[POLICY_HASH_MAX], const struct bundle *bundle,
			     unsigned int n)
{
	return policy_hash(hash, bundle->parts[n].text,
			   bundle->parts[n].size - (n + 1 < bundle->nr));
}

static size_t start_text(char to[START_MAX], const struct policy_written *written,
			 const struct bundle *bundle)
{
	char hash[POLICY_HASH_MAX];
	size_t len;

	len = (size_t)snprintf(to, START_MAX, "%s\n", written->hash);
	for (unsigned int i = 0; i < bundle->nr; i++) {
		const struct bundle_part *part = &bundle->parts[i];

		part_hash(hash, bundle, i);
		len += (size_t)snprintf(to + len, START_MAX - len, "%s%s%s%s%s\n", hash,
					i ? " " : "", part->name, i ? " " : "", part->path);
	}
	return len;
}

/**
 * struct last - the record of the last start
 * @file: the file's name
 * @text: its lines
 */
struct last {
	const char *file;
	char *text;
};

static bool load(void *context, const struct store_folder *folder)
{
	struct last *last = context;
	ssize_t size;

	/* Root's starts are root's alone: another user could invent a record of one. */
	if (folder->owner != geteuid())
		return false;
	size = store_folder_read(folder, last->file, START_MAX, &last->text);

	if (size < 0) {
		last->text = NULL;
		return false;
	}
	last->text[size] = 0;
	return true;
}

/* Takes the next line from *@at; NULL after the last one. */
static char *next_line(char **at)
{
	char *line = *at, *end = strchr(line, '\n');

	if (!end)
		return NULL;
	*end = 0;
	*at = end + 1;
	return line;
}

/* Copies the next word of *@at, and moves past it. Returns false if it is too long. */
static bool take_word(const char **at, char *to, size_t size, const char *ends)
{
	size_t len = strcspn(*at, ends);

	if (!len || len >= size)
		return false;
	memcpy(to, *at, len);
	to[len] = 0;
	*at += len + !!(*at)[len];
	return true;
}

/*
 * Compares the line of a base with its present text. Returns false if the line is wrong, or is
 * about another base.
 */
static bool compare_base(const char *line, const struct bundle *bundle, unsigned int n,
			 struct base_change *change)
{
	const struct bundle_part *part = &bundle->parts[n];
	char name[POLICY_NAME_MAX], path[POLICY_MAX_SOURCE];
	char old[POLICY_HASH_MAX], new[POLICY_HASH_MAX];

	if (!take_word(&line, old, sizeof(old), " ") ||
	    !take_word(&line, name, sizeof(name), " ") ||
	    !take_word(&line, path, sizeof(path), "") || strcmp(name, part->name) != 0)
		return false;
	if (!strcmp(old, part_hash(new, bundle, n)) &&
	    !strcmp(path, part->path))
		return true;
	if (change->name[0]) {
		change->others++;
		return true;
	}
	memcpy(change->name, name, sizeof(name));
	memcpy(change->path, part->path, sizeof(change->path));
	memcpy(change->old_path, path, sizeof(path));
	memcpy(change->old_hash, old, sizeof(old));
	memcpy(change->new_hash, new, sizeof(new));
	return true;
}

/* The differences, if the text of the last start is still kept. */
static void count(const struct store_folder *only, const char *hash,
		  const struct policy_written *written, struct base_change *change)
{
	struct regpin_policy *old = calloc(1, sizeof(*old)), *new = calloc(1, sizeof(*new));
	struct problems *problems = calloc(1, sizeof(*problems));
	struct policy_diff diff = { .nr = 0 };
	char error[STORE_ERROR_MAX];
	struct kept kept;
	char *file = NULL;

	if (old && new && problems && !store_find(only, hash, &kept, &file, error) &&
	    !policy_text_read(kept.name, kept.text, kept.size, old, problems) &&
	    !policy_text_read(written->name, written->text, written->size, new, problems) &&
	    !policy_diff(old, new, &diff)) {
		change->counted = true;
		memcpy(change->counts, diff.counts, sizeof(change->counts));
	}
	policy_diff_free(&diff);
	free(file);
	free(problems);
	free(new);
	free(old);
}

void store_start_compare(const struct store_folder *only, const char *file,
			 const struct policy_written *written, struct base_change *change)
{
	struct last last = { .file = file };
	const char *hash, *own, *line;
	char now[POLICY_HASH_MAX];
	struct bundle bundle;
	unsigned int n = 1;
	char *at;

	*change = (struct base_change){ .counted = false };
	if (*file)
		store_folder_each(only, load, &last);
	if (!last.text)
		return;
	bundle_split(&bundle, written->text, written->size);
	at = last.text;
	hash = next_line(&at);
	own = hash ? next_line(&at) : NULL;
	part_hash(now, &bundle, 0);
	if (own && strcmp(hash, written->hash) != 0 && !strcmp(own, now)) {
		while (n < bundle.nr && (line = next_line(&at)) &&
		       compare_base(line, &bundle, n, change))
			n++;
		if (change->name[0])
			count(only, hash, written, change);
	}
	free(last.text);
}

int store_start_record(struct store *store, const char *file,
		       const struct policy_written *written, char error[STORE_ERROR_MAX])
{
	char text[START_MAX];
	struct bundle bundle;

	if (!*file)
		return 0;
	bundle_split(&bundle, written->text, written->size);
	return store_write(store, file, text, start_text(text, written, &bundle), "", 0, error);
}

const char *base_change_text(char to[BASE_CHANGE_TEXT], const struct base_change *change)
{
	char others[64] = "", differs[128];

	if (change->others)
		snprintf(others, sizeof(others), ", and %u more of its bases%s", change->others,
			 change->others == 1 ? " has" : " have");
	if (change->counted)
		snprintf(differs, sizeof(differs), "loosens %u, tightens %u, changes %u",
			 change->counts[DIFF_LOOSENS], change->counts[DIFF_TIGHTENS],
			 change->counts[DIFF_CHANGES]);
	else
		snprintf(differs, sizeof(differs),
			 "the text of that start is no longer in the store, so the differences are not known");
	snprintf(to, BASE_CHANGE_TEXT, "the base %s (%s) has changed since the policy was last started%s: %s",
		 printable(change->name), printable(change->path), others, differs);
	return to;
}
