/* SPDX-License-Identifier: GPL-2.0-only */
/* Within the policy's front end: rules on all MSRs at once. */
#ifndef REGPIN_TOOL_POLICY_WHOLE_H
#define REGPIN_TOOL_POLICY_WHOLE_H

#include "policy_reader.h"

/* Reads default, unknown and invalid. The caller has read action and mode. */
void whole_read(const struct reader *reader, const struct yaml_node *root);

#endif
