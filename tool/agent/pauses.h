/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Violations whose vCPU is held: they are neither stopped nor let pass before somebody
 * has answered. Pure.
 */
#ifndef REGPIN_TOOL_PAUSES_H
#define REGPIN_TOOL_PAUSES_H

#include <stdbool.h>

#include "regpin/regpin.h"

#define PAUSES_MAX	1024u

/**
 * struct pauses - vCPUs that were held by a violation, and not answered since
 * @nr: how many
 * @list: they; the oldest first
 */
struct pauses {
	unsigned int nr;
	struct {
		__u32 vm, vcpu;
	} list[PAUSES_MAX];
};

/* @event is a violation that holds its vCPU. */
void pauses_add(struct pauses *pauses, const struct regpin_event *event);

/* @event is an answer. Was its vCPU held by a violation? It is no longer. */
bool pauses_take(struct pauses *pauses, const struct regpin_event *event);

#endif
