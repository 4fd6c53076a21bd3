/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A policy in memory: an array of rules, sorted by register. The front end
 * fills it, policy_check() says what is wrong with it, the blob carries it, the
 * judge reads it. It has no pointers and no policy text in it.
 */
#ifndef REGPIN_LIB_POLICY_H
#define REGPIN_LIB_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regpin/regpin.h"

#define POLICY_MAX_RULES	10240
#define POLICY_FEW_RULES	512
#define POLICY_SLOTS		4096	/* a power of two */
#define POLICY_MAX_REACH	16384	/* a power of two, and more than that */
#define POLICY_MAX_SOURCE	256	/* file name, with its NUL */

enum rule_type {
	RULE_STICKY,	/* once 1, may not be cleared */
	RULE_NEVER,	/* may not be set */
	RULE_FROZEN,	/* may not change once the vCPU is armed */
	RULE_REQUIRE,	/* part of the floor: must be 1 when a vCPU comes up */
	RULE_ONCE,	/* open until the vCPU's syscall set-up is done */
	RULE_UNIFORM,	/* the value that the first armed vCPU has */
	RULE_DENY,	/* no access at all */
	RULE_VALUE,	/* reads answer a constant */
	RULE_ALLOW,	/* what the policy's default does not hold for */
	RULE_REPORT,	/* accesses happen as without it, and are events */
	RULE_DEFAULT,	/* accesses to MSRs that no rule speaks of */
	RULE_UNKNOWN,	/* accesses to MSRs that KVM does not know */
	RULE_INVALID,	/* accesses that KVM refuses, to MSRs that it knows */
	RULE_TYPE_MAX
};

#define ACCESS_READ	1u
#define ACCESS_WRITE	2u

#define RULE_OPTIONAL	(1u << 0)	/* degrade where the host can't */
#define RULE_DETECT	(1u << 1)	/* this host can only look, not stop */
#define RULE_FLAGS	(RULE_OPTIONAL | RULE_DETECT)
#define RULE_ANSWERS	(1u << 2)	/* reads answer @value; of a wide rule */

enum arming {
	ARM_START,		/* from the first instruction */
	ARM_SYSCALL_ENTRY,	/* a vCPU's first non-zero LSTAR */
	ARM_REQUEST,		/* when the guest asks */
	ARM_OPERATOR,		/* when the operator says so */
	ARM_MAX
};

#define POLICY_ACCEPT_NESTED	(1u << 0)
#define POLICY_ACCEPT_SMM	(1u << 1)
#define POLICY_ACCEPT_S3	(1u << 2)
#define POLICY_FLAGS		(POLICY_ACCEPT_NESTED | POLICY_ACCEPT_SMM | \
				 POLICY_ACCEPT_S3)
#define POLICY_ONLY_REPORTS	(1u << 31)	/* policy_only_reports(); of no policy */

/**
 * struct rule - one rule on one register, or on a range of MSRs
 * @mask: the bits it speaks of; all ones for rules on whole registers
 * @value: what reads answer, RULE_VALUE and RULE_ANSWERS only, else 0
 * @index: first MSR index, 0 for control registers
 * @count: number of MSRs, 1 for pins. The rules of the whole policy (rule_is_wide())
 *	speak of all 2^32, which is 0
 * @line: where it was written, from 1
 * @column: likewise
 * @kind: enum regpin_kind
 * @type: enum rule_type
 * @action: enum regpin_action, after `mode: report` has been applied; never
 *	REGPIN_ALLOW; RULE_VALUE and RULE_ALLOW have no violations, and REGPIN_GP
 *	here; RULE_REPORT has REGPIN_REPORT. RULE_UNKNOWN and RULE_INVALID: REGPIN_GP is as without the rule,
 *	REGPIN_REPORT is that and an event
 * @access: ACCESS_READ and ACCESS_WRITE; RULE_VALUE looks at reads, pins at writes,
 *	all others at what is said
 * @flags: RULE_*
 * @when: holds only where the condition of this number, from 1, does; 0: always
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
 * struct settings - what a policy says beside its rules
 * @request_msr: ARM_REQUEST: a guest's write to this MSR asks; 0: none does, and
 *	only hypercall 13 asks
 * @deadline_ms: how long a vCPU of an armed VM may run with paging and unarmed, in
 *	its own run time; 0: for ever
 * @unarmed_ms: after this a VM without an armed vCPU is an event; 0: never
 * @detect_ms: how often registers are looked at where the host can't stop writes,
 *	in a vCPU's own run time; 0: never
 * @init_action: on INIT of an armed vCPU: REGPIN_ALLOW, REPORT, PAUSE or STOP
 * @deadline_action: on a missed deadline: REGPIN_REPORT, PAUSE or STOP
 * @detect_action: on a bit that was found changed: REGPIN_REPORT, MASK (restore it),
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

/* Families or models, from one to the other. */
struct span {
	uint16_t first, last;
};

