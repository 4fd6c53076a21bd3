/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Violations whose vCPU is held: only the operator's answer decides whether they are
 * stopped or let pass. Pure.
 */
#ifndef REGPIN_TOOL_PAUSES_H
#define REGPIN_TOOL_PAUSES_H

#include <stdbool.h>

#include "regpin/regpin.h"

#define PAUSES_MAX	1024u

/**
 * struct pauses - vCPUs that are held by a violation without an answer
 * @nr: number of vCPUs
 * @list: the vCPUs, the oldest first
 */
struct pauses {
	unsigned int nr;
	struct {
		__u32 vm, vcpu;
	} list[PAUSES_MAX];
};

/* Adds the vCPU of @event, a violation that holds it. */
void pauses_add(struct pauses *pauses, const struct regpin_event *event);

/* Removes the vCPU of @event, an answer. Returns true if a violation held it. */
bool pauses_take(struct pauses *pauses, const struct regpin_event *event);

#endif
