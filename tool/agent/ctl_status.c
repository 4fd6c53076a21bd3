// SPDX-License-Identifier: GPL-2.0-only
/* `status`: line 0 is about the agent, the next lines are about VMs, the last ones vCPUs. */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

#include "agent_state.h"
#include "base/json.h"
#include "base/proc.h"
#include "base/words.h"
#include "ctl_return.h"
#include "ctl_status.h"
#include "ctl_status_vmm.h"
#include "ctl_status_line.h"
#include "ctl_status_vcpu.h"
#include "ctl_status_vm.h"
#include "event/event_parts.h"
#include "hook_report.h"
#include "launch_state.h"
#include "outage.h"
#include "policy/effective.h"

struct vcpu_tally ctl_count_vcpus(const struct ctl *ctl, uint32_t vm)
{
	const struct vcpu_status *vcpus = ctl->agent->launch->shared->vcpus;
	struct vcpu_tally tally = { .vcpus = 0 };

	for (unsigned int i = 0; i < STATUS_VCPUS; i++) {
		uint32_t flags = atomic_load(&vcpus[i].flags);

		if (!(flags & STATUS_PRESENT) ||
		    (vm != CONTROL_ALL_VMS && vcpus[i].vm != vm))
			continue;
		tally.vcpus++;
		tally.armed += !!(flags & STATUS_ARMED);
		tally.held += !!(flags & STATUS_HELD);
	}
	return tally;
}

static struct policy_tally tally_of(const struct launch *launch)
{
	return policy_tally(&launch->policy, launch->table.left_out);
}

static void put_mode(struct json *json, const struct launch *launch)
{
	struct policy_tally tally = tally_of(launch);

	json_string(json, "mode", policy_mode_names[
		policy_effective(&launch->policy, launch->written.own,
				 launch->mode)]);
	json_string(json, "policy_mode", policy_mode_names[launch->written.own]);
	if (launch->mode != MODE_POLICY)
		json_string(json, "operator_mode",
			    policy_mode_names[launch->mode]);
	json_u64(json, "rules_enforced", tally.enforced);
	json_u64(json, "rules_detected", tally.detected);
	json_u64(json, "rules_report", tally.report);
	json_u64(json, "rules_left_out", tally.left_out);
	json_u64(json, "rule_modes", launch->rule_modes.nr);
}

static enum status_line whole_json(const struct ctl *ctl, uint64_t now, char *buf)
{
	const struct agent *agent = ctl->agent;
	struct json json;

	status_begin(buf, &json);
	json_string(&json, "name", ctl->socket.name);
	json_string(&json, "policy_file", agent->launch->policy.source);
	json_u64(&json, "policy_number", agent->launch->policy.number);
	json_string(&json, "policy_sha256", agent->launch->written.hash);
	json_u64(&json, "rules", agent->launch->policy.nr_rules);
	put_mode(&json, agent->launch);
	return_put_status(&json, ctl, now);
	json_u64(&json, "attached", agent->attached);
	json_u64(&json, "violations_stopped", agent->violations);
	json_u64(&json, "vcpus_held",
		 ctl_count_vcpus(ctl, CONTROL_ALL_VMS).held);
	json_u64(&json, "violations_passed", agent->reports);
	json_u64(&json, "violations_detected", agent->detected);
	json_u64(&json, "dropped", agent->dropped);
	if (ctl->command.given)
		json_string(&json, "command",
			    ctl_verb_names[ctl->command.request.verb]);
	json_bool(&json, "answers", !ctl->command.expired);
	outage_put_status(&json, agent);
	hook_put_status(&json, agent);
	status_put_vmm(&json, agent);
	return status_end(&json, buf);
}

static enum status_line whole_text(const struct ctl *ctl, uint64_t now, char *buf)
{
	const struct agent *agent = ctl->agent;
	const struct launch *launch = agent->launch;
	struct policy_tally tally = tally_of(launch);
	char rules[128], mode[128], modes[64] = "", sink[512], hook[1024], trial[512];

	policy_tally_text(rules, sizeof(rules), &tally);
	policy_mode_text(mode, sizeof(mode), &launch->policy,
			 launch->written.own, launch->mode);
	if (launch->rule_modes.nr)
		snprintf(modes, sizeof(modes), "; the operator's mode of %u rule%s",
			 launch->rule_modes.nr, plural(launch->rule_modes.nr));
	snprintf(buf, EVENT_LINE_MAX, "%s: policy %s, %s (%s%s); violations: %" PRIu64 " stopped, %u held, %" PRIu64 " passed, %" PRIu64 " detected; %" PRIu64 " event%s dropped%s%s%s%s%s",
		 ctl->socket.name, launch->policy.source, mode, rules, modes,
		 agent->violations, ctl_count_vcpus(ctl, CONTROL_ALL_VMS).held, agent->reports,
		 agent->detected, agent->dropped, plural(agent->dropped),
		 outage_status_text(sink, sizeof(sink), agent),
		 hook_status_text(hook, sizeof(hook), agent),
		 ctl->command.expired ? "; THE VMM DOES NOT ANSWER COMMANDS" :
		 !agent->attached ? "; no VM yet" : "",
		 return_text(trial, sizeof(trial), ctl, now), status_vmm_text(agent));
	make_printable(buf);
	return STATUS_LINE;
}

/* One line about the agent. The policy's name may contain spaces, so it is last. */
static enum status_line whole_words(const struct ctl *ctl, uint64_t now, char *buf)
{
	const struct agent *agent = ctl->agent;
	const struct launch *launch = agent->launch;
	struct vcpu_tally vcpus = ctl_count_vcpus(ctl, CONTROL_ALL_VMS);
	struct policy_tally rules = tally_of(launch);
	struct ctl_windows windows = ctl_count_windows(ctl, now);

	snprintf(buf, EVENT_LINE_MAX, "mode=%s vcpus=%u vcpus_armed=%u vcpus_held=%u violations_stopped=%" PRIu64 " violations_passed=%" PRIu64 " violations_detected=%" PRIu64 " rules_enforced=%u rules_detected=%u rules_report=%u rules_left_out=%u rule_modes=%u windows=%u window_ms=%" PRIu64 " policy_hash=%.12s policy_file=%s",
		 policy_mode_names[policy_effective(&launch->policy,
						    launch->written.own,
						    launch->mode)],
		 vcpus.vcpus, vcpus.armed, vcpus.held, agent->violations,
		 agent->reports, agent->detected, rules.enforced,
		 rules.detected, rules.report, rules.left_out, launch->rule_modes.nr,
		 windows.nr, windows.left_ms, launch->written.hash, launch->policy.source);
	make_printable(buf);
	return STATUS_LINE;
}

enum status_line ctl_status_line(const struct ctl *ctl, uint64_t n,
				 enum status_format format, uint64_t now,
				 char *buf)
{
	bool json = format == STATUS_JSON;

	if (format == STATUS_WORDS)
		return n ? STATUS_END : whole_words(ctl, now, buf);
	if (n == 0)
		return json ? whole_json(ctl, now, buf) : whole_text(ctl, now, buf);
	if (n <= STATUS_VMS)
		return ctl_vm_line(ctl, (unsigned int)n - 1, json, now, buf);
	n -= STATUS_VMS + 1;
	if (n < STATUS_VCPUS)
		return ctl_vcpu_line(ctl, (unsigned int)n, json, now, buf);
	return STATUS_END;
}
