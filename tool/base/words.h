/* SPDX-License-Identifier: GPL-2.0-only */
/* The scalars of policies: words of a fixed set, numbers and times. */
#ifndef REGPIN_TOOL_WORDS_H
#define REGPIN_TOOL_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Text that regpin did not write, for a message: in quotes, printable, and not long. */
struct shown {
	char text[56];
};
struct shown show(const char *text);

#define WORD_ELSEWHERE	(-2)	/* a key that belongs to another map */

/**
 * struct word - one of the words that are valid in some place
 * @text: the word
 * @value: its meaning, or WORD_ELSEWHERE
 */
struct word {
	const char *text;
	int value;
};

/*
 * Levenshtein's distance, without regard to case, with the exchange of neighbours as one
 * step. Words that are too long to be compared are far from all others.
 */
unsigned int word_distance(const char *a, const char *b);

/**
 * struct nearest - the word that is closest to a mistaken one
 * @text: the mistaken word
 * @best: the closest word, NULL if none is close
 * @distance: of @best
 */
struct nearest {
	const char *text, *best;
	unsigned int distance;
};

void nearest_begin(struct nearest *nearest, const char *text);
void nearest_try(struct nearest *nearest, const char *word);

/* "; did you mean 'x'?", or nothing. */
struct hint {
	char text[64];
};
struct hint nearest_hint(const struct nearest *nearest);

/* "a, b or c": the valid words, as far as they fit into @to. */
void words_list(char *to, size_t size, const struct word *words, size_t nr);

#define WORDS_SEVERAL	", |+&"	/* what people write between several words */

/* Writes "LSTAR | STAR" as the intended list, "[LSTAR, STAR]". Returns @to. */
const char *words_as_list(char *to, size_t size, const char *text);

/*
 * Reads @len bytes of @text as a number, decimal or 0x. Returns NULL, or the reason why it is
 * wrong.
 */
const char *number_read(const char *text, size_t len, uint64_t max,
			uint64_t *value);

/*
 * Reads "N" or "N-M" into @first and @last. Returns NULL, or the reason why it is wrong.
 */
const char *range_read(const char *text, uint64_t max, uint64_t *first,
		       uint64_t *last);

#define DURATION_MAX_MS	86400000u	/* a day */

#define DURATION_ZERO	"a time is at least 1ms"

/*
 * Reads a time ("10ms", "2s", "5m", "5min", "1h") as milliseconds, from 0 to a day. It
 * is the one grammar for times in policies, on the command line and in requests. Returns NULL,
 * or the reason why it is wrong.
 */
const char *duration_read(const char *text, uint32_t *ms);

/* "s" for all numbers but 1: "1 rule", "0 rules". */
const char *plural(uint64_t nr);

/* Is @text probably meant as a number or a range? */
bool number_like(const char *text);

#endif
