// SPDX-License-Identifier: GPL-2.0-only
/* Events that hold their vCPU until the operator answers. */
#include <string.h>

#include "pauses.h"

static void forget(struct pauses *pauses, struct pause *pause)
{
	struct pause *end = pauses->list + pauses->nr--;

	memmove(pause, pause + 1, (size_t)((char *)end - (char *)(pause + 1)));
}

static struct pause *find(struct pauses *pauses, const struct regpin_event *event)
{
	for (unsigned int i = 0; i < pauses->nr; i++)
		if (pauses->list[i].vm == event->vm &&
		    pauses->list[i].vcpu == event->vcpu)
			return &pauses->list[i];
	return NULL;
}

bool pauses_take(struct pauses *pauses, const struct regpin_event *event)
{
	struct pause *pause = find(pauses, event);
	bool violation = pause && pause->violation;

	if (pause)
		forget(pauses, pause);
	return violation;
}

static bool is_same_access(const struct pause *a, const struct pause *b)
{
	return a->violation && b->violation && a->rip == b->rip &&
	       a->value == b->value && a->kind == b->kind && a->index == b->index;
}

void pauses_add(struct pauses *pauses, const struct regpin_event *event)
{
	struct pause *old = find(pauses, event);
	struct pause pause = {
		.vm = event->vm, .vcpu = event->vcpu, .rip = event->rip,
		.value = event->new_value, .kind = event->kind,
		.index = event->index,
		.violation = event->type == REGPIN_EVENT_VIOLATION,
	};

	/* Otherwise a reset of the VM has freed the vCPU without an answer. */
	if (old && is_same_access(old, &pause))
		pause.hold = old->hold;
	if (old)
		forget(pauses, old);
	if (pauses->nr == PAUSES_MAX)
		forget(pauses, &pauses->list[0]);
	pauses->list[pauses->nr++] = pause;
}

__u64 pauses_hold(struct pauses *pauses, const struct regpin_event *event, __u64 line)
{
	struct pause *pause = find(pauses, event);

	if (!pause)
		return 0;
	if (!pause->hold)
		pause->hold = line;
	return pause->hold;
}
