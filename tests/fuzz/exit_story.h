/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a story of fuzz_exit is read. Small numbers are counted from '0', so that a story
 * can be written as text: '0' is 0, '1' is 1, 'A' is 17. Lines before the story that
 * begin with '#' are comments; blanks and line breaks within the story are ignored.
 */
#ifndef REGPIN_TESTS_FUZZ_EXIT_STORY_H
#define REGPIN_TESTS_FUZZ_EXIT_STORY_H

#include <stdlib.h>

#include "lib/policy/policy.h"

#define REQUIRE(x)	do { if (!(x)) abort(); } while (0)

#define STORY_REQUEST	0x4b4d5301u

/* The signatures of CPUs: families 6, 6 and 17h, models 3fh, 5eh and 1. */
#define STORY_HASWELL	0x306f2u
#define STORY_SKYLAKE	0x506e3u
#define STORY_ZEN	0x800f12u

void story_begin(const uint8_t *data, size_t size);
bool story_more(void);
uint8_t story_byte(void);
unsigned int story_number(unsigned int end);	/* less than @end */
uint64_t story_value(void);

/* An MSR: usually one that can be written for a guest, or that @policy names. */
uint32_t story_index(const struct regpin_policy *policy);

/* A policy that passes the checks. */
void story_policy(struct regpin_policy *policy);

/* Which of its conditions hold for this CPU? */
uint64_t story_holds(bool amd, unsigned int signature);

#endif
