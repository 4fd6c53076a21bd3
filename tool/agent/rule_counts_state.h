/* SPDX-License-Identifier: GPL-2.0-only */
/* The counters of rules. */
#ifndef REGPIN_TOOL_RULE_COUNTS_STATE_H
#define REGPIN_TOOL_RULE_COUNTS_STATE_H

#include <stdint.h>

#include "lib/policy/policy.h"

/**
 * struct rule_count - how often one rule was violated
 * @stopped: violations that were stopped
 * @passed: violations that were let pass and reported
 * @detected: violations that were found afterwards
 * @last: when the last of these happened, by its event; 0: there was none
 */
struct rule_count {
	uint64_t stopped, passed, detected, last;
};

#define RULE_COUNTS_NUMBERS	16

/**
 * struct rule_counts - the counters of the policy in force, and of one that is being sent
 * @halves: counters by the rows of a struct rule_table, in memory that the standby shares
 * @now: the half for the policy in force
 * @coming: the number of a policy with another text that is being sent: its counters are in
 *	the other half; 0: there is none
 * @numbers: the latest numbers that the text in force had, one for each mode
 * @at: the next place in @numbers
 */
struct rule_counts {
	struct rule_count (*halves)[POLICY_MAX_RULES];
	unsigned int now;
	uint32_t coming;
	uint32_t numbers[RULE_COUNTS_NUMBERS];
	unsigned int at;
};

#endif
