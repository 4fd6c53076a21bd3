/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The keys that all lines of an agent have in common. They stand at the end of a line, so
 * that the line begins with the keys of its own event. Members that do not change from line
 * to line are written once, as JSON, and copied.
 */
#ifndef REGPIN_TOOL_EVENT_TAIL_H
#define REGPIN_TOOL_EVENT_TAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The "version" of each line: it rises when a key is removed or changes its meaning. */
#define EVENT_VERSION	1

/* Room for the parts of a tail, each with its NUL. */
#define ORIGIN_MAX	1024
#define POLICY_KEYS_MAX	768
#define POLICY_WHOLE_MAX	2048

/**
 * struct event_rules - how many rules of a policy have which effective mode
 * @enforced: are enforced
 * @detected: are detected
 * @report: are reported
 * @left_out: are left out
 */
struct event_rules {
	unsigned int enforced, detected, report, left_out;
};

/**
 * struct event_policy - a policy, as lines name it
 * @number: its number; 0: none
 * @keys: its name and the beginning of its hash, as members of an object
 * @whole: its file, its whole hash, its mode and the numbers of its rules as well
 */
struct event_policy {
	uint32_t number;
	char keys[POLICY_KEYS_MAX];
	char whole[POLICY_WHOLE_MAX];
};

/**
 * struct event_tail - the tail of one line
 * @seq: the number of the line
 * @hold: the number of the line of the event that held the vCPU, or 0
 * @origin: which VM, host and process, see event_origin()
 * @policy: the policy that the line is about; NULL: it is not known
 * @whole: the line has all of @policy
 * @timed: an answer that was given because a time was over
 */
struct event_tail {
	uint64_t seq, hold;
	const char *origin;
	const struct event_policy *policy;
	bool whole, timed;
};

/* Writes the members "name", "host" and "vmm_pid". */
void event_origin(char origin[ORIGIN_MAX], const char *name, const char *host,
		  uint32_t vmm_pid);

/*
 * Fills in all but the number. @file is what the user calls the policy's file, and its last
 * part without ".yaml" is the policy's name; @hash is of policy_hash(). If @mode is NULL, so is
 * @rules, and @whole is short.
 */
void event_policy_init(struct event_policy *policy, const char *file,
		       const char *hash, const char *mode,
		       const struct event_rules *rules);

/*
 * Adds @tail to the line of @len bytes in @buf, which has EVENT_LINE_MAX bytes and ends
 * with "}\n". Returns the line's length. A part without room is left out; @seq always fits.
 */
size_t event_add_tail(char *buf, size_t len, const struct event_tail *tail);

#endif
