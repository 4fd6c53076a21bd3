/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A policy in memory: an array of rules, sorted by register. The YAML reader fills it,
 * policy_check() checks it, a blob carries it to the VMM, and the judge reads it. It
 * contains neither pointers nor the policy's text.
 */
#ifndef REGPIN_LIB_POLICY_H
#define REGPIN_LIB_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regpin/regpin.h"

#define POLICY_MAX_RULES	10240
#define POLICY_FEW_RULES	512	/* up to here, lookups by MSR use @slots */
#define POLICY_SLOTS		4096	/* a power of two */
#define POLICY_MAX_REACH	16384	/* a power of two above POLICY_MAX_RULES */
#define POLICY_MAX_SOURCE	256	/* file name, with its NUL */
#define POLICY_MAX_BASES	8	/* policies that one extends, directly or not */

/*
 * The @line of a rule, a condition or a problem holds the number of the text that it
 * stands in, in the bits above the line's number in that text. Text 0 is the policy's
 * own, the others are those of the policies that it extends. Texts are far shorter than
 * 2^24 lines.
 */
#define PLACE_TEXT_SHIFT	24
#define PLACE_TEXT(line)	((line) >> PLACE_TEXT_SHIFT)
#define PLACE_LINE(line)	((line) & ((1u << PLACE_TEXT_SHIFT) - 1))

enum rule_type {
	RULE_STICKY,	/* once 1, may not be cleared */
	RULE_NEVER,	/* may not be set */
	RULE_FROZEN,	/* may not change once the vCPU is armed */
	RULE_REQUIRE,	/* part of the floor: must be 1 when a vCPU is brought online */
	RULE_ONCE,	/* may change until the vCPU's syscall set-up is finished */
	RULE_UNIFORM,	/* must have the value that the first armed vCPU has */
	RULE_DENY,	/* may not be accessed */
	RULE_VALUE,	/* reads return a constant */
	RULE_ALLOW,	/* exempt from the policy's default */
	RULE_REPORT,	/* accesses happen as without the rule, and are reported */
	RULE_DEFAULT,	/* for accesses to MSRs without a rule */
	RULE_UNKNOWN,	/* for accesses to MSRs that KVM does not have */
	RULE_INVALID,	/* for accesses that KVM refuses, to MSRs that it has */
	RULE_TYPE_MAX
};

#define ACCESS_READ	1u
#define ACCESS_WRITE	2u

#define RULE_OPTIONAL	(1u << 0)	/* degraded if the host can't enforce it */
#define RULE_DETECT	(1u << 1)	/* polled: this host can't enforce it */
#define RULE_FLAGS	(RULE_OPTIONAL | RULE_DETECT)
#define RULE_ANSWERS	(1u << 2)	/* reads return @value; only for wide rules */

enum arming {
	ARM_START,		/* from the first instruction */
	ARM_SYSCALL_ENTRY,	/* a vCPU's first non-zero LSTAR */
	ARM_REQUEST,		/* when the guest asks */
	ARM_OPERATOR,		/* when the operator commands it */
	ARM_MAX
};

#define POLICY_ACCEPT_NESTED	(1u << 0)
#define POLICY_ACCEPT_SMM	(1u << 1)
#define POLICY_ACCEPT_S3	(1u << 2)
#define POLICY_FLAGS		(POLICY_ACCEPT_NESTED | POLICY_ACCEPT_SMM | \
				 POLICY_ACCEPT_S3)
/* The result of policy_only_reports() for users of @flags; never set in a policy. */
#define POLICY_ONLY_REPORTS	(1u << 31)