#define WHEN_SPANS	8
#define WHEN_VENDOR	12	/* CPUID leaf 0: EBX, EDX, ECX */
#define WHEN_MAX_FAMILY	(0xfu + 0xffu)
#define WHEN_MAX_MODEL	0xffu

/**
 * struct when - for which guests a rule holds; all that is given must be so
 * @families: as CPUID says it, with the extended family
 * @models: likewise
 * @vendor: without a NUL; all 0 if any will do
 * @nr_families: 0 if any will do
 * @nr_models: likewise
 * @pad: 0
 * @line: where it was written first, from 1
 * @column: likewise
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

/* So that those that hold for a guest are the bits of a number. */
#define POLICY_MAX_WHENS	64

/* What writes may violate: rules on bits, or on whole registers. */
#define PINS_BITS	(1u << 0)
#define PINS_UNIFORM	(1u << 1)
#define PINS_ONCE	(1u << 2)
#define PINS_DENY	(1u << 3)	/* any write, by deny or report */

/**
 * struct pins - what a rule has against writes; or several on the same registers: a
 *	write violates these if it violates one of them
 * @falls: PINS_BITS, armed: bits that may not go from 1 to 0
 * @rises: likewise, from 0 to 1
 * @index: first register
 * @count: number of registers
 * @next: in a policy: where in its rules the next ones on other registers stand
 * @have: PINS_*
 * @speaks: accesses that the policy's default does not hold for: rule_speaks_of()
 */
struct pins {
	uint64_t falls, rises;
	uint32_t index, count;
	uint32_t next;
	uint8_t have;
	uint8_t speaks;
};

/**
 * struct regpin_policy - a policy
 * @number: by which events name it: given by whatever hands it to a VM, or 0
 * @flags: POLICY_*
 * @arming: enum arming
 * @nr_rules: number of @rules
 * @nr_whens: number of @whens
 * @settings: what it says beside its rules
 * @source: its file's name
 * @whens: what rules' @when refer to
 * @sorted: policy_sort() was here, and policy_add() not since. This, and all up to
 *	@rules, is not part of the blob
 * @kinds: where in @rules those of each kind begin; of kinds that there aren't, none
 * @reach_half: half of how much of @reach is filled in, which is a power of two
 * @reach: the last MSR that the rules up to this one reach; it never falls, as ranges
 *	of rules may contain others. What is behind the rules reaches beyond all
 * @slots: where there are few rules on MSRs, the first one of them that speaks of an MSR
 *	of this policy_slot()
 * @pins: of this rule and of those behind it that speak of the very same registers
 * @rules: by register if @sorted, and those of the whole policy last; what is behind
 *	@nr_rules means nothing
 */
struct regpin_policy {
	uint32_t number;
	uint32_t flags;
	uint32_t arming;
	uint32_t nr_rules;
	uint32_t nr_whens;
	struct settings settings;
	char source[POLICY_MAX_SOURCE];
	struct when whens[POLICY_MAX_WHENS];
	bool sorted;
	uint32_t kinds[REGPIN_KIND_MAX + 2];
	uint32_t reach_half;
	uint32_t reach[POLICY_MAX_REACH];
	uint16_t slots[POLICY_SLOTS];
	struct pins pins[POLICY_MAX_RULES];
	struct rule rules[POLICY_MAX_RULES];
};

/**
 * struct problem - one thing that is wrong with a policy
 * @line: where, from 1; 0 if it concerns the whole
 * @column: likewise
 * @warning: true if the policy can be used all the same
 * @text: what, and what to do about it
 */
struct problem {
	uint32_t line, column;
	bool warning;
	char text[640];
};

/* All problems of one policy, in the order they were found. */
#define MAX_PROBLEMS	100
struct problems {
	unsigned int nr, errors;
	bool overflow;		/* there were more */
	struct problem list[MAX_PROBLEMS];
};

struct problems *problems_new(void);
void problems_free(struct problems *problems);

void __attribute__((format(printf, 5, 6), nonnull(1, 5)))
problem_add(struct problems *problems, bool warning, uint32_t line,
	    uint32_t column, const char *format, ...);
#define problem_error(p, line, col, ...) \
	problem_add(p, false, line, col, __VA_ARGS__)
#define problem_warning(p, line, col, ...) \
	problem_add(p, true, line, col, __VA_ARGS__)

extern const char *const rule_type_names[RULE_TYPE_MAX];
extern const char *const regpin_action_names[REGPIN_ACTION_MAX];
extern const char *const regpin_kind_names[REGPIN_KIND_MAX];

/*
 * Adds a rule behind the others. Returns 0, or -E2BIG if the policy is full.
 */
int policy_add(struct regpin_policy *policy, const struct rule *rule);

/*
 * Makes @to the same as @from, of which it touches only what is in use: most of the room
 * of a policy never is, and costs no memory then.
 */
void policy_copy(struct regpin_policy *to, const struct regpin_policy *from);

/* The first rule of the policy on @kind, @index for @access, or NULL. */
const struct rule *policy_rule_on(const struct regpin_policy *policy,
				  unsigned int kind, uint32_t index,
				  unsigned int access);

