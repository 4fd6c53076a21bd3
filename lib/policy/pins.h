/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The pins of one rule. Inline, because the judge calls it for each rule that a write may
 * violate, and then needs only a part of the struct.
 */
#ifndef REGPIN_LIB_PINS_H
#define REGPIN_LIB_PINS_H

#include "policy.h"

/* The writes that @rule forbids; none for RULE_REQUIRE, which the judge handles. */
static inline struct pins rule_pins(const struct rule *rule)
{
	struct pins pins = { .index = rule->index, .count = rule->count,
			     .speaks = (uint8_t)rule_speaks_of(rule),
			     .wants = (uint8_t)rule_wants(rule) };

	switch ((enum rule_type)rule->type) {
	case RULE_STICKY:
		pins.have = PINS_BITS;
		pins.falls = rule->mask;
		return pins;
	case RULE_NEVER:
		pins.have = PINS_BITS;
		pins.rises = rule->mask;
		return pins;
	case RULE_FROZEN:
		pins.have = PINS_BITS;
		pins.falls = pins.rises = rule->mask;
		return pins;
	case RULE_UNIFORM:
		pins.have = PINS_UNIFORM;
		return pins;
	case RULE_ONCE:
		pins.have = PINS_ONCE;
		return pins;
	case RULE_DENY:
		pins.have = rule->access & ACCESS_WRITE ? PINS_DENY : 0;
		return pins;
	case RULE_REPORT:
		/* KVM's CR filter reports changed bits, not whole registers. */
		if (rule->kind == REGPIN_MSR) {
			pins.have = rule->access & ACCESS_WRITE ? PINS_DENY : 0;
			return pins;
		}
		pins.have = PINS_BITS;
		pins.falls = pins.rises = rule->mask;
		return pins;
	case RULE_REQUIRE:
	case RULE_VALUE:
	case RULE_ALLOW:
		return pins;
	case RULE_DEFAULT:
	case RULE_UNKNOWN:
	case RULE_INVALID:
	case RULE_TYPE_MAX:
		break;
	}
	/* A type that this code does not know. Deny the write: that is the safe answer. */
	pins.have = PINS_DENY;
	return pins;
}

#endif