/**
 * struct rule - one rule on one register, or on a range of MSRs
 * @mask: the bits that it is about; all ones for rules on whole registers
 * @value: what reads return, for RULE_VALUE and RULE_ANSWERS; otherwise 0
 * @index: first MSR index, 0 for control registers
 * @count: number of MSRs, 1 for pins. 0 stands for all 2^32 MSRs, in the rules of the
 *	whole policy (rule_is_wide())
 * @line: its line in the policy's text, from 1
 * @column: its column there, from 1
 * @kind: enum regpin_kind
 * @type: enum rule_type
 * @action: enum regpin_action, after `mode: report` has been applied; never
 *	REGPIN_ALLOW. RULE_REPORT has REGPIN_REPORT. RULE_VALUE and RULE_ALLOW cannot be
 *	violated, and have REGPIN_GP. For RULE_UNKNOWN and RULE_INVALID, REGPIN_GP means
 *	the #GP that the guest gets without the rule, and REGPIN_REPORT adds an event
 * @access: the accesses that it judges: ACCESS_READ, ACCESS_WRITE or both. Always reads
 *	for RULE_VALUE, and writes for pins
 * @flags: RULE_*
 * @when: the rule holds only if the condition of this number, from 1, does; 0: always
 */
struct rule {
	uint64_t mask;
	uint64_t value;
	uint32_t index;
	uint32_t count;
	uint32_t line;
	uint32_t column;
	uint8_t kind;
	uint8_t type;
	uint8_t action;
	uint8_t access;
	uint16_t flags;
	uint16_t when;
};

_Static_assert(sizeof(struct rule) == 40, "a rule is part of the blob");

/**
 * struct settings - a policy apart from its rules
 * @request_msr: for ARM_REQUEST: the MSR by whose write the guest asks for its pins; 0:
 *	the guest can only ask by hypercall 13
 * @deadline_ms: how long a vCPU of an armed VM may run with paging and unarmed, in
 *	milliseconds of its own run time; 0: forever
 * @unarmed_ms: the time, in milliseconds, after which an event reports that no vCPU of
 *	the VM is armed; 0: never
 * @detect_ms: the interval of polls if the host can't stop writes, in milliseconds of a
 *	vCPU's own run time; 0: no polls
 * @init_action: on INIT of an armed vCPU: REGPIN_ALLOW, REPORT, PAUSE or STOP
 * @deadline_action: on a missed deadline: REGPIN_REPORT, PAUSE or STOP
 * @detect_action: on a bit that a poll found changed: REGPIN_REPORT, MASK (restore it),
 *	PAUSE or STOP
 * @pad: 0
 */
struct settings {
	uint32_t request_msr;
	uint32_t deadline_ms;
	uint32_t unarmed_ms;
	uint32_t detect_ms;
	uint8_t init_action;
	uint8_t deadline_action;
	uint8_t detect_action;
	uint8_t pad[13];
};

_Static_assert(sizeof(struct settings) == 32, "settings are part of the blob");

#define SETTINGS_DEFAULT						\
	{								\
		.deadline_ms = 2000, .unarmed_ms = 60000,		\
		.detect_ms = 10, .init_action = REGPIN_ALLOW,		\
		.deadline_action = REGPIN_PAUSE,			\
		.detect_action = REGPIN_REPORT,				\
	}

/* Families or models from @first to @last, inclusive. */
struct span {
	uint16_t first, last;
};

#define WHEN_SPANS	8
#define WHEN_VENDOR	12	/* CPUID leaf 0: EBX, EDX, ECX */
#define WHEN_MAX_FAMILY	(0xfu + 0xffu)
#define WHEN_MAX_MODEL	0xffu

/**
 * struct when - the guests for which a rule holds; all parts must match
 * @families: CPU families by CPUID, with the extended family
 * @models: CPU models by CPUID, with the extended model
 * @vendor: as in CPUID leaf 0, without a NUL; all 0 matches any
 * @nr_families: number of @families; 0 matches any
 * @nr_models: number of @models; 0 matches any
 * @pad: 0
 * @line: the line where it was written first, from 1
 * @column: the column there, from 1
 */
struct when {
	struct span families[WHEN_SPANS];
	struct span models[WHEN_SPANS];
	char vendor[WHEN_VENDOR];
	uint8_t nr_families, nr_models;
	uint8_t pad[2];
	uint32_t line, column;
};

_Static_assert(sizeof(struct when) == 88, "a condition is part of the blob");

/* A uint64_t has one bit for each condition: whens_match(). */
#define POLICY_MAX_WHENS	64

