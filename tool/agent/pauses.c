// SPDX-License-Identifier: GPL-2.0-only
/* vCPUs held by violations that wait for an answer. */
#include <string.h>

#include "pauses.h"

static void forget(struct pauses *pauses, unsigned int i)
{
	memmove(&pauses->list[i], &pauses->list[i + 1],
		(--pauses->nr - i) * sizeof(pauses->list[0]));
}

bool pauses_take(struct pauses *pauses, const struct regpin_event *event)
{
	for (unsigned int i = 0; i < pauses->nr; i++) {
		if (pauses->list[i].vm != event->vm ||
		    pauses->list[i].vcpu != event->vcpu)
			continue;
		forget(pauses, i);
		return true;
	}
	return false;
}

void pauses_add(struct pauses *pauses, const struct regpin_event *event)
{
	/* It may still be listed, because a reset of the VM frees vCPUs without an answer. */
	pauses_take(pauses, event);
	if (pauses->nr == PAUSES_MAX)
		forget(pauses, 0);
	pauses->list[pauses->nr].vm = event->vm;
	pauses->list[pauses->nr++].vcpu = event->vcpu;
}
