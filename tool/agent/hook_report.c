// SPDX-License-Identifier: GPL-2.0-only
/* Events about the hook, and its part of `status`. */
#include <inttypes.h>
#include <stdio.h>

#include "agent_output.h"
#include "base/clock.h"
#include "base/printable.h"
#include "base/words.h"
#include "hook_lines.h"
#include "hook_report.h"
#include "launch_state.h"

static const char *const names[HOOK_RESULTS] = {
	[HOOK_NONE] = "none",
	[HOOK_DONE] = "done",
	[HOOK_STATUS] = "status",
	[HOOK_SIGNAL] = "signal",
	[HOOK_TIMEOUT] = "timeout",
	[HOOK_UNUSABLE] = "unusable",
	[HOOK_UNKNOWN] = "unknown",
};

static enum hook_result result_of(const struct hook_page *page)
{
	return (enum hook_result)atomic_load(&page->result);
}

/* How a run ended, for people. */
static void describe(char *text, size_t size, const struct hook_page *page,
		     enum hook_result result, unsigned int number)
{
	switch (result) {
	case HOOK_NONE:
		snprintf(text, size, "has not run yet");
		break;
	case HOOK_DONE:
		snprintf(text, size, "ended with status 0");
		break;
	case HOOK_STATUS:
		snprintf(text, size, "ended with status %u", number);
		break;
	case HOOK_SIGNAL:
		snprintf(text, size, "was ended by signal %u", number);
		break;
	case HOOK_TIMEOUT:
		snprintf(text, size, "did not end within %u s and was killed",
			 HOOK_LIMIT_MS / 1000);
		break;
	case HOOK_UNUSABLE:
		snprintf(text, size, "could not be run: %.*s", (int)HOOK_FAULT_MAX - 1,
			 page->fault);
		break;
	default:
		snprintf(text, size, "was running when the agent died, and its result is not known");
		break;
	}
}

static void report(struct agent *agent, const char *reason, const char *text,
		   const char *name, uint64_t number, uint64_t count)
{
	struct agent_event event = {
		.type = "hook", .reason = reason, .text = text,
		.for_hook = agent->hook.closing,
	};

	event.counts[0].name = "count";
	event.counts[0].n = count;
	if (name) {
		event.counts[1].name = name;
		event.counts[1].n = number;
	}
	agent_report(agent, &event);
}

void hook_report_more(struct agent *agent)
{
	uint64_t more = atomic_load(&agent->hook.page->more);
	char text[256];

	snprintf(text, sizeof(text), "%" PRIu64 " line%s of events had no room in the hook's input, which takes %u lines: read them where events go",
		 more, plural(more), HOOK_LINES);
	report(agent, "overflow", text, NULL, 0, more);
}

static void report_failures(struct agent *agent, uint64_t now)
{
	struct hook_page *page = agent->hook.page;
	enum hook_result result = (enum hook_result)atomic_load(&page->failed);
	unsigned int number = atomic_load(&page->failed_number);
	uint64_t count = atomic_load(&page->unreported);
	char how[HOOK_FAULT_MAX + 64], text[sizeof(how) + 320];

	describe(how, sizeof(how), page, result, number);
	snprintf(text, sizeof(text), "the hook %.256s %s", printable(agent->launch->hook),
		 how);
	report(agent, names[result], text,
	       result == HOOK_STATUS ? "exit_status" :
	       result == HOOK_SIGNAL ? "signal" : NULL,
	       number, count);
	atomic_store(&page->unreported, 0);
	atomic_store(&page->reported_at, now ? now : 1);
}

void hook_report_end(struct agent *agent, enum hook_result result, unsigned int number,
		     uint64_t now)
{
	struct hook_page *page = agent->hook.page;
	uint64_t last = atomic_load(&page->reported_at);

	atomic_store(&page->result, (uint32_t)result);
	atomic_store(&page->number, number);
	if (result == HOOK_DONE || result == HOOK_UNKNOWN)
		return;
	atomic_store(&page->failed, (uint32_t)result);
	atomic_store(&page->failed_number, number);
	atomic_fetch_add(&page->failures, 1);
	atomic_fetch_add(&page->unreported, 1);
	if (!last || now - last >= HOOK_REPORT_MS)
		report_failures(agent, now);
}

void hook_report_rest(struct agent *agent, uint64_t lines)
{
	char text[256];

	if (atomic_load(&agent->hook.page->unreported))
		report_failures(agent, clock_now());
	if (!lines)
		return;
	snprintf(text, sizeof(text), "%" PRIu64 " line%s of events reached no run of the hook, because the time for its runs after the VMM's end is over: read them where events go",
		 lines, plural(lines));
	report(agent, "ended", text, NULL, 0, lines);
}

void hook_put_status(struct json *json, const struct agent *agent)
{
	const struct hook_page *page = agent->hook.page;
	enum hook_result result;

	if (!page)
		return;
	result = result_of(page);
	json_object_begin(json, "hook");
	json_string(json, "program", agent->launch->hook);
	json_bool(json, "running", atomic_load(&page->pid));
	json_u64(json, "runs", atomic_load(&page->runs));
	json_u64(json, "failures", atomic_load(&page->failures));
	json_u64(json, "lines_waiting", hook_lines(page));
	json_string(json, "result", names[result]);
	if (result == HOOK_STATUS)
		json_u64(json, "exit_status", atomic_load(&page->number));
	if (result == HOOK_SIGNAL)
		json_u64(json, "signal", atomic_load(&page->number));
	if (result == HOOK_UNUSABLE)
		json_string(json, "text", page->fault);
	json_object_end(json);
}

const char *hook_status_text(char *text, size_t size, const struct agent *agent)
{
	const struct hook_page *page = agent->hook.page;
	char how[HOOK_FAULT_MAX + 64];
	uint64_t runs;

	*text = 0;
	if (!page)
		return text;
	runs = atomic_load(&page->runs);
	describe(how, sizeof(how), page, result_of(page), atomic_load(&page->number));
	snprintf(text, size, "; hook %.256s: %" PRIu64 " run%s, %" PRIu64 " failed, the last one %s%s",
		 agent->launch->hook, runs, plural(runs), atomic_load(&page->failures), how,
		 atomic_load(&page->pid) ? "; it is running now" : "");
	return text;
}
