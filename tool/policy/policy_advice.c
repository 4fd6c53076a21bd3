// SPDX-License-Identifier: GPL-2.0-only
/*
 * Warnings about rules that are valid but may do less than their author thinks. They
 * depend on the text of the policy, not only on its meaning: an author who has set the
 * missing part explicitly is not warned.
 */
#include <string.h>

#include "lib/policy/rule_notes.h"
#include "policy_advice.h"
#include "policy_reader.h"
#include "yaml_word.h"

/* The reaction of `detect` that is closest to an action. */
static const char *reaction_like(unsigned int action)
{
	return action == REGPIN_PAUSE ? "pause" :
	       action == REGPIN_STOP ? "stop" : "restore";
}

static const struct yaml_node *first_key(const struct yaml_node *rule,
					 const char *const *names, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		const struct yaml_node *key = yaml_key(rule, names[i]);

		if (key)
			return key;
	}
	return NULL;
}

void advise_action(const struct reader *reader, const struct yaml_node *rule,
		   const struct rule *proto, unsigned int kind)
{
	static const char *const pins[] = { "sticky", "never", "frozen" };
	const struct yaml_node *action = yaml_key(rule, "action");
	const struct yaml_node *pin = first_key(rule, pins, 3);
	const struct yaml_node *at = action ? action : pin;

	/* A policy's gp is not distinguished from the default, which is gp as well. */
	if (!pin || !(proto->flags & RULE_OPTIONAL) || reader->has_reaction ||
	    proto->action == REGPIN_REPORT || reader->report ||
	    proto->flags & RULE_BY_MODE ||
	    /* drop here is an error, which has been reported. */
	    proto->action == REGPIN_DROP ||
	    (!action && proto->action == REGPIN_GP) ||
	    !reader->policy->settings.detect_ms)
		return;
	problem_warning(reader->problems, at->line, at->column,
			"action %s on %s needs regpin's CR filter: on any other KVM this optional rule is only polled, and a violation is only reported: add 'detect: {reaction: %s}' to the policy, or 'detect: {reaction: report}' if an event is enough there",
			regpin_action_names[proto->action],
			regpin_kind_names[kind],
			reaction_like(proto->action));
}

void advise_arming(const struct reader *reader, const struct yaml_node *rule)
{
	static const char *const texts[] = {
		[ARM_SYSCALL_ENTRY] = "syscall-entry",
		[ARM_REQUEST] = "request",
		[ARM_OPERATOR] = "operator",
	};
	const struct yaml_node *never = yaml_key(rule, "never");
	const struct yaml_node *frozen = yaml_key(rule, "frozen");
	const char *arming;

	if (reader->policy->arming == ARM_START || yaml_key(rule, "from"))
		return;
	arming = texts[reader->policy->arming];
	if (never)
		problem_warning(reader->problems, never->line, never->column,
				"'never' holds only after a vCPU has armed (arming: %s): bits that the guest sets earlier stay set, without an event: use 'arming: start', or add 'from: arming' to this rule if that is meant",
				arming);
	if (frozen)
		problem_warning(reader->problems, frozen->line, frozen->column,
				"'frozen' holds only after a vCPU has armed (arming: %s): bits that the guest changes earlier stay changed, without an event: use 'arming: start', or add 'from: arming' to this rule if that is meant",
				arming);
}

void from_read(const struct reader *reader, const struct yaml_node *rule)
{
	static const struct word words[] = { { "arming", 1 } };
	const struct yaml_node *key = yaml_key(rule, "from");

	if (!key)
		return;
	if (!yaml_key(rule, "never") && !yaml_key(rule, "frozen"))
		problem_at(reader->problems, key,
			   "'from' belongs to never and frozen, and this rule has neither: leave it out");
	else if (word_value(key->value, "from", words, 1, reader->problems) == 1 &&
		 reader->policy->arming == ARM_START && !reader->arming_unknown)
		problem_at(reader->problems, key,
			   "'from: arming' and 'arming: start' contradict each other: leave one of them out");
}
