/* SPDX-License-Identifier: GPL-2.0-only */
/* Suspend to RAM, which ends pins at the guest's will. */
#ifndef REGPIN_TOOL_S3_H
#define REGPIN_TOOL_S3_H

#include <stdbool.h>

#include "policy.h"

/*
 * Does this command line give QEMU's guests S3, though @policy has pins and does not
 * accept that? Of other VMMs nothing is known. If so, what to do has been said.
 */
bool s3_refused(const struct regpin_policy *policy, char **argv);

#endif
