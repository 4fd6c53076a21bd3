/* SPDX-License-Identifier: GPL-2.0-only */
/* The differences of two policies. */
#ifndef REGPIN_TOOL_POLICY_DIFF_LIST_H
#define REGPIN_TOOL_POLICY_DIFF_LIST_H

#include <stdint.h>

#include "lib/policy/policy.h"

enum diff_class {
	DIFF_LOOSENS,	/* an access is no longer stopped, or less strongly */
	DIFF_TIGHTENS,
	DIFF_CHANGES,	/* the same is stopped in another way */
	DIFF_CLASS_MAX
};

/* The subject of a change: first accesses of a guest, then settings of the policy. */
enum diff_what {
	DIFF_CLEAR,		/* clearing bits: sticky, frozen */
	DIFF_SET,		/* setting bits: never, frozen */
	DIFF_REQUIRE,		/* starting without bits */
	DIFF_ONCE,		/* a second set-up */
	DIFF_UNIFORM,		/* a value that differs between vCPUs */
	DIFF_READ,		/* reading: deny */
	DIFF_WRITE,		/* writing: deny */
	DIFF_VALUE,		/* the value that reads return */
	DIFF_DEFAULT_READ,	/* reading MSRs without a rule */
	DIFF_DEFAULT_WRITE,
	DIFF_UNKNOWN,		/* accesses to MSRs that KVM does not know */
	DIFF_INVALID,		/* accesses that KVM refuses */
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

/* A flag in a change's @from and @to: the violation is only detected afterwards. */
#define DIFF_DETECTED	0x80u

/* A flag in @from and @to, for DIFF_UNKNOWN and DIFF_INVALID: reads return a number. */
#define DIFF_ANSWERS	0x40u

/**
 * struct policy_change - one difference
 * @bits: the bits, for DIFF_CLEAR, SET and REQUIRE
 * @from_value: in the old policy: the constant, for DIFF_VALUE, UNKNOWN and INVALID; the
 *	number, for settings
 * @to_value: the same in the new policy
 * @index: first MSR
 * @count: number of MSRs, 0 if the change is not about a register
 * @class: enum diff_class
 * @what: enum diff_what
 * @kind: enum regpin_kind
 * @from: the effect of the old policy: 0 for none, otherwise enum regpin_action, perhaps
 *	with DIFF_DETECTED
 * @to: the effect of the new policy
 * @when: the guests for which both differ; all 0: all guests
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
 * @nr: number of changes in @list
 * @room: number of changes that @list has room for
 * @err: 0, or -ENOMEM: a change is missing from @list
 * @counts: number of changes of each class
 * @list: all changes: those that loosen, then those that tighten, then others; within a
 *	class in the order of registers. Allocated
 */
struct policy_diff {
	unsigned int nr, room;
	int err;
	unsigned int counts[DIFF_CLASS_MAX];
	struct policy_change *list;
};

/* The strength of an effect: the more it stops, the higher. */
unsigned int diff_level(uint8_t effect);

/* The class of a change between two such strengths. */
enum diff_class diff_classify(unsigned int from, unsigned int to);

/* Adds @change, or joins it to a change that it continues. */
void diff_add(struct policy_diff *diff, const struct policy_change *change);

void policy_diff_free(struct policy_diff *diff);

#endif
