// SPDX-License-Identifier: GPL-2.0-only
/*
 * An event about lost lines goes where the lines could not go. So it is written only after
 * the sink has taken something since the loss: otherwise each attempt would be another loss.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent_output.h"
#include "base/words.h"
#include "launch_state.h"
#include "out.h"
#include "outage.h"

#define REPORT_MS	10000u	/* between two events */

static const char *name_of(const struct agent *agent)
{
	return agent->launch->events_name ? agent->launch->events_name : "stderr";
}

/* Notes a fault: the sink works again once it has taken more bytes than it has now. */
static void note_fault(struct agent *agent)
{
	agent->outage.pending = true;
	agent->outage.taken = agent->events->taken;
}

static void begin(struct agent *agent, int err)
{
	struct outage *outage = &agent->outage;

	note_fault(agent);
	if (outage->down)
		return;
	outage->down = true;
	if (agent->events == agent->messages || agent->failure_reported)
		return;
	agent->failure_reported = true;
	agent_log(agent, "events can't be written to %s: %s; those that are lost are counted",
		  name_of(agent), err ? strerror(-err) :
		  "it no longer accepts connections; lines are kept as long as there is room");
}

static void report(struct agent *agent, uint64_t now)
{
	struct outage *outage = &agent->outage;
	uint64_t lost = agent->events->lost - outage->lost;
	char text[512];
	struct agent_event event = {
		.type = "sink", .reason = outage->down ? "restored" : "lost", .text = text,
	};

	snprintf(text, sizeof(text), "%s %" PRIu64 " line%s of events %s lost%s",
		 outage->down ? "events can be written again:" : "there was no room for all lines:",
		 lost, plural(lost), lost == 1 ? "was" : "were",
		 lost ? ", whose numbers (seq) are missing" : "");
	event.counts[0].name = "count";
	event.counts[0].n = lost;
	*outage = (struct outage){ .lost = agent->events->lost, .at = now ? now : 1 };
	/* Another outage is reported on stderr again. */
	agent->failure_reported = false;
	agent_report(agent, &event);
}

void outage_run(struct agent *agent, int err, uint64_t now)
{
	struct outage *outage = &agent->outage;
	const struct out *out = agent->events;

	if (err || out_is_cut_off(out))
		begin(agent, err);
	else if (!outage->pending && out->lost != outage->lost)
		note_fault(agent);
	if (outage->ended || !outage->pending || out->taken == outage->taken || out_is_cut_off(out) ||
	    !out_has_room(out) || (outage->at && now - outage->at < REPORT_MS))
		return;
	report(agent, now);
}

void outage_put_status(struct json *json, const struct agent *agent)
{
	json_bool(json, "sink_works", !agent->outage.down);
	json_u64(json, "lines_lost", agent->events->lost);
}

const char *outage_status_text(char *text, size_t size, const struct agent *agent)
{
	uint64_t lost = agent->events->lost;
	size_t used;

	*text = 0;
	if (agent->outage.down)
		snprintf(text, size, "; EVENTS CAN'T BE WRITTEN to %.256s", name_of(agent));
	used = strlen(text);
	if (lost)
		snprintf(text + used, size - used, "; %" PRIu64 " line%s of events lost", lost,
			 plural(lost));
	return text;
}
