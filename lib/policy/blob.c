// SPDX-License-Identifier: LGPL-2.1-or-later
/* The policy as bytes: written by the tool, read by the process that runs the VM. */
#include <errno.h>
#include <string.h>

#include "blob.h"
#include "policy.h"
#include "policy_check.h"
#include "rule_notes.h"
#include "when.h"

size_t blob_seal(const struct regpin_policy *policy, void *blob)
{
	size_t rules = policy->nr_rules * sizeof(struct rule);
	size_t whens = policy->nr_whens * sizeof(struct when);
	struct blob_header header = {
		.magic = BLOB_MAGIC,
		.version = BLOB_VERSION,
		.size = (uint32_t)(sizeof(header) + rules + whens),
		.flags = policy->flags,
		.arming = policy->arming,
		.nr_rules = policy->nr_rules,
		.rule_size = sizeof(struct rule),
		.nr_whens = policy->nr_whens,
		.when_size = sizeof(struct when),
		.number = policy->number,
		.settings = policy->settings,
	};

	memcpy(header.source, policy->source, sizeof(header.source));
	memcpy(header.bases, policy->bases, sizeof(header.bases));
	memcpy(blob, &header, sizeof(header));
	for (uint32_t i = 0; i < policy->nr_rules; i++) {
		struct rule rule = policy->rules[i];

		rule.flags &= (uint16_t)~RULE_NOTES;
		memcpy((char *)blob + sizeof(header) + i * sizeof(rule), &rule,
		       sizeof(rule));
	}
	memcpy((char *)blob + sizeof(header) + rules, policy->whens, whens);
	return header.size;
}

/*
 * A day: the longest time in a policy. The timers that are set from such times can hold
 * it.
 */
#define MAX_MS	86400000u

/* A new type changes the numbers of those after it, and thus the format. */
_Static_assert(RULE_TYPE_MAX == 13 && BLOB_VERSION == 6,
	       "a new rule type needs a new BLOB_VERSION");

static bool one_of(uint8_t action, uint32_t actions)
{
	return action < REGPIN_ACTION_MAX && actions & (1u << action);
}

static bool settings_valid(const struct settings *s, uint32_t arming)
{
	static const struct settings zero;
	const uint32_t react = 1u << REGPIN_REPORT | 1u << REGPIN_PAUSE |
			       1u << REGPIN_STOP;

	return (!s->request_msr || arming == ARM_REQUEST) &&
	       s->deadline_ms <= MAX_MS && s->unarmed_ms <= MAX_MS &&
	       s->detect_ms <= MAX_MS &&
	       one_of(s->init_action, react | 1u << REGPIN_ALLOW) &&
	       one_of(s->deadline_action, react) &&
	       one_of(s->detect_action, react | 1u << REGPIN_MASK) &&
	       !memcmp(s->pad, zero.pad, sizeof(s->pad));
}

/* Does each base have a name, and does none follow an empty entry? */
static bool bases_valid(const struct blob_header *header)
{
	for (unsigned int i = 0; i < POLICY_MAX_BASES; i++)
		if (!memchr(header->bases[i], 0, sizeof(header->bases[i])) ||
		    (i && header->bases[i][0] && !header->bases[i - 1][0]))
			return false;
	return true;
}

static bool header_valid(const struct blob_header *header, size_t size)
{
	return header->magic == BLOB_MAGIC &&
	       header->version == BLOB_VERSION && header->size == size &&
	       !(header->flags & ~POLICY_FLAGS) && header->arming < ARM_MAX &&
	       settings_valid(&header->settings, header->arming) &&
	       header->nr_rules <= POLICY_MAX_RULES &&
	       header->rule_size == sizeof(struct rule) &&
	       header->nr_whens <= POLICY_MAX_WHENS &&
	       header->when_size == sizeof(struct when) && !header->pad &&
	       header->size == sizeof(*header) +
			       header->nr_rules * sizeof(struct rule) +
			       header->nr_whens * sizeof(struct when) &&
	       memchr(header->source, 0, sizeof(header->source)) &&
	       bases_valid(header);
}

/* Does @rule, a rule of the whole policy, have the one form that such rules have? */
static bool wide_valid(const struct rule *rule)
{
	return rule->kind == REGPIN_MSR && !rule->index && !rule->count &&
	       !rule->when && !~rule->mask &&
	       (rule->type == RULE_DEFAULT ||
		rule->access == (ACCESS_READ | ACCESS_WRITE)) &&
	       !(rule->flags & ~(rule->type == RULE_DEFAULT ? 0 :
							      RULE_ANSWERS)) &&
	       (!rule->value || rule->flags & RULE_ANSWERS);
}