/* The rules that writes may violate: rules on bits, or on whole registers. */
#define PINS_BITS	(1u << 0)
#define PINS_UNIFORM	(1u << 1)
#define PINS_ONCE	(1u << 2)
#define PINS_DENY	(1u << 3)	/* any write, by deny or report */

/**
 * struct pins - the writes that one rule forbids, or several rules on the same registers
 * @falls: for PINS_BITS, once armed: bits that may not change from 1 to 0
 * @rises: for PINS_BITS, once armed: bits that may not change from 0 to 1
 * @index: first register
 * @count: number of registers
 * @next: in a policy: the position in @rules of the next rule on other registers
 * @have: PINS_*
 * @speaks: ACCESS_* that the rules exempt from the policy's default: rule_speaks_of()
 * @wants: ACCESS_* that KVM must forward for the rules: rule_wants()
 *
 * A write violates the sum of several rules if it violates one of them.
 */
struct pins {
	uint64_t falls, rises;
	uint32_t index, count;
	uint32_t next;
	uint8_t have;
	uint8_t speaks;
	uint8_t wants;
};

/**
 * struct regpin_policy - a policy
 * @number: the number by which events name the policy: set by the program that hands it
 *	to a VM, otherwise 0
 * @flags: POLICY_*
 * @arming: enum arming
 * @nr_rules: number of @rules
 * @nr_whens: number of @whens
 * @settings: the policy apart from its rules
 * @source: the name of its file, NUL-terminated
 * @bases: the names of the files that it extends, in the order of their numbers; the
 *	entries after them are empty
 * @whens: the conditions to which the rules' @when refer
 * @sorted: policy_sort() has run, and policy_add() has not run since. This member and
 *	all that follow, except @rules, are not part of the blob
 * @requires: if @sorted, whether there is a rule of the type RULE_REQUIRE
 * @kinds: the position in @rules of the first rule of each kind; after the last kind, the
 *	position of the first wide rule, in two entries
 * @reach_half: half of the number of valid entries of @reach; a power of two
 * @reach: for each position in @rules, the last MSR that is covered by the rules up to
 *	there. It never decreases, because a rule's range may contain that of a later
 *	rule. Entries after the last rule on MSRs are UINT32_MAX
 * @slots: if there are at most POLICY_FEW_RULES rules on MSRs: for each policy_slot(),
 *	the position of the first rule that covers an MSR with this slot
 * @pins: for each position in @rules, the pins of this rule and of the rules after it
 *	on the very same registers
 * @rules: if @sorted, ordered by register, with the rules of the whole policy last;
 *	entries from @nr_rules on are undefined
 */
struct regpin_policy {
	uint32_t number;
	uint32_t flags;
	uint32_t arming;
	uint32_t nr_rules;
	uint32_t nr_whens;
	struct settings settings;
	char source[POLICY_MAX_SOURCE];
	char bases[POLICY_MAX_BASES][POLICY_MAX_SOURCE];
	struct when whens[POLICY_MAX_WHENS];
	bool sorted, requires;
	uint32_t kinds[REGPIN_KIND_MAX + 2];
	uint32_t reach_half;
	uint32_t reach[POLICY_MAX_REACH];
	uint16_t slots[POLICY_SLOTS];
	struct pins pins[POLICY_MAX_RULES];
	struct rule rules[POLICY_MAX_RULES];
};

/**
 * struct problem - one thing that is wrong with a policy
 * @line: its line, from 1; 0 if the problem concerns the whole policy
 * @column: its column, from 1; 0 if @line is 0
 * @warning: the policy can be used nevertheless
 * @text: what is wrong, and what to do about it
 */
struct problem {
	uint32_t line, column;
	bool warning;
	char text[640];
};

/* The problems of one policy, in the order in which they were found. */
#define MAX_PROBLEMS	100
struct problems {
	unsigned int nr, errors;
	bool overflow;		/* there were more than MAX_PROBLEMS */
	bool no_memory;		/* the policy was not read to its end */
	struct problem list[MAX_PROBLEMS];
};

/* An empty list, owned by the caller until problems_free(), or NULL: no memory. */
struct problems *problems_new(void);
void problems_free(struct problems *problems);

