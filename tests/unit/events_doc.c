// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lines of events for events_doc.sh, by the code that writes them: "example LINE" for
 * each event of the library, and "line LINE" for each way in which its keys can differ.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "event/event_json.h"
#include "event/event_parts.h"
#include "event/event_sum_json.h"
#include "event/event_tail.h"
#include "lib/policy/policy.h"
#include "lib/policy/registers.h"

/* 2026-11-30T08:06:30.892697855Z */
#define TIME	1796025990892697855ull
#define SECOND	1000000000ull

#define HASH	"6ec2df43a84d9b64a4a2b23a7c0e8c06c1a1b5e9a3f0cf4d1b7e5f0d2c3b4a59"

static struct regpin_policy policy = {
	.nr_rules = 6,
	.source = "linux.yaml",
	.rules = {
		{ .mask = 1 << 16, .count = 1, .line = 79, .column = 5,
		  .kind = REGPIN_CR0, .type = RULE_STICKY, .action = REGPIN_GP,
		  .access = ACCESS_WRITE },
		{ .mask = EFER_NXE, .index = MSR_EFER, .count = 1, .line = 66,
		  .column = 5, .kind = REGPIN_MSR, .type = RULE_STICKY,
		  .action = REGPIN_GP, .access = ACCESS_WRITE },
		{ .mask = UINT64_MAX, .index = 0x10a, .count = 6, .line = 90,
		  .column = 5, .kind = REGPIN_MSR, .type = RULE_DENY,
		  .action = REGPIN_GP, .access = ACCESS_READ | ACCESS_WRITE },
		{ .mask = 1 << 20 | 1 << 21, .count = 1, .line = 102,
		  .column = 5, .kind = REGPIN_CR4, .type = RULE_REQUIRE,
		  .action = REGPIN_GP, .access = ACCESS_WRITE },
		{ .mask = UINT64_MAX, .line = 3, .column = 1,
		  .kind = REGPIN_MSR, .type = RULE_UNKNOWN,
		  .action = REGPIN_REPORT, .access = ACCESS_READ | ACCESS_WRITE },
		{ .mask = UINT64_MAX, .line = 2, .column = 1,
		  .kind = REGPIN_MSR, .type = RULE_DEFAULT, .action = REGPIN_GP,
		  .access = ACCESS_READ | ACCESS_WRITE },
	},
};

static const struct regpin_event examples[] = {
	{ .type = REGPIN_EVENT_VIOLATION, .kind = REGPIN_CR0, .write = 1,
	  .bits = 1 << 16, .old_value = 0x80050033, .new_value = 0x80040033,
	  .value = 0x80050033, .rip = 0xffffffffc04cd815, .has_rip = 1,
	  .action = REGPIN_GP },
	{ .type = REGPIN_EVENT_VMM_WRITE, .index = MSR_EFER, .write = 1,
	  .bits = EFER_NXE, .old_value = 0xd01, .new_value = 0x501,
	  .value = 0x501, .rule = 1 },
	{ .type = REGPIN_EVENT_DETECTED, .kind = REGPIN_CR0, .write = 1,
	  .bits = 1 << 16, .old_value = 0x80050033, .new_value = 0x80040033,
	  .value = 0x80050033, .detail = 10234, .action = REGPIN_MASK },
	{ .type = REGPIN_EVENT_ARMED, .detail = REGPIN_BY_SYSCALL_ENTRY },
	{ .type = REGPIN_EVENT_DISARMED, .detail = REGPIN_BY_WINDOW },
	{ .type = REGPIN_EVENT_RESET },
	{ .type = REGPIN_EVENT_SETTLED, .index = MSR_PAT, .write = 1,
	  .old_value = 0x7040600070406, .new_value = 0x407050600070106,
	  .value = 0x407050600070106 },
	{ .type = REGPIN_EVENT_INIT, .vcpu = 1, .old_value = 0x3706f0,
	  .new_value = 0x80050033, .value = 0xd01, .action = REGPIN_ALLOW },
	{ .type = REGPIN_EVENT_DEADLINE, .vcpu = 1, .detail = 2003,
	  .action = REGPIN_PAUSE },
	{ .type = REGPIN_EVENT_SHUTDOWN, .vcpu = 1 },
	{ .type = REGPIN_EVENT_ANSWERED, .action = REGPIN_GP },
	{ .type = REGPIN_EVENT_UNREACHED, .vcpu = 1, .index = 62,
	  .detail = REGPIN_SIGNAL_BLOCKED },
	{ .type = REGPIN_EVENT_FAILED, .index = MSR_LSTAR, .detail = EIO,
	  .rule = REGPIN_NO_RULE },
	{ .type = REGPIN_EVENT_ATTACHED, .vcpu = REGPIN_NO_VCPU },
	{ .type = REGPIN_EVENT_POLICY, .vcpu = REGPIN_NO_VCPU },
	{ .type = REGPIN_EVENT_REFUSED, .detail = REGPIN_REFUSED_SVM },
	{ .type = REGPIN_EVENT_TOLERATED, .detail = REGPIN_REFUSED_VMX },
};

