/* SPDX-License-Identifier: GPL-2.0-only */
/* Within the policy's front end: one element of `rules`. */
#ifndef REGPIN_TOOL_POLICY_RULE_H
#define REGPIN_TOOL_POLICY_RULE_H

#include "policy_reader.h"

/* Reads one element of `rules`, and adds a struct rule for each register and condition. */
void rule_read(struct reader *reader, const struct yaml_node *node);

#endif
