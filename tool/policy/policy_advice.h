/* SPDX-License-Identifier: GPL-2.0-only */
/* Within the policy's front end: warnings about gaps that a valid rule leaves. */
#ifndef REGPIN_TOOL_POLICY_ADVICE_H
#define REGPIN_TOOL_POLICY_ADVICE_H

#include "policy_reader.h"

/*
 * Warns if the action of the optional rule @rule, which is on a control register of
 * @kind, is lost on a KVM without the CR filter. @proto has its action and flags.
 */
void advise_action(const struct reader *reader, const struct yaml_node *rule,
		   const struct rule *proto, unsigned int kind);

/* Warns of writes that never and frozen allow before a vCPU is armed. */
void advise_arming(const struct reader *reader, const struct yaml_node *rule);

/* Reads the key `from`, by which an author confirms that this is intended. */
void from_read(const struct reader *reader, const struct yaml_node *rule);

#endif
