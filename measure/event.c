// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of an event in the agent, in instructions: prints "KEY NUMBER" lines for ./bench.
 * An event is taken from the ring and becomes a line in the buffer of the events' file and in
 * the log of the last events. Build with -O2.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>

#include "agent/report.h"
#include "fake_agent.h"
#include "steps.h"

#define WARM_UP	600	/* more than the log's lines, so that each line frees another one */

/* An event of an access, with all keys that it can have. */
static const struct regpin_event violation = {
	.time = 1764460800123456789, .type = REGPIN_EVENT_VIOLATION, .vcpu = 1,
	.kind = REGPIN_MSR, .index = MSR_EFER, .write = 1, .bits = EFER_NXE,
	.old_value = 0xd01, .new_value = 0x501, .value = 0xd01,
	.has_rip = 1, .rip = 0xffffffff81000000, .cpl = 0,
	.action = REGPIN_GP, .rule = 0, .policy = 1,
};

static const struct regpin_event armed = {
	.time = 1764460800123456789, .type = REGPIN_EVENT_ARMED, .vcpu = 1,
	.detail = REGPIN_BY_SYSCALL_ENTRY, .rule = REGPIN_NO_RULE, .policy = 1,
};

/* The work of the agent for one event, after it has been woken. */
static void report_one(const void *event)
{
	report_events(&fake_agent);
}

/* The instructions for one more event: those for two less those for one. */
static unsigned int cost(const struct regpin_event *event)
{
	unsigned int one;

	for (int i = 0; i < WARM_UP; i++) {
		ring_put(&fake_handoff.ring, event);
		report_one(NULL);
		fake_out.len = 0;
	}
	ring_put(&fake_handoff.ring, event);
	one = steps_of(report_one, NULL);
	ring_put(&fake_handoff.ring, event);
	return steps_of(report_one, NULL) - one;
}

int main(void)
{
	fake_begin();
	fake_out.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (fake_out.fd < 0)
		err(1, "/dev/null");
	/* The keys that all lines have. */
	fake_agent.policies.names[0].number = fake_launch.policy.number;
	event_policy_init(&fake_agent.policies.names[0], "linux.yaml",
			  fake_launch.written.hash, "enforce",
			  &(struct event_rules){ 17, 0, 0, 0 });
	strcpy(fake_agent.host, "host1");
	printf("event.violation %u\n", cost(&violation));
	report_one(NULL);
	fake_out.len = 0;
	printf("event.armed %u\n", cost(&armed));
	return 0;
}
