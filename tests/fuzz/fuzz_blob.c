// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any bytes as a blob: no crash; and a blob that opens is valid for the filter and for
 * the judge, and is the same after another round.
 */
#include <stdlib.h>
#include <string.h>

#include "build_policy.h"
#include "lib/judge/judge.h"
#include "lib/judge/msr_filter.h"
#include "lib/policy/blob.h"
#include "lib/policy/policy.h"
#include "lib/policy/policy_check.h"
#include "lib/policy/registers.h"
#include "lib/ring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(x)	do { if (!(x)) abort(); } while (0)

static struct regpin_policy policy, again;
static struct msr_filter filter;
static char blob[BLOB_MAX_SIZE];

/* A pin must filter the writes that it judges. */
static void check_rule(const struct rule *rule)
{
	unsigned int access;

	REQUIRE(rule->mask && !rule->count == rule_is_wide(rule));
	REQUIRE(rule->when <= policy.nr_whens);
	REQUIRE(rule->kind < REGPIN_KIND_MAX && rule->type < RULE_TYPE_MAX);
	REQUIRE(rule->action > REGPIN_ALLOW &&
		rule->action < REGPIN_ACTION_MAX);
	if (rule->type == RULE_REQUIRE) {
		REQUIRE(rule->action != REGPIN_MASK &&
			rule->action != REGPIN_DROP);
		REQUIRE(rule->kind == REGPIN_CR0 || rule->kind == REGPIN_CR4 ||
			rule_covers(rule, REGPIN_MSR, MSR_EFER));
	}
	/*
	 * A rule that is neither enforced nor polled would be a hole. `require` is
	 * checked when LSTAR is set, on any host: policy_fit() marks it, too.
	 */
	REQUIRE(!(rule->flags & RULE_DETECT) ||
		(rule->flags & RULE_OPTIONAL && rule->kind != REGPIN_MSR &&
		 policy.settings.detect_ms));
	if (rule->kind != REGPIN_MSR) {
		REQUIRE(!rule->index && rule->count == 1);
		return;
	}
	if (rule_is_wide(rule)) {
		REQUIRE(rule->type != RULE_DEFAULT ||
			(rule->action >= REGPIN_DROP &&
			 rule->action != REGPIN_PAUSE));
		REQUIRE(policy_wide(&policy, rule->type) == rule);
		return;
	}
	access = rule->type == RULE_ALLOW ? 0 :
		 rule->type == RULE_VALUE ? ACCESS_READ :
		 rule->type == RULE_DENY || rule->type == RULE_REPORT ?
			rule->access & -rule->access :
					   ACCESS_WRITE;
	if (!access)
		return;
	REQUIRE(filter_wants(&policy, rule->index, access));
	REQUIRE(filter_wants(&policy, rule->index + rule->count - 1, access));
}

static bool is_reaction(uint8_t action)
{
	return action == REGPIN_REPORT || action == REGPIN_PAUSE ||
	       action == REGPIN_STOP;
}

/* The values from which the timers and the reactions are set. */
static void check_settings(void)
{
	const struct settings *s = &policy.settings;

	REQUIRE(policy.arming < ARM_MAX);
	REQUIRE(!s->request_msr || policy.arming == ARM_REQUEST);
	REQUIRE(!s->request_msr || !request_fault(s->request_msr));
	REQUIRE(!s->request_msr || !policy_rule_on(&policy, REGPIN_MSR,
						   s->request_msr,
						   ACCESS_WRITE));
	REQUIRE(s->deadline_ms <= 86400000 && s->unarmed_ms <= 86400000 &&
		s->detect_ms <= 86400000);
	REQUIRE(is_reaction(s->deadline_action));
	REQUIRE(is_reaction(s->init_action) || s->init_action == REGPIN_ALLOW);
	REQUIRE(is_reaction(s->detect_action) ||
		s->detect_action == REGPIN_MASK);
}