/* Adds a problem, unless the list has the same one already. */
void __attribute__((format(printf, 5, 6), nonnull(1, 5)))
problem_add(struct problems *problems, bool warning, uint32_t line,
	    uint32_t column, const char *format, ...);
/* Adds that there is no memory to read the policy, which may be right. */
void problem_no_memory(struct problems *problems);
#define problem_error(p, line, col, ...) \
	problem_add(p, false, line, col, __VA_ARGS__)
#define problem_warning(p, line, col, ...) \
	problem_add(p, true, line, col, __VA_ARGS__)

/* The name of the file that a @line of @policy is in. */
const char *policy_file_name(const struct regpin_policy *policy, uint32_t line);

#define PLACE_MAX	(POLICY_MAX_SOURCE + 24)	/* room for a place */

/* "FILE:LINE:COLUMN". Returns @to. */
const char *policy_place(char to[PLACE_MAX], const struct regpin_policy *policy,
			 uint32_t line, uint32_t column);

/*
 * The same without FILE if that is also the file of @near, for messages that begin with the
 * place of @near.
 */
const char *policy_near_place(char to[PLACE_MAX], const struct regpin_policy *policy,
			      uint32_t near, uint32_t line, uint32_t column);

extern const char *const rule_type_names[RULE_TYPE_MAX];
extern const char *const regpin_action_names[REGPIN_ACTION_MAX];
extern const char *const regpin_kind_names[REGPIN_KIND_MAX];

/* Appends a copy of @rule. Returns 0, or -E2BIG if the policy is full. */
int policy_add(struct regpin_policy *policy, const struct rule *rule);

/*
 * Makes @to the same as @from. It reads and writes only the entries that are in use: most
 * entries never are, and pages that are never touched take no memory.
 */
void policy_copy(struct regpin_policy *to, const struct regpin_policy *from);

/* The first rule that covers the register @kind, @index for @access (ACCESS_*), or NULL. */
const struct rule *policy_rule_on(const struct regpin_policy *policy,
				  unsigned int kind, uint32_t index,
				  unsigned int access);

/*
 * The positions in @rules of the rules that may cover a register, from @first to before
 * @end. The rules that do may end earlier: at the first for which rule_is_after() is true.
 */
struct rule_range {
	uint32_t first, end;
};

/*
 * The slot of an MSR. Most MSRs that policies name do not share a slot: the low MSRs
 * have low slots, and AMD's from 0xc0000000 and 0xc0010000 on have slots from 0x300 on. No
 * low MSR has a slot of EFER or of the syscall MSRs (0x380-0x384).
 */
static inline uint32_t policy_slot(uint32_t index)
{
	return (index ^ index >> 22) % POLICY_SLOTS;
}

/*
 * The range of the rules that may cover a register; all of them if the policy is not
 * sorted. Inline, because each exit calls it.
 */
static inline struct rule_range policy_range(const struct regpin_policy *policy,
					     unsigned int kind, uint32_t index)
{
	struct rule_range range = { 0, policy->nr_rules };
	const uint32_t *at = policy->reach;

	if (!policy->sorted)
		return range;
	if (kind != REGPIN_MSR) {
		kind = kind < REGPIN_KIND_MAX ? kind : REGPIN_KIND_MAX;
		range.first = policy->kinds[kind];
		range.end = policy->kinds[kind + 1];
		return range;
	}
	range.end = policy->kinds[REGPIN_MSR + 1];
	if (range.end <= POLICY_FEW_RULES) {
		range.first = policy->slots[policy_slot(index)];
		return range;
	}
	/* A binary search without branches: no CPU could predict them. */
	for (uint32_t half = policy->reach_half; half; half /= 2)
		at += at[half - 1] < index ? half : 0;
	range.first = (uint32_t)(at - policy->reach);
	return range;
}

/* Can there be a rule of the whole policy, such as its default? */
static inline bool policy_may_be_wide(const struct regpin_policy *policy)
{
	return !policy->sorted ||
	       policy->kinds[REGPIN_KIND_MAX] < policy->nr_rules;
}

/* Can there be a rule of the type RULE_REQUIRE? */
static inline bool policy_may_require(const struct regpin_policy *policy)
{
	return !policy->sorted || policy->requires;
}

