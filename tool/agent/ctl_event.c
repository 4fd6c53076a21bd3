// SPDX-License-Identifier: GPL-2.0-only
/* An event for each command: the operator, the command, its result and its time. */
#include "agent_output.h"
#include "agent_state.h"
#include "base/clock.h"
#include "base/json.h"
#include "ctl_event.h"
#include "ctl_proposal_state.h"
#include "event/event_names.h"
#include "event/event_parts.h"
#include "event/event_severity.h"
#include "policy/policy_diff_list.h"

static void begin(char *buf, struct json *json)
{
	event_line_begin(buf, json, clock_wall(), "control");
}

static void end(struct ctl *ctl, struct json *json, const char *buf,
		const char *result)
{
	agent_write_line(ctl->agent, buf,
		   event_line_end(json, control_severity(result)));
}

static void put_operator(struct json *json, uint32_t uid, uint32_t pid)
{
	json_object_begin(json, "operator");
	json_u64(json, "uid", uid);
	json_u64(json, "pid", pid);
	json_object_end(json);
}

static void put_proposal(struct json *json, const struct ctl_proposal *proposal)
{
	enum policy_mode effective = policy_effective(&proposal->policy,
						      proposal->written.own, proposal->mode);

	json_string(json, "policy_file", proposal->policy.source);
	json_u64(json, "loosens", proposal->diff.counts[DIFF_LOOSENS]);
	json_u64(json, "tightens", proposal->diff.counts[DIFF_TIGHTENS]);
	json_u64(json, "changes", proposal->diff.counts[DIFF_CHANGES]);
	json_string(json, "mode", policy_mode_names[effective]);
	/* The name that the key policy_file had before version 1. */
	json_string(json, "policy", proposal->policy.source);
	if (proposal->confirm_ms)
		json_u64(json, "confirm_ms", proposal->confirm_ms);
	if (proposal->modes.nr)
		json_u64(json, "rule_modes", proposal->modes.nr);
}

static void put_command(struct json *json, const struct vmm_command *command)
{
	const struct ctl_request *request = &command->request;

	if (command->vm != CONTROL_ALL_VMS)
		json_u64(json, "vm", command->vm);
	if (request->has & (1u << CTL_KEY_VCPU))
		json_u64(json, "vcpu", request->vcpu);
	if (request->verb == CTL_WINDOW) {
		json_u64(json, "for_ms", request->ms);
		json_bool(json, "once", request->once);
	}
	if (request->verb == CTL_MODE)
		json_string(json, "to", policy_mode_names[request->mode]);
	if (command->proposal && command->proposal->has_target)
		event_put_rule(json, &command->proposal->policy,
			       &command->proposal->target_rule);
	if (command->proposal)
		put_proposal(json, command->proposal);
}

/* The command as the operator knows it: `apply` completes `policy` or `rollback`. */
static const char *command_name(const struct vmm_command *command)
{
	if (command->request.verb != CTL_APPLY)
		return ctl_verb_names[command->request.verb];
	return ctl_verb_names[command->proposal && command->proposal->rollback ?
				      CTL_ROLLBACK : CTL_POLICY];
}

void ctl_report_command(struct ctl *ctl, const struct vmm_command *command, const char *code,
			const char *text, uint64_t now)
{
	const struct line_about about = { .hold = command->hold };
	const struct budget_line line = { .kind = BUDGET_CONTROL, .count = 1 };
	char buf[EVENT_LINE_MAX];
	struct json json;

	/* A compromised process can claim holds, so these lines use its budget. */
	if (command->timed && !budget_pass(&ctl->agent->budget, &line, now))
		return;
	begin(buf, &json);
	json_string(&json, "command", command_name(command));
	if (command->own)
		json_string(&json, "cause", "unconfirmed");
	put_command(&json, command);
	if (command->timed)
		json_string(&json, "by", "time");
	else
		put_operator(&json, command->uid, command->pid);
	json_string(&json, "result", code ? code : "done");
	if (text)
		json_string(&json, "text", text);
	if (command->expired)
		json_bool(&json, "late", true);
	json_u64(&json, "took_ms", now - command->begun);
	agent_write_line_of(ctl->agent, buf, event_line_end(&json, control_severity(code)),
			    &about);
}

void ctl_report_done(struct ctl *ctl, enum ctl_verb verb, const struct ctl_conn *operator,
		     const char *text)
{
	char buf[EVENT_LINE_MAX];
	struct json json;

	begin(buf, &json);
	json_string(&json, "command", ctl_verb_names[verb]);
	put_operator(&json, operator->uid, operator->pid);
	json_string(&json, "result", text ? "failed" : "done");
	if (text)
		json_string(&json, "text", text);
	json_u64(&json, "took_ms", 0);
	end(ctl, &json, buf, text ? "failed" : NULL);
}

void ctl_report_denied(struct ctl *ctl, uint32_t uid, uint32_t pid,
		       uint64_t count)
{
	char buf[EVENT_LINE_MAX];
	struct json json;

	begin(buf, &json);
	put_operator(&json, uid, pid);
	json_string(&json, "result", "denied");
	json_u64(&json, "count", count);
	end(ctl, &json, buf, "denied");
}
