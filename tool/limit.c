// SPDX-License-Identifier: GPL-2.0-only
/* A second's causes, and how often they came: few enough for a plain search. */
#include <string.h>

#include "limit.h"

void limit_init(struct limit *limit, unsigned int max)
{
	memset(limit, 0, sizeof(*limit));
	limit->max = max;
}

static bool same_cause(const struct regpin_event *a,
		       const struct regpin_event *b)
{
	return a->index == b->index && a->vcpu == b->vcpu && a->vm == b->vm &&
	       a->kind == b->kind && a->rule == b->rule && a->type == b->type &&
	       a->action == b->action &&
	       (a->type != REGPIN_EVENT_FAILED || a->detail == b->detail);
}

static struct limit_cause *find(struct limit *limit,
				const struct regpin_event *event)
{
	unsigned int i;

	for (i = 0; i < limit->nr; i++)
		if (same_cause(&limit->causes[i].event, event))
			return &limit->causes[i];
	if (limit->nr < LIMIT_CAUSES)
		limit->nr++;
	return &limit->causes[i];
}

bool limit_pass(struct limit *limit, const struct regpin_event *event)
{
	struct limit_cause *cause;

	if (!limit->max)
		return true;
	cause = find(limit, event);
	if (!cause->seen)
		cause->event = *event;
	if (cause->seen++ < limit->max)
		return true;
	cause->left++;
	limit->left++;
	return false;
}

bool limit_take(struct limit *limit, struct regpin_event *event, bool *shared,
		uint64_t *count)
{
	for (unsigned int i = 0; limit->left && i <= LIMIT_CAUSES; i++) {
		struct limit_cause *cause = &limit->causes[i];

		if (!cause->left)
			continue;
		*event = cause->event;
		*shared = i == LIMIT_CAUSES;
		*count = cause->left;
		limit->left -= cause->left;
		cause->left = 0;
		return true;
	}
	return false;
}

void limit_renew(struct limit *limit, uint64_t now)
{
	limit_init(limit, limit->max);
	limit->end = now + LIMIT_MS;
}
