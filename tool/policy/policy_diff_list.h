/* SPDX-License-Identifier: GPL-2.0-only */
/* The differences of two policies. */
#ifndef REGPIN_TOOL_POLICY_DIFF_LIST_H
#define REGPIN_TOOL_POLICY_DIFF_LIST_H

#include <stdint.h>

#include "lib/policy/policy.h"

enum diff_class {
	DIFF_LOOSENS,	/* something is stopped no more, or by less */
	DIFF_TIGHTENS,
	DIFF_CHANGES,	/* as much is stopped, in another way */
	DIFF_CLASS_MAX
};

/* What a change is about: first a guest's accesses, then what stands beside the rules. */
enum diff_what {
	DIFF_CLEAR,		/* clearing bits: sticky, frozen */
	DIFF_SET,		/* setting bits: never, frozen */
	DIFF_REQUIRE,		/* coming up without bits */
	DIFF_ONCE,		/* a second set-up */
	DIFF_UNIFORM,		/* a value of the vCPU's own */
	DIFF_READ,		/* reading: deny */
	DIFF_WRITE,		/* writing: deny */
	DIFF_VALUE,		/* what reads answer */
	DIFF_DEFAULT_READ,	/* of MSRs that no rule speaks of */
	DIFF_DEFAULT_WRITE,
	DIFF_UNKNOWN,		/* accesses that KVM does not know */
	DIFF_INVALID,		/* or refuses */
	DIFF_ARMING,
	DIFF_REQUEST_MSR,
	DIFF_NESTED,
	DIFF_SMM,
	DIFF_S3,
	DIFF_DEADLINE,
	DIFF_DEADLINE_ACTION,
	DIFF_DETECT,
	DIFF_DETECT_ACTION,
	DIFF_INIT_ACTION,
	DIFF_UNARMED,
	DIFF_WHAT_MAX
};

/* In the upper bit of a change's @from and @to: only seen, afterwards. */
#define DIFF_DETECTED	0x80u

/* Likewise, of DIFF_UNKNOWN and DIFF_INVALID: reads answer a number. */
#define DIFF_ANSWERS	0x40u

/**
 * struct policy_change - one difference
 * @bits: which bits, for DIFF_CLEAR, SET and REQUIRE
 * @from_value: for DIFF_VALUE, UNKNOWN and INVALID the constant; for what stands beside the rules the
 *	number that stands there
 * @to_value: likewise in the new policy
 * @index: first MSR
 * @count: number of MSRs, 0 where no register is meant
 * @class: enum diff_class
 * @what: enum diff_what
 * @kind: enum regpin_kind
 * @from: what the old policy does about it: 0 nothing, else enum regpin_action,
 *	with DIFF_DETECTED
 * @to: likewise the new one
 * @when: for which guests; all that is 0: for all
 */
struct policy_change {
	uint64_t bits;
	uint64_t from_value, to_value;
	uint32_t index, count;
	uint8_t class, what, kind, from, to;
	struct when when;
};

/**
 * struct policy_diff - all differences
 * @nr: how many are in @list
 * @room: how many fit into it
 * @err: 0, or -ENOMEM: a difference is missing from @list
 * @counts: how many there are of each class
 * @list: every difference, those that loosen first, then those that tighten; within a
 *	class in the order of registers. Allocated
 */
struct policy_diff {
	unsigned int nr, room;
	int err;
	unsigned int counts[DIFF_CLASS_MAX];
	struct policy_change *list;
};

/* How much an effect stops: the more, the higher. */
unsigned int diff_level(uint8_t effect);

/* By two of these. */
enum diff_class diff_classify(unsigned int from, unsigned int to);

/* Adds @change, or joins it to one that it continues. */
void diff_add(struct policy_diff *diff, const struct policy_change *change);

void policy_diff_free(struct policy_diff *diff);

#endif