/* The judge and the filters rely on all of this without checking it again. */
static bool shape_valid(const struct rule *rule)
{
	if (rule_is_wide(rule))
		return wide_valid(rule);
	if (rule->type != RULE_DENY && rule->type != RULE_ALLOW &&
	    rule->type != RULE_REPORT &&
	    rule->access != (rule->type == RULE_VALUE ? ACCESS_READ :
							ACCESS_WRITE))
		return false;
	if (rule->type != RULE_VALUE && rule->value)
		return false;
	if (!rule->count || rule->flags & RULE_ANSWERS)
		return false;
	return rule->kind == REGPIN_MSR || (!rule->index && rule->count == 1);
}

/*
 * RULE_DETECT is only valid on optional rules on control registers, and only if the
 * policy has them polled: any other rule with this flag would not be enforced at all.
 */
static bool flags_valid(const struct rule *rule, const struct settings *settings)
{
	if (rule->flags & ~(RULE_FLAGS | RULE_ANSWERS))
		return false;
	return !(rule->flags & RULE_DETECT) ||
	       (rule->flags & RULE_OPTIONAL && rule->kind != REGPIN_MSR &&
		settings->detect_ms);
}

/* Is @line in one of the policy's texts? */
static bool line_valid(const struct regpin_policy *policy, uint32_t line)
{
	uint32_t text = PLACE_TEXT(line);

	return !text || (text <= POLICY_MAX_BASES && policy->bases[text - 1][0]);
}

static bool rule_valid(const struct rule *rule,
		       const struct regpin_policy *policy)
{
	return line_valid(policy, rule->line) && rule->kind < REGPIN_KIND_MAX && rule->type < RULE_TYPE_MAX &&
	       shape_valid(rule) &&
	       rule->action > REGPIN_ALLOW &&
	       rule->action < REGPIN_ACTION_MAX && rule->access &&
	       !(rule->access & ~(ACCESS_READ | ACCESS_WRITE)) &&
	       flags_valid(rule, &policy->settings) && rule->mask &&
	       rule->when <= policy->nr_whens &&
	       rule->index + (rule->count - 1) >= rule->index;
}

/* Copies the conditions of the blob to @policy. False if one is invalid. */
static bool whens_read(const void *from, struct regpin_policy *policy)
{
	memcpy(policy->whens, from, policy->nr_whens * sizeof(struct when));
	for (uint32_t i = 0; i < policy->nr_whens; i++)
		if (!line_valid(policy, policy->whens[i].line) ||
		    !when_valid(&policy->whens[i]))
			return false;
	return true;
}

int blob_open(const void *blob, size_t size, struct regpin_policy *policy)
{
	struct problems *problems;
	struct blob_header header;

	if (size > BLOB_MAX_SIZE)
		return -EFBIG;
	if (size < sizeof(header))
		return -EINVAL;
	memcpy(&header, blob, sizeof(header));
	if (!header_valid(&header, size))
		return -EINVAL;

	memset(policy, 0, offsetof(struct regpin_policy, reach));
	policy->number = header.number;
	policy->flags = header.flags;
	policy->arming = header.arming;
	policy->settings = header.settings;
	memcpy(policy->source, header.source, sizeof(policy->source));
	memcpy(policy->bases, header.bases, sizeof(policy->bases));
	policy->nr_whens = header.nr_whens;
	if (!whens_read((const char *)blob + sizeof(header) +
			header.nr_rules * sizeof(struct rule), policy))
		return -EINVAL;
	for (uint32_t i = 0; i < header.nr_rules; i++) {
		struct rule rule;

		memcpy(&rule, (const char *)blob + sizeof(header) +
			      i * sizeof(rule), sizeof(rule));
		if (!rule_valid(&rule, policy) ||
		    policy_add(policy, &rule))
			return -EINVAL;
	}

	/* Texts pass the same checks, so a blob has no policy that a text can't have. */
	problems = problems_new();
	if (!problems)
		return -ENOMEM;
	if (policy_check(policy, problems)) {
		problems_free(problems);
		return -EINVAL;
	}
	problems_free(problems);
	return 0;
}
