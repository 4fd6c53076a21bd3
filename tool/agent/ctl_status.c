// SPDX-License-Identifier: GPL-2.0-only
/* `status`: line 0 is about the agent, the next lines are about VMs, the last ones vCPUs. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>

#include "agent_state.h"
#include "base/json.h"
#include "base/proc.h"
#include "base/words.h"
#include "ctl_return.h"
#include "ctl_status.h"
#include "ctl_status_vmm.h"
#include "ctl_window.h"
#include "event/event_json.h"
#include "event/event_names.h"
#include "event/event_parts.h"
#include "hook_report.h"
#include "launch_state.h"
#include "outage.h"
#include "policies.h"
#include "policy/policy_diff_text.h"
#include "timed.h"

typedef uint64_t __attribute__((may_alias)) word;

_Static_assert(offsetof(struct vcpu_status, vcpu) == sizeof(word) &&
	       sizeof(struct vcpu_status) % sizeof(word) == 0,
	       "the flags and the VM's number are one word");

/*
 * Copies all but the flags, which the caller reads before and after: the acquire loads keep
 * that order.
 */
static void copy_words(const struct vcpu_status *from, struct vcpu_status *to)
{
	const word *in = (const word *)from;
	word *out = (word *)to;

	to->vm = __atomic_load_n(&from->vm, __ATOMIC_ACQUIRE);
	for (size_t i = 1; i < sizeof(*to) / sizeof(word); i++)
		out[i] = __atomic_load_n(&in[i], __ATOMIC_ACQUIRE);
}

/*
 * Copies an entry that may be changing. If its flags changed meanwhile, the event of a held
 * vCPU may be torn, so the copy is not shown as held.
 */
static bool copy_vcpu(const struct vcpu_status *from, struct vcpu_status *to)
{
	uint32_t flags = atomic_load(&from->flags);

	if (!(flags & STATUS_PRESENT))
		return false;
	copy_words(from, to);
	if (atomic_load(&from->flags) != flags)
		flags = atomic_load(&from->flags) & ~STATUS_HELD;
	atomic_init(&to->flags, flags);
	return flags & STATUS_PRESENT;
}

static uint32_t flags_of(const struct vcpu_status *vcpu)
{
	return atomic_load_explicit(&vcpu->flags, memory_order_relaxed);
}

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

static void begin(char *buf, struct json *json)
{
	json_buf_begin(json, buf, EVENT_LINE_MAX);
	json_u64(json, "version", JSON_VERSION);
}

/* Ends the line, without a line break. */
static enum status_line end(struct json *json, char *buf)
{
	size_t len = json_buf_end(json);

	if (!len)
		return STATUS_SKIP;
	buf[len - 1] = 0;
	return STATUS_LINE;
}

static void put_mode(struct json *json, const struct launch *launch)
{
	struct policy_tally tally = policy_tally(&launch->policy);

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
}

static enum status_line whole_json(const struct ctl *ctl, uint64_t now, char *buf)
{
	const struct agent *agent = ctl->agent;
	struct json json;

	begin(buf, &json);
	json_string(&json, "name", ctl->socket.name);
	json_string(&json, "policy_file", agent->launch->policy.source);
	json_u64(&json, "policy_number", agent->launch->policy.number);
	json_string(&json, "policy_sha256", agent->launch->written.hash);
	json_u64(&json, "rules", agent->launch->policy.nr_rules);
	put_mode(&json, agent->launch);
	return_put_status(&json, ctl, now);
	json_u64(&json, "attached", agent->attached);
	json_u64(&json, "violations", agent->violations);
	json_u64(&json, "vcpus_held",
		 ctl_count_vcpus(ctl, CONTROL_ALL_VMS).held);
	json_u64(&json, "reports", agent->reports);
	json_u64(&json, "detected", agent->detected);
	json_u64(&json, "dropped", agent->dropped);
	if (ctl->command.given)
		json_string(&json, "command",
			    ctl_verb_names[ctl->command.request.verb]);
	json_bool(&json, "answers", !ctl->command.expired);
	outage_put_status(&json, agent);
	hook_put_status(&json, agent);
	status_put_vmm(&json, agent);
	return end(&json, buf);
}

static enum status_line whole_text(const struct ctl *ctl, uint64_t now, char *buf)
{
	const struct agent *agent = ctl->agent;
	const struct launch *launch = agent->launch;
	char rules[128], mode[128], sink[512], hook[1024], trial[512];