/*
 * Where in @rules those that may speak of a register are: none before @first does,
 * and none from @end on, nor any behind the first one that rule_is_after() it.
 */
struct rule_range {
	uint32_t first, end;
};

/*
 * MSRs that one policy speaks of have slots of their own, mostly: the low ones, and AMD's at
 * 0xc0000000 and 0xc0010000, from 0x300 on. Of the low ones none has the number of a slot
 * that EFER and the syscall MSRs have (0x380-0x384).
 */
static inline uint32_t policy_slot(uint32_t index)
{
	return (index ^ index >> 22) % POLICY_SLOTS;
}

/* In a policy that is not sorted that is anywhere. On each exit's way, so inline. */
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
	/* No jump that depends on the data: it could only be guessed. */
	for (uint32_t half = policy->reach_half; half; half /= 2)
		at += at[half - 1] < index ? half : 0;
	range.first = (uint32_t)(at - policy->reach);
	return range;
}

/* What @rule has against writes; RULE_REQUIRE looks at other things than these. */
struct pins rule_pins(const struct rule *rule);

/*
 * Does no rule of @policy refuse, change or answer anything that would happen without
 * it? What `unknown` and `invalid` do instead of a #GP protects nothing.
 */
bool policy_rules_only_report(const struct regpin_policy *policy);

/* Does any rule hold only from the moment on at which a vCPU is armed? */
bool policy_has_pins(const struct regpin_policy *policy);

/*
 * May what stands beside the rules hold a vCPU or stop the VM? That is `init`, and the
 * floor's deadline, which is about vCPUs whose set-up comes late, also where all are armed
 * from the start; without pins nothing depends on it. The reaction of `detect` is not
 * among these: it takes the place of a rule's own action, and of `report` it takes none.
 * Nor is `request`: the write by which a guest asks does nothing in any policy.
 */
bool policy_settings_act(const struct regpin_policy *policy);

/*
 * Is all that @policy does to report? Then it has nothing that could be undermined past
 * the filters.
 */
bool policy_only_reports(const struct regpin_policy *policy);

/* The policy's one rule of @type, which is a wide one, or NULL. */
const struct rule *policy_wide(const struct regpin_policy *policy,
			       enum rule_type type);

/*
 * The rules on a register stand in enum rule_type's order: those on bits, those on
 * other values, and those on accesses whatever the value; those of the whole policy
 * come last. Only rule_type_is_*() rely on it.
 */
_Static_assert(RULE_REQUIRE < RULE_ONCE && RULE_UNIFORM < RULE_DENY &&
	       RULE_REPORT < RULE_DEFAULT, "bits, values, accesses, whole policies");

/* Is it about bits: sticky, never, frozen, require? */
static inline bool rule_type_is_on_bits(unsigned int type)
{
	return type <= RULE_REQUIRE;
}

/* Is it about what a register may hold: on bits, or once or uniform? */
static inline bool rule_type_is_on_values(unsigned int type)
{
	return type < RULE_DENY;
}

static inline bool rule_is_on_values(const struct rule *rule)
{
	return rule_type_is_on_values(rule->type);
}

/*
 * Does it hold only from the moment on at which a vCPU is armed? Reports of writes to
 * control registers do, as nothing of these is shown before.
 */
static inline bool rule_is_pin(const struct rule *rule)
{
	return rule_is_on_values(rule) ||
	       (rule->type == RULE_REPORT && rule->kind != REGPIN_MSR);
}

/* Is it of the policy as a whole, not of a register? */
static inline bool rule_type_is_wide(unsigned int type)
{
	return type >= RULE_DEFAULT;
}

static inline bool rule_is_wide(const struct rule *rule)
{
	return rule_type_is_wide(rule->type);
}

/*
 * Which accesses does @rule speak of, so that the policy's default does not? Pins
 * leave reads free, and judge writes.
 */
static inline unsigned int rule_speaks_of(const struct rule *rule)
{
	return rule_is_on_values(rule) ? ACCESS_READ | ACCESS_WRITE :
					 rule->access;
}

/* And which must come to us for it? */
static inline unsigned int rule_wants(const struct rule *rule)
{
	return rule->type == RULE_ALLOW ? 0 : rule->access;
}

/* KVM never filters the x2APIC's MSRs. */
#define MSR_X2APIC	0x800u
#define MSR_X2APIC_NR	0x100u
static inline bool is_x2apic(uint32_t index)
{
	return index - MSR_X2APIC < MSR_X2APIC_NR;
}

/* Does @rule speak of this register? Of none if it is a wide one. */
static inline bool rule_covers(const struct rule *rule, unsigned int kind,
			       uint32_t index)
{
	return rule->kind == kind && index - rule->index < rule->count;
}

/* Do it and all that stand behind it in policy_range() speak of others? */
static inline bool rule_is_after(const struct regpin_policy *policy,
				 const struct rule *rule, uint32_t index)
{
	return policy->sorted && rule->index > index;
}

#endif