/* An event that holds a vCPU, or the answer to one. */
static bool may_hold(const struct regpin_event *event)
{
	return event->type == REGPIN_EVENT_ANSWERED ||
	       (event->action == REGPIN_PAUSE &&
		(event->type == REGPIN_EVENT_VIOLATION ||
		 event->type == REGPIN_EVENT_DETECTED ||
		 event->type == REGPIN_EVENT_INIT ||
		 event->type == REGPIN_EVENT_DEADLINE));
}

/*
 * Prints the line with the keys that the agent adds. @hold: 0, or the number of a line.
 * @timed: an answer that the agent gave.
 */
static void put_line(const char *how, char *line, size_t len,
		     const struct regpin_policy *of, bool whole, uint64_t hold, bool timed)
{
	static struct event_policy name;
	static char origin[ORIGIN_MAX];
	const struct event_tail tail = {
		.seq = 17, .hold = hold, .origin = origin,
		.policy = of ? &name : NULL, .whole = whole, .timed = timed,
	};

	if (!len)
		return;
	event_policy_init(&name, policy.source, HASH, "enforce",
			  &(struct event_rules){ 11, 6, 0, 0 });
	event_origin(origin, "web1", "host3", 4711);
	event_add_tail(line, len, &tail);
	printf("%s %s", how, line);
}

static void put_event(const char *how, const struct regpin_event *event,
		      const struct regpin_policy *of)
{
	char line[EVENT_LINE_MAX];

	bool whole = event->type == REGPIN_EVENT_ATTACHED ||
		     event->type == REGPIN_EVENT_POLICY;

	put_line(how, line, event_json(line, event, of), of, whole, 0, false);
	if (*how == 'l' && may_hold(event))
		put_line(how, line, event_json(line, event, of), of, whole, 16,
			 event->type == REGPIN_EVENT_ANSWERED);
}

static void put_sum(const char *how, const char *name,
		    const struct limit_sum *sum, bool many_kinds,
		    const struct regpin_policy *of)
{
	char line[EVENT_LINE_MAX];

	put_line(how, line, event_sum_json(line, name, sum, many_kinds, of,
					   TIME + SECOND), of, false, 0, false);
}

/*
 * Varies an access, or a detected value: events about these differ most in what is known.
 */
static void vary_access(struct regpin_event event)
{
	static const uint64_t bits[] = { 1, UINT64_MAX };

	event.has_rip = !event.has_rip;
	for (unsigned int n = 0; n < 2 * 8 * (policy.nr_rules + 1); n++) {
		event.bits = bits[n % 2];
		event.unread = n / 2 % 8;
		event.rule = n / 16;
		event.kind = n % 3 ? REGPIN_MSR : REGPIN_CR4;
		put_event("line", &event, &policy);
	}
	event.rule = 0;
	put_event("line", &event, NULL);
}

/* Types whose events can be about the VM instead of a vCPU. */
static bool may_lack_vcpu(uint32_t type)
{
	return type == REGPIN_EVENT_REFUSED || type == REGPIN_EVENT_TOLERATED ||
	       type == REGPIN_EVENT_UNREACHED;
}

