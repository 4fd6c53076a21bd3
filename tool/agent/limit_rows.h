/* SPDX-License-Identifier: GPL-2.0-only */
/* Where limit.c keeps what it knows of each VM, each rule and each type of event. */
#ifndef REGPIN_TOOL_LIMIT_ROWS_H
#define REGPIN_TOOL_LIMIT_ROWS_H

#include "limit.h"

/* Moves all that the second's causes have left out to their rows. */
void limit_flush_causes(struct limit *limit);

/* The VM of that number, for which there is always a place. */
struct limit_vm *limit_vm(struct limit *limit, uint32_t number, uint64_t now);

/* The row of @event, or NULL if there are too many or no memory. */
struct limit_row *limit_row(struct limit *limit, struct limit_vm *vm,
			    const struct regpin_event *event,
			    const struct regpin_policy *policy);

/* The rule of @policy that decides about the row of @event, or NULL. */
const struct rule *limit_rule(const struct regpin_event *event,
			      const struct regpin_policy *policy);

/* Frees all of a VM's rows; what they had left out counts as of many kinds. */
void limit_forget(struct limit *limit, struct limit_vm *vm);

#endif
