// SPDX-License-Identifier: GPL-2.0-only
/* The differences of two policies: their classes, and the list of them. */
#include <errno.h>
#include <stdlib.h>

#include "lib/policy/when.h"
#include "policy_diff_list.h"

unsigned int diff_level(uint8_t effect)
{
	if (!effect)
		return 0;
	if (effect == REGPIN_REPORT)
		return 1;
	return effect & DIFF_DETECTED ? 2 : 3;
}

enum diff_class diff_classify(unsigned int from, unsigned int to)
{
	if (from == to)
		return DIFF_CHANGES;
	return to < from ? DIFF_LOOSENS : DIFF_TIGHTENS;
}

static bool continues(const struct policy_change *a,
		      const struct policy_change *b)
{
	return a->count && b->count && a->kind == REGPIN_MSR &&
	       b->kind == REGPIN_MSR && a->index + a->count == b->index &&
	       a->what == b->what && a->bits == b->bits && a->from == b->from &&
	       a->to == b->to && a->from_value == b->from_value &&
	       a->to_value == b->to_value && when_same(&a->when, &b->when);
}

/* Makes room for one change. On failure @err is set: an incomplete list is never shown. */
static bool make_room(struct policy_diff *diff)
{
	unsigned int room = diff->room ? 2 * diff->room : 64;
	struct policy_change *list = diff->list;

	if (diff->nr < diff->room)
		return true;
	list = reallocarray(list, room, sizeof(*list));
	if (!list) {
		diff->err = -ENOMEM;
		return false;
	}
	diff->list = list;
	diff->room = room;
	return true;
}

void diff_add(struct policy_diff *diff,
		       const struct policy_change *change)
{
	/* A stretch has few changes, so the previous one on the same thing is near the end. */
	for (unsigned int i = diff->nr; i-- > 0 && diff->nr - i < 32;) {
		if (!continues(&diff->list[i], change))
			continue;
		diff->list[i].count += change->count;
		return;
	}
	diff->counts[change->class]++;
	if (make_room(diff))
		diff->list[diff->nr++] = *change;
}

void policy_diff_free(struct policy_diff *diff)
{
	free(diff->list);
	*diff = (struct policy_diff){ .list = NULL };
}