static bool is_access(uint32_t type)
{
	return type == REGPIN_EVENT_VIOLATION ||
	       type == REGPIN_EVENT_VMM_WRITE || type == REGPIN_EVENT_DETECTED;
}

/* The library makes no violation that is allowed without being reported. */
static bool has_action(uint32_t type, unsigned int action)
{
	return action != REGPIN_ALLOW || type != REGPIN_EVENT_VIOLATION;
}

/* The reasons that an event can have, if it is of one of the two types with reasons. */
static bool has_detail(uint32_t type, uint32_t detail)
{
	if (type == REGPIN_EVENT_REFUSED)
		return detail != REGPIN_REFUSED_VMLOAD;
	return type != REGPIN_EVENT_TOLERATED ||
	       detail < REGPIN_REFUSED_FILTER || detail == REGPIN_REFUSED_VMLOAD;
}

static void vary_one(struct regpin_event event)
{
	if (is_access(event.type))
		vary_access(event);
	if (event.type == REGPIN_EVENT_VIOLATION) {
		event.write = 0;
		vary_access(event);
	}
	if (event.type == REGPIN_EVENT_FAILED) {
		event.rule = 1;
		put_event("line", &event, NULL);
	}
	put_event("line", &event, &policy);
	if (event.type == REGPIN_EVENT_ATTACHED ||
	    event.type == REGPIN_EVENT_POLICY)
		put_event("line", &event, NULL);
	if (may_lack_vcpu(event.type)) {
		event.vcpu = REGPIN_NO_VCPU;
		put_event("line", &event, &policy);
	}
	event.kind = REGPIN_CR4;
	if (event.type == REGPIN_EVENT_FAILED)
		put_event("line", &event, &policy);
	event.kind = REGPIN_MSR;
	/* A filter without room names the MSRs. */
	event.value = 2;
	event.bits = 1;
	if (event.type == REGPIN_EVENT_REFUSED)
		put_event("line", &event, &policy);
}

static void vary(const struct regpin_event *example)
{
	static const uint32_t details[] = { 133, 2000, REGPIN_FOUND_BY_POLICY };
	struct regpin_event event = *example;

	for (unsigned int a = 0; a < REGPIN_ACTION_MAX; a++) {
		event.action = (__u8)a;
		if (!has_action(event.type, a))
			continue;
		for (event.detail = 0; event.detail < REGPIN_REFUSED_MAX; event.detail++)
			if (has_detail(event.type, event.detail))
				vary_one(event);
		for (unsigned int i = 0; i < 3; i++) {
			event.detail = details[i];
			vary_one(event);
		}
	}
}

static void vary_sum(const char *name, struct limit_sum sum)
{
	for (unsigned int n = 0; n < 64; n++) {
		sum.many_vcpus = n & 1;
		sum.many_actions = n & 2;
		sum.nr_indices = n & 4 ? 2 : 0;
		sum.indices[0] = 0x10;
		sum.indices[1] = 0x11;
		sum.more_indices = sum.nr_indices && n & 8;
		sum.event.write = n & 16 ? 1 : 0;
		sum.event.unread = n & 32 ? 7 : 0;
		for (sum.event.rule = 0; sum.event.rule <= policy.nr_rules; sum.event.rule++)
			put_sum("line", name, &sum, false, &policy);
	}
	sum.event.rule = 0;
	put_sum("line", name, &sum, false, NULL);
}

int main(void)
{
	struct limit_sum sum = { .count = 390, .first = TIME };

	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		struct regpin_event event = examples[i];

		event.time = TIME;
		put_event("example", &event, &policy);
		vary(&event);
		sum.event = event;
		vary_sum("repeated", sum);
		vary_sum("dropped", sum);
	}
	sum = (struct limit_sum){ .event = examples[0], .count = 390, .first = TIME };
	sum.event.time = TIME + SECOND;
	put_sum("example", "repeated", &sum, false, &policy);
	put_sum("example", "dropped", &sum, false, &policy);
	put_sum("line", "repeated", &sum, true, &policy);
	return 0;
}
