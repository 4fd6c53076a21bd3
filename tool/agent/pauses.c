// SPDX-License-Identifier: GPL-2.0-only
/* Events that hold their vCPU until the operator answers. */
#include <string.h>

#include "pauses.h"

static void forget(struct pauses *pauses, struct pause *pause)
{
	struct pause *end = pauses->list + pauses->nr--;

	memmove(pause, pause + 1, (size_t)((char *)end - (char *)(pause + 1)));
}

/* The place of the vCPU of @event in the list; ->nr: it is not there. */
static unsigned int place(const struct pauses *pauses,
			  const struct regpin_event *event)
{
	unsigned int i = 0;

	while (i < pauses->nr && (pauses->list[i].vm != event->vm ||
				  pauses->list[i].vcpu != event->vcpu))
		i++;
	return i;
}

static struct pause *find(struct pauses *pauses, const struct regpin_event *event)
{
	unsigned int i = place(pauses, event);

	return i < pauses->nr ? &pauses->list[i] : NULL;
}

void pauses_set_timed(struct pauses *pauses, const struct regpin_event *event, bool timed)
{
	struct pause *pause = find(pauses, event);

	if (pause)
		pause->timed = timed;
}

bool pauses_is_timed(struct pauses *pauses, const struct regpin_event *event)
{
	const struct pause *pause = find(pauses, event);

	return pause && pause->timed;
}

const struct pause *pauses_violation(struct pauses *pauses,
				     const struct regpin_event *event)
{
	const struct pause *pause = find(pauses, event);

	return pause && pause->violation ? pause : NULL;
}

bool pauses_take(struct pauses *pauses, const struct regpin_event *event)
{
	struct pause *pause = find(pauses, event);
	bool violation = pause && pause->violation;

	if (pause)
		forget(pauses, pause);
	return violation;
}

/* Do two events belong to one hold? An access, and a poll, make one event for each rule. */
static bool is_same_hold(const struct pause *a, const struct pause *b)
{
	if (a->type != b->type || a->detail != b->detail)
		return false;
	return a->type == REGPIN_EVENT_DETECTED ||
	       (a->violation && a->rip == b->rip && a->value == b->value &&
		a->kind == b->kind && a->index == b->index);
}

/* Puts the rules of @old, which belong to the same hold, before that of @pause. */
static void add_rule(struct pause *pause, const struct pause *old)
{
	__u32 rule = pause->rules[0];

	memcpy(pause->rules, old->rules, sizeof(pause->rules));
	pause->nr_rules = old->nr_rules;
	if (pause->nr_rules < PAUSE_RULES)
		pause->rules[pause->nr_rules++] = rule;
}

void pauses_add(struct pauses *pauses, const struct regpin_event *event)
{
	struct pause *old = find(pauses, event);
	struct pause pause = {
		.vm = event->vm, .vcpu = event->vcpu, .first = event->time,
		.last = event->time, .rip = event->rip,
		.value = event->new_value, .kind = event->kind,
		.index = event->index, .type = event->type,
		.detail = event->detail,
		.policy = event->policy, .nr_rules = 1, .rules = { event->rule },
		.violation = event->type == REGPIN_EVENT_VIOLATION,
	};

	/* Otherwise a reset of the VM has freed the vCPU without an answer. */
	if (old && is_same_hold(old, &pause)) {
		pause.hold = old->hold;
		pause.first = old->first;
		add_rule(&pause, old);
	}
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

__u64 pauses_hold_of(const struct pauses *pauses, const struct regpin_event *held)
{
	unsigned int i = place(pauses, held);
	const struct pause *pause = &pauses->list[i];

	return i < pauses->nr && held->time >= pause->first &&
	       held->time <= pause->last ? pause->hold : 0;
}