	policy_tally_text(rules, sizeof(rules), &launch->policy);
	policy_mode_text(mode, sizeof(mode), &launch->policy,
			 launch->written.own, launch->mode);
	snprintf(buf, EVENT_LINE_MAX, "%s: policy %s, %s (%s); violations: %" PRIu64 " stopped, %u held, %" PRIu64 " let pass, %" PRIu64 " detected; %" PRIu64 " event%s dropped%s%s%s%s%s",
		 ctl->socket.name, launch->policy.source, mode, rules,
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

/* Milliseconds until the window of @vm closes, or 0 if that is not known. */
static uint64_t left_of(const struct ctl *ctl, uint32_t vm, uint64_t now)
{
	const struct ctl_window *window = ctl_find_window(ctl, vm);

	return window && window->until > now ? window->until - now : 0;
}

static bool is_once(const struct ctl *ctl, uint32_t vm)
{
	const struct ctl_window *window = ctl_find_window(ctl, vm);

	return window && window->once;
}

static const char *crs(uint32_t flags)
{
	if (flags & STATUS_FILTERED)
		return "filtered";
	if (!(flags & STATUS_POLLED))
		return "free";
	return flags & STATUS_UNREACHED ? "not-polled" : "detected";
}

static const char *armed(uint32_t flags)
{
	return !(flags & STATUS_ARMED) ? "not armed" :
	       flags & STATUS_SETUP ? "armed, in set-up" : "armed";
}

static bool is_current(const struct ctl *ctl, uint32_t policy)
{
	return policy == ctl->agent->launch->policy.number;
}

/* The condition that a VM which is not armed waits for, or "". */
static const char *waits_for(const struct ctl *ctl, uint32_t flags)
{
	if (flags & (STATUS_ARMED | STATUS_WINDOW) || !(flags & STATUS_CLOSED))
		return "";
	switch (ctl->agent->launch->policy.arming) {
	case ARM_REQUEST:
		return " (waits for the guest's request, or 'arm')";
	case ARM_OPERATOR:
		return " (waits for 'arm')";
	default:
		return " (DISARMED by the operator, until 'arm')";
	}
}

static enum status_line vm_json(const struct ctl *ctl, uint32_t flags,
				uint32_t vm, uint32_t policy, uint64_t now,
				char *buf)
{
	struct json json;

	begin(buf, &json);
	json_u64(&json, "vm", vm);
	json_bool(&json, "armed", flags & STATUS_ARMED);
	json_bool(&json, "in_setup", flags & STATUS_SETUP);
	json_bool(&json, "stopped", flags & STATUS_STOPPED);
	json_string(&json, "control_registers", crs(flags));
	json_u64(&json, "policy_number", policy);
	json_bool(&json, "current", is_current(ctl, policy));
	json_bool(&json, "window", flags & STATUS_WINDOW);
	if (flags & STATUS_WINDOW) {
		json_u64(&json, "left_ms", left_of(ctl, vm, now));
		json_bool(&json, "once", is_once(ctl, vm));
	}
	return end(&json, buf);
}

static enum status_line vm_text(const struct ctl *ctl, uint32_t flags,
				uint32_t vm, uint32_t policy, uint64_t now,
				char *buf)
{
	char window[96] = "", older[64] = "";

	if (!is_current(ctl, policy))
		snprintf(older, sizeof(older), ", still with an older policy (number %" PRIu32 ")",
			 policy);
	if (flags & STATUS_WINDOW)
		snprintf(window, sizeof(window), ", WINDOW OPEN for %" PRIu64 " s more%s",
			 (left_of(ctl, vm, now) + 999) / 1000,
			 is_once(ctl, vm) ? " or until a kernel has done its syscall set-up" : "");
	snprintf(buf, EVENT_LINE_MAX, "vm %" PRIu32 ": %s%s, control registers %s%s%s%s",
		 vm, armed(flags), waits_for(ctl, flags),
		 flags & STATUS_POLLED && flags & STATUS_UNREACHED ?
			 "NOT POLLED on some vCPU" : crs(flags),
		 window, flags & STATUS_STOPPED ? ", STOPPED" : "", older);
	return STATUS_LINE;
}

static enum status_line vm_line(const struct ctl *ctl, unsigned int slot,
				bool json, uint64_t now, char *buf)
{
	const struct vm_status *from = &ctl->agent->launch->shared->vms[slot];
	uint32_t flags = atomic_load(&from->flags), vm = from->vm;
	uint32_t policy = atomic_load(&from->policy);

	if (!(flags & STATUS_PRESENT))
		return STATUS_SKIP;
	return json ? vm_json(ctl, flags, vm, policy, now, buf) :
		      vm_text(ctl, flags, vm, policy, now, buf);
}

/* The line of the event for which a vCPU is held. Returns false if it is not valid. */
static bool held_json(const struct ctl *ctl, const struct vcpu_status *vcpu,
		      char line[EVENT_LINE_MAX])
{
	size_t len;

	if (!(flags_of(vcpu) & STATUS_HELD))
		return false;
	len = event_json(line, &vcpu->held,
			 policies_find(ctl->agent, vcpu->held.policy));
	if (!len)
		return false;
	line[len - 1] = 0;
	return true;
}

/* The number of the hold of a vCPU, as in its events, or 0. */
static uint64_t hold_of(const struct ctl *ctl, const struct vcpu_status *vcpu)
{
	if (!(flags_of(vcpu) & STATUS_HELD))
		return 0;
	return pauses_hold_of(&ctl->agent->pauses, &vcpu->held);
}

static enum status_line vcpu_json(const struct ctl *ctl, unsigned int slot,
				  const struct vcpu_status *vcpu, uint64_t now, char *buf)
{
	uint32_t flags = flags_of(vcpu);
	uint64_t hold = hold_of(ctl, vcpu);
	char held[EVENT_LINE_MAX];
	struct json json;

	begin(buf, &json);
	json_u64(&json, "vm", vcpu->vm);
	json_u64(&json, "vcpu", vcpu->vcpu);
	json_bool(&json, "armed", flags & STATUS_ARMED);
	json_bool(&json, "in_setup", flags & STATUS_SETUP);
	json_bool(&json, "fresh", flags & STATUS_FRESH);
	json_bool(&json, "held", flags & STATUS_HELD);
	if (hold)
		json_u64(&json, "hold", hold);
	json_bool(&json, "reached", !(flags & STATUS_UNREACHED));
	if (held_json(ctl, vcpu, held))
		json_raw(&json, "held_by", held);
	if (flags & STATUS_HELD)
		timed_put_status(&json, ctl->agent, slot, &vcpu->held, now);
	return end(&json, buf);
}

/*
 * ": 0x751ef0 -> 0x651ef0" for a write, ": 0x1" for a read. Values that were not read are left
 * out.
 */
static void values_text(const struct regpin_event *held, char *buf, size_t size)
{
	bool read = !held->write && held->type != REGPIN_EVENT_DETECTED;
	size_t used = 0;

	*buf = 0;
	if (!(held->unread & REGPIN_UNREAD_OLD))
		used = (size_t)snprintf(buf, size, ": 0x%" PRIx64,
					(uint64_t)held->old_value);
	if (!read && !(held->unread & REGPIN_UNREAD_NEW))
		snprintf(buf + used, size - used, "%s0x%" PRIx64,
			 used ? " -> " : ": ", (uint64_t)held->new_value);
}

/* "write of CR4: 0x751ef0 -> 0x651ef0 (SMEP): sticky, linux.yaml:60:5" */
static void held_text(const struct ctl *ctl, const struct vcpu_status *vcpu,
		      char *buf, size_t size)
{
	const struct regpin_event *held = &vcpu->held;
	const struct regpin_policy *policy = policies_find(ctl->agent, held->policy);
	char name[REGISTER_NAME_MAX], bits[64 * 32] = "", where[400] = "";
	char place[PLACE_MAX];
	char values[64];

	if (!event_is_valid(held)) {
		snprintf(buf, size, "its event can't be read");
		return;
	}
	if (held->type != REGPIN_EVENT_VIOLATION &&
	    held->type != REGPIN_EVENT_DETECTED) {
		snprintf(buf, size, "%s", event_type_names[held->type]);
		return;
	}
	if (held->bits && held->bits != UINT64_MAX)
		register_bits_text(bits, sizeof(bits), held->kind, held->index,
				   held->bits);
	if (!policy)
		snprintf(where, sizeof(where), ": by an older policy (number %" PRIu32 ")",
			 held->policy);
	else if (held->rule < policy->nr_rules)
		snprintf(where, sizeof(where), ": %s, %s",
			 rule_type_names[policy->rules[held->rule].type],
			 policy_place(place, policy,
				      policy->rules[held->rule].line,
				      policy->rules[held->rule].column));
	values_text(held, values, sizeof(values));
	snprintf(buf, size, "%s%s of %s%s%s%s%s%s",
		 held->type == REGPIN_EVENT_DETECTED ? "found after a " : "",
		 held->write || held->type == REGPIN_EVENT_DETECTED ?
			 "write" : "read", event_register_name(name, held->kind, held->index),
		 values, *bits ? " (" : "", bits, *bits ? ")" : "", where);
}

static enum status_line vcpu_text(const struct ctl *ctl, unsigned int slot,
				  const struct vcpu_status *vcpu, uint64_t now, char *buf)
{
	uint32_t flags = flags_of(vcpu);
	uint64_t hold = hold_of(ctl, vcpu);
	char answer[64] = "";
	/* Room for the names of 64 bits and the rule's place. */
	char held[3072] = "", number[32] = "";

	if (flags & STATUS_HELD)
		held_text(ctl, vcpu, held, sizeof(held));
	if (hold)
		snprintf(number, sizeof(number), ", hold %" PRIu64, hold);
	if (flags & STATUS_HELD)
		timed_text(answer, sizeof(answer), ctl->agent, slot, &vcpu->held, now);
	snprintf(buf, EVENT_LINE_MAX, "vm %" PRIu32 " vcpu %" PRIu32 ": %s%s%s%s%s%s%s",
		 vcpu->vm, vcpu->vcpu,
		 armed(flags),
		 flags & STATUS_FRESH ? ", fresh since its INIT" : "",
		 flags & STATUS_UNREACHED ?
			 ", NOT REACHED by regpin's signal (see its event 'unreached')" : "",
		 flags & STATUS_HELD ? ", HELD: " : "", held, number, answer);
	make_printable(buf);
	return STATUS_LINE;
}

static enum status_line vcpu_line(const struct ctl *ctl, unsigned int slot,
				  bool json, uint64_t now, char *buf)
{
	struct vcpu_status vcpu;

	if (!copy_vcpu(&ctl->agent->launch->shared->vcpus[slot], &vcpu))
		return STATUS_SKIP;
	return json ? vcpu_json(ctl, slot, &vcpu, now, buf) :
		      vcpu_text(ctl, slot, &vcpu, now, buf);
}

/* One line about the agent. The policy's name may contain spaces, so it is last. */
static enum status_line whole_words(const struct ctl *ctl, char *buf)
{
	const struct agent *agent = ctl->agent;
	const struct launch *launch = agent->launch;
	struct vcpu_tally vcpus = ctl_count_vcpus(ctl, CONTROL_ALL_VMS);
	struct policy_tally rules = policy_tally(&launch->policy);

	snprintf(buf, EVENT_LINE_MAX, "mode=%s vcpus=%u vcpus_armed=%u vcpus_held=%u violations=%" PRIu64 " reports=%" PRIu64 " detected=%" PRIu64 " rules_enforced=%u rules_detected=%u rules_report=%u policy_file=%s",
		 policy_mode_names[policy_effective(&launch->policy,
						    launch->written.own,
						    launch->mode)],
		 vcpus.vcpus, vcpus.armed, vcpus.held, agent->violations,
		 agent->reports, agent->detected, rules.enforced,
		 rules.detected, rules.report, launch->policy.source);
	make_printable(buf);
	return STATUS_LINE;
}

enum status_line ctl_status_line(const struct ctl *ctl, uint64_t n,
				 enum status_format format, uint64_t now,
				 char *buf)
{
	bool json = format == STATUS_JSON;

	if (format == STATUS_WORDS)
		return n ? STATUS_END : whole_words(ctl, buf);
	if (n == 0)
		return json ? whole_json(ctl, now, buf) : whole_text(ctl, now, buf);
	if (n <= STATUS_VMS)
		return vm_line(ctl, (unsigned int)n - 1, json, now, buf);
	n -= STATUS_VMS + 1;
	if (n < STATUS_VCPUS)
		return vcpu_line(ctl, (unsigned int)n, json, now, buf);
	return STATUS_END;
}
