/* SPDX-License-Identifier: GPL-2.0-only */
/* Within the policy's front end: settings of a policy, besides its rules. */
#ifndef REGPIN_TOOL_POLICY_SETTINGS_H
#define REGPIN_TOOL_POLICY_SETTINGS_H

#include "policy_reader.h"

/* Reads request, floor, unarmed, init and detect. The caller has read arming and mode. */
void settings_read(const struct reader *reader, const struct yaml_node *root);

/* Does the policy itself set the action for a vCPU that is not armed in time? */
bool settings_have_floor_action(const struct yaml_node *root);

/* Does the policy itself set the reaction to detected violations? */
bool settings_have_reaction(const struct yaml_node *root);

#endif