/*
 * Do all rules of @policy leave accesses as they would be without regpin? `unknown` and
 * `invalid` don't count: they only replace a #GP, so they protect nothing.
 */
bool policy_rules_only_report(const struct regpin_policy *policy);

/* Does the policy have a rule that only holds once a vCPU is armed? */
bool policy_has_pins(const struct regpin_policy *policy);

/*
 * Can the settings, apart from the rules, hold a vCPU or stop the VM? `init` can, and so
 * can the deadline, but only if there are pins: without pins nothing has to be set up in
 * time. (With `arming: start` the deadline still counts, for a vCPU that is late with its
 * set-up.) The reaction of `detect` does not count, because it replaces the action of a
 * rule, and never that of `report`. Nor does `request`: the write by which a guest asks
 * has no other effect in any policy.
 */
bool policy_settings_act(const struct regpin_policy *policy);

/* Does @policy only report? Then an access that passes no filter can undermine nothing. */
bool policy_only_reports(const struct regpin_policy *policy);

/* The policy's only rule of @type, a type for which rule_is_wide() is true, or NULL. */
const struct rule *policy_wide(const struct regpin_policy *policy,
			       enum rule_type type);

/*
 * enum rule_type is ordered: rules on bits, on other values, on accesses whatever the
 * value, and of the whole policy. Only the functions rule_type_is_*() rely on the order.
 */
_Static_assert(RULE_REQUIRE < RULE_ONCE && RULE_UNIFORM < RULE_DENY &&
	       RULE_REPORT < RULE_DEFAULT, "bits, values, accesses, whole policies");

/* Is the type about bits: sticky, never, frozen, require? */
static inline bool rule_type_is_on_bits(unsigned int type)
{
	return type <= RULE_REQUIRE;
}

/* Is the type about the value of a register: on bits, once, uniform? */
static inline bool rule_type_is_on_values(unsigned int type)
{
	return type < RULE_DENY;
}

static inline bool rule_is_on_values(const struct rule *rule)
{
	return rule_type_is_on_values(rule->type);
}

/*
 * Does the rule only hold once a vCPU is armed? Reports of writes to control registers
 * are among these, because the CR filter is not installed earlier.
 */
static inline bool rule_is_pin(const struct rule *rule)
{
	return rule_is_on_values(rule) ||
	       (rule->type == RULE_REPORT && rule->kind != REGPIN_MSR);
}

/* Is it a rule of the whole policy, and not of a register? */
static inline bool rule_type_is_wide(unsigned int type)
{
	return type >= RULE_DEFAULT;
}

static inline bool rule_is_wide(const struct rule *rule)
{
	return rule_type_is_wide(rule->type);
}

/*
 * The accesses, ACCESS_*, that @rule exempts from the policy's default: for pins all,
 * because they allow reads and judge writes.
 */
static inline unsigned int rule_speaks_of(const struct rule *rule)
{
	return rule_is_on_values(rule) ? ACCESS_READ | ACCESS_WRITE :
					 rule->access;
}

/* The accesses, ACCESS_*, that KVM must forward to userspace for @rule. */
static inline unsigned int rule_wants(const struct rule *rule)
{
	return rule->type == RULE_ALLOW ? 0 : rule->access;
}

/* KVM never filters the x2APIC's MSRs (api.rst, "KVM_X86_SET_MSR_FILTER"). */
#define MSR_X2APIC	0x800u
#define MSR_X2APIC_NR	0x100u
static inline bool is_x2apic(uint32_t index)
{
	return index - MSR_X2APIC < MSR_X2APIC_NR;
}

/* Does @rule name this register? A wide rule names none. */
static inline bool rule_covers(const struct rule *rule, unsigned int kind,
			       uint32_t index)
{
	return rule->kind == kind && index - rule->index < rule->count;
}

/* Do @rule, and all rules after it in policy_range(), name other MSRs than @index? */
static inline bool rule_is_after(const struct regpin_policy *policy,
				 const struct rule *rule, uint32_t index)
{
	return policy->sorted && rule->index > index;
}

#endif
