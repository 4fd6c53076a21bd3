/* SPDX-License-Identifier: GPL-2.0-only */
/* Within the policy's front end: what a policy says beside its rules. */
#ifndef REGPIN_TOOL_POLICY_SETTINGS_H
#define REGPIN_TOOL_POLICY_SETTINGS_H

#include "policy_reader.h"

/* Reads request, floor, unarmed, init and detect; arming and mode are read. */
void settings_read(const struct reader *reader, const struct yaml_node *root);

/* Does the policy say itself what is done about a vCPU that does not arm in time? */
bool settings_have_floor_action(const struct yaml_node *root);

/* Does the policy say itself what is done about what was detected? */
bool settings_have_reaction(const struct yaml_node *root);

#endif
