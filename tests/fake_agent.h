/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An agent without a VMM, for tests of its control socket: the handoff is plain memory,
 * clients are ends of socket pairs, and the clock is a variable.
 */
#ifndef REGPIN_TESTS_FAKE_AGENT_H
#define REGPIN_TESTS_FAKE_AGENT_H

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/agent_state.h"
#include "agent/ctl.h"
#include "agent/launch_state.h"
#include "agent/out.h"
#include "agent/rule_counts.h"
#include "build_policy.h"
#include "lib/kvm/host.h"
#include "lib/policy/registers.h"
#include "lib/ring.h"
#include "policy/policy_written.h"

static struct handoff fake_handoff;
static struct control fake_control;
static struct launch fake_launch;
static struct out fake_out;
static struct agent fake_agent;
static uint64_t fake_now;

/* The policy as text, for code that reads it again; there its rules have other places. */
static const char fake_text[] =
	"version: 1\nrules:\n"
	"  - {register: EFER, sticky: [NXE]}\n"
	"  - {register: CR0, sticky: [WP], action: pause}\n";

/* One VM of two vCPUs; a policy on EFER.NXE (rule 0) and CR0.WP (rule 1). */
static inline struct ctl *fake_begin(void)
{
	const struct ctl_socket none = { .fd = -1, .dir = -1, .name = "vm1" };
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);

	add_pin(policy, RULE_STICKY, MSR_EFER, EFER_NXE, REGPIN_GP);
	add_rule(policy, RULE_STICKY, REGPIN_CR0, 0, 1u << 16, REGPIN_PAUSE);
	if (finish_policy(policy))
		abort();
	memset(&fake_handoff, 0, sizeof(fake_handoff));
	memset(&fake_control, 0, sizeof(fake_control));
	ring_init(&fake_handoff.ring);
	memset(&fake_launch, 0, sizeof(fake_launch));
	fake_launch.policy = *policy;
	fake_launch.policy.number = 1;
	if (policy_keep(&fake_launch.written, "test.yaml", fake_text,
			strlen(fake_text)))
		abort();
	fake_launch.written.own = MODE_ENFORCE;
	free(policy);
	if (rule_table_make(&fake_launch.table, &fake_launch.policy, NULL))
		abort();
	fake_launch.shared = &fake_handoff;
	fake_launch.control = &fake_control;
	/* A host that can enforce all rules, so that no test depends on this one. */
	fake_launch.host = (struct host){
		.api_version = 12, .msr_filter = true, .msr_exits = true,
		.cr_filter = true,
	};
	memset(&fake_out, 0, offsetof(struct out, buf));
	fake_out.fd = fake_out.fifo = -1;
	memset(&fake_agent, 0, sizeof(fake_agent));
	fake_agent.launch = &fake_launch;
	fake_agent.events = fake_agent.messages = &fake_out;
	fake_agent.attached = 1;
	fake_agent.policies.given = 1;
	/* The test itself is the VMM's process. */
	fake_agent.watch.nr = 1;
	fake_agent.watch.list[0] = (struct watched){
		.pid = getpid(), .fd = -1, .vm = true,
	};
	if (rule_counts_begin(&fake_agent))
		abort();
	fake_now = 1000000;
	ctl_init(&fake_agent.ctl, &fake_agent, &none);
	for (unsigned int i = 0; i < 2; i++) {
		fake_handoff.vcpus[i].vcpu = i;
		atomic_store(&fake_handoff.vcpus[i].flags,
			     STATUS_PRESENT | STATUS_ARMED);
	}
	fake_handoff.vms[0].policy = fake_launch.policy.number;
	atomic_store(&fake_handoff.vms[0].flags,
		     STATUS_PRESENT | STATUS_ARMED | STATUS_FILTERED);
	return &fake_agent.ctl;
}

static inline void fake_end(struct ctl *ctl)
{
	ctl_end_commands(ctl);
	ctl_end(ctl);
	policy_forget(&fake_launch.written);
	rule_table_free(&fake_launch.table);
	rule_counts_end(&fake_agent);
}

/* Connects a client of this user; returns its end. */
static inline int fake_client_of(struct ctl *ctl, uint32_t uid)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) < 0)
		abort();
	ctl_adopt(ctl, ends[0], uid, 4711, fake_now);
	return ends[1];
}

static inline int fake_client(struct ctl *ctl)
{
	return fake_client_of(ctl, 0);
}

static inline void fake_hold(unsigned int vcpu)
{
	fake_handoff.vcpus[vcpu].held = (struct regpin_event){
		.type = REGPIN_EVENT_VIOLATION, .vcpu = vcpu,
		.kind = REGPIN_CR0, .write = 1, .bits = 1u << 16,
		.old_value = 0x80050033, .new_value = 0x80040033,
		.value = 0x80050033, .action = REGPIN_PAUSE, .rule = 1,
		.policy = fake_launch.policy.number,
	};
	atomic_fetch_or(&fake_handoff.vcpus[vcpu].flags, STATUS_HELD);
}

/* The VMM's process answers the command that it is doing. */
static inline void fake_answer(int32_t result)
{
	struct control_answer *answer = &fake_handoff.answer;

	answer->result = result;
	atomic_store(&answer->done, atomic_load(&fake_control.request));
}

#endif