static void check_judge(const struct rule *rule)
{
	struct judge_state state = { .armed = true, .setup_done = true,
			       .uniform_known = true, .uniform = rule->mask };
	struct access access = { .kind = rule->kind, .write = true,
				 .index = rule->index, .old_value = ~0ull };
	struct verdict verdict;

	judge(&policy, &state, &access, &verdict);
	REQUIRE(verdict.action < REGPIN_ACTION_MAX);
	REQUIRE(!verdict.rule == (verdict.action == REGPIN_ALLOW));
	/* A write that clears all bits must exit for a sticky bit. */
	REQUIRE(rule->type != RULE_STICKY || verdict.action >= rule->action);
}

/* A valid blob, with bytes changed as the input gives: place, place, value. */
static size_t patched(const uint8_t *data, size_t size)
{
	struct regpin_policy *base = new_policy(ARM_REQUEST);
	size_t length;

	base->settings.request_msr = 0x4b4d5300;

	add_pin(base, RULE_STICKY, MSR_EFER, EFER_NXE, REGPIN_GP);
	add_pin(base, RULE_ONCE, MSR_LSTAR, ALL, REGPIN_MASK);
	add_pin(base, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_REPORT);
	add_deny(base, 0x80000000, 100, 3, REGPIN_DROP);
	add_report(base, REGPIN_MSR, MSR_STAR, ACCESS_READ | ACCESS_WRITE);
	add_report(base, REGPIN_CR0, 0, ACCESS_WRITE);
	add_deny(base, 0x17, 2, ACCESS_READ, REGPIN_GP);
	base->rules[base->nr_rules - 1].type = RULE_VALUE;
	add_rule(base, RULE_FROZEN, REGPIN_CR0, 0, 1ull << 16, REGPIN_GP);
	add_rule(base, RULE_REQUIRE, REGPIN_CR4, 0, 1ull << 20, REGPIN_PAUSE);
	add_rule(base, RULE_STICKY, REGPIN_CR4, 0, 1ull << 21, REGPIN_STOP);
	base->rules[base->nr_rules - 1].flags = RULE_FLAGS;
	base->nr_whens = 2;
	base->whens[0].families[0] = (struct span){ 6, 0x19 };
	base->whens[0].nr_families = 1;
	memcpy(base->whens[1].vendor, "AuthenticAMD", WHEN_VENDOR);
	add_deny(base, 0x19, 1, ACCESS_READ, REGPIN_GP);
	base->rules[base->nr_rules - 1].when = 2;
	add_default(base, ACCESS_READ, REGPIN_DROP);
	add_wide(base, RULE_UNKNOWN, REGPIN_DROP, 0, 0);
	length = blob_seal(base, blob);
	free(base);
	for (; size >= 3; data += 3, size -= 3)
		blob[(data[0] << 8 | data[1]) % length] = (char)data[2];
	return length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char bytes[BLOB_MAX_SIZE];

	/* A blob with a wrong beginning is never opened. */
	if (size && data[0] & 1 && size < 64) {
		size = patched(data + 1, size - 1);
		memcpy(bytes, blob, size);
		data = (const uint8_t *)bytes;
	}
	if (blob_open(data, size, &policy))
		return 0;
	REQUIRE(policy.nr_rules <= POLICY_MAX_RULES);
	REQUIRE(memchr(policy.source, 0, sizeof(policy.source)));
	REQUIRE(!filter_build(&policy, NULL, &filter));
	check_settings();
	for (uint32_t i = 0; i < policy.nr_rules; i++) {
		check_rule(&policy.rules[i]);
		check_judge(&policy.rules[i]);
	}
	REQUIRE(blob_seal(&policy, blob) == size);
	REQUIRE(!blob_open(blob, size, &again));
	/* The bytes after the rules are ignored. */
	REQUIRE(!memcmp(&policy, &again,
			offsetof(struct regpin_policy, reach)));
	REQUIRE(!memcmp(policy.rules, again.rules,
			policy.nr_rules * sizeof(policy.rules[0])));
	return 0;
}
