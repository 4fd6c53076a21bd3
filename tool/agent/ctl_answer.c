// SPDX-License-Identifier: GPL-2.0-only
/* Answers to requests. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent_state.h"
#include "base/printable.h"
#include "ctl_answer.h"
#include "ctl_event.h"
#include "ctl_proposal.h"
#include "ctl_return.h"
#include "ctl_rules.h"
#include "ctl_status.h"
#include "event/event_parts.h"
#include "launch_state.h"
#include "moves.h"
#include "policy/policy_kept.h"
#include "sink.h"
#include "standby.h"
#include "vmm_command.h"

static void put_help(struct ctl_conn *conn, uint64_t now)
{
	const char *line = ctl_help_line((unsigned int)conn->at++);

	if (line)
		conn_line(conn, "data %s", line);
	else
		conn_ok(conn, now, "%s", "");
}

/* A copy of the policy in force, because another one may replace it before all is sent. */
static void begin_text(struct ctl *ctl, struct ctl_conn *conn, uint64_t now)
{
	const struct policy_written *written = &ctl->agent->launch->written;
	char head[KEPT_HEAD_MAX];
	size_t len = kept_head(head, written->hash, written->name);

	free(conn->body);
	conn->body_len = len + written->size;
	conn->body = malloc(conn->body_len);
	if (!conn->body) {
		conn_error(conn, now, "memory", "the agent is out of memory");
		return;
	}
	memcpy(conn->body, head, len);
	memcpy(conn->body + len, written->text, written->size);
	conn_line(conn, "text %zu", conn->body_len);
	conn->state = CONN_TEXT;
}

static void put_text(struct ctl_conn *conn, uint64_t now)
{
	conn->at += conn_bytes(conn, conn->body + conn->at, conn->body_len - conn->at);
	if (conn->at < conn->body_len)
		return;
	free(conn->body);
	conn->body = NULL;
	conn_ok(conn, now, "%s", "");
}

static void put_status(struct ctl *ctl, struct ctl_conn *conn, uint64_t now)
{
	char buf[EVENT_LINE_MAX];

	/* Rows of two policies, mixed, would describe neither of them. */
	if (conn->request.verb == CTL_RULES &&
	    conn->end != ctl->agent->launch->policy.number) {
		conn_error(conn, now, "changed", "another policy has come into force meanwhile: ask again");
		return;
	}
	switch (conn->request.verb == CTL_RULES ?
		ctl_rules_line(ctl, conn->at++, conn->request.format, buf) :
		ctl_status_line(ctl, conn->at++, conn->request.format, now, buf)) {
	case STATUS_LINE:
		conn_line(conn, "data %s", buf);
		break;
	case STATUS_END:
		conn_ok(conn, now, "%s", "");
		break;
	case STATUS_SKIP:
		break;
	}
}

/* Returns false if there is no further event yet. */
static bool put_event(struct ctl *ctl, struct ctl_conn *conn, uint64_t now)
{
	uint64_t first = ctl_log_first(&ctl->log);
	const char *line;

	if (conn->at < first) {
		conn_line(conn, "dropped %llu",
			  (unsigned long long)(first - conn->at));
		conn->at = first;
	} else if (!conn->request.follow && conn->at >= conn->end) {
		conn_ok(conn, now, "%s", "");
	} else if (conn->at >= ctl->log.next) {
		if (!ctl->ended)
			return false;
		conn->state = CONN_CLOSING;
		conn_ok(conn, now, "the VMM has ended");
	} else {
		line = ctl_log_line(&ctl->log, conn->at++);
		if (line)
			conn_line(conn, "data %s", line);
		else	/* no memory */
			conn_line(conn, "dropped 1");
	}
	return true;
}

static void enqueue(struct ctl *ctl, struct ctl_conn *conn, uint64_t now)
{
	uint32_t vm;

	if (ctl->ended)
		conn_error(conn, now, "ended", "the VMM has ended");
	else if (!ctl->agent->attached)
		conn_error(conn, now, "no-vm", "there is no VM yet");
	else if (vmm_command_find_vm(ctl, conn, &vm, now)) {
		conn->state = CONN_WAITING;
		conn->ticket = ++ctl->tickets;
	}
}

static void end_changes(struct ctl *ctl, struct ctl_conn *conn, uint64_t now)
{
	struct ctl_proposal *proposal = conn->proposal;
	const unsigned int *counts = proposal->diff.counts;
	bool good = proposal_is_usable(proposal);

	if (good && conn->request.verb == CTL_MODE) {
		enqueue(ctl, conn, now);
		return;
	}
	if (good) {
		conn_ok(conn, now, "loosens=%u tightens=%u changes=%u",
			counts[DIFF_LOOSENS], counts[DIFF_TIGHTENS],
			counts[DIFF_CHANGES]);
		return;
	}
	proposal_free(proposal);
	conn->proposal = NULL;
	conn_error(conn, now, "rejected", "%s", conn->request.verb == CTL_MODE ?
		   "the policy can't be in force in this mode: nothing is changed" :
		   "the policy can't be used: the one in force is kept");
}

static void put_changes(struct ctl *ctl, struct ctl_conn *conn, uint64_t now)
{
	char buf[EVENT_LINE_MAX];
	const char *line;

	/* set_proposal() enters CONN_CHANGES only with a proposal. */
	assert(conn->proposal);
	line = proposal_line(ctl, conn->proposal, conn->at++, buf, sizeof(buf));
	if (line)
		conn_line(conn, "data %s", line);
	else
		end_changes(ctl, conn, now);
}

static void set_proposal(struct ctl_conn *conn, struct ctl_proposal *proposal,
			 uint64_t now)
{
	proposal_free(conn->proposal);
	conn->proposal = proposal;
	conn->at = 0;
	if (proposal)
		conn->state = CONN_CHANGES;
	else
		conn_error(conn, now, "memory", "the agent is out of memory");
}

static void begin_rollback(struct ctl *ctl, struct ctl_conn *conn, uint64_t now)
{
	const struct ctl_back *back = return_target(ctl);

	if (!back) {
		conn_error(conn, now, "nothing", "there is no policy to roll back to: no other policy was in force before, or the last change was a rollback");
		return;
	}
	if (!(conn->request.has & 1u << CTL_KEY_MODE))
		conn->request.mode = back->mode;
	set_proposal(conn, return_propose(ctl, conn->request.mode), now);
}

static void begin_mode(struct ctl *ctl, struct ctl_conn *conn, uint64_t now)
{
	const struct launch *launch = ctl->agent->launch;
	struct rule_target target = { .mode = conn->request.mode };
	struct rule_modes modes = launch->rule_modes;
	char text[RULE_WHERE_TEXT];
	int err;

	if (return_is_trial(ctl)) {
		conn_error(conn, now, "unconfirmed", CTL_UNCONFIRMED);
		return;
	}
	if (!(conn->request.has & 1u << CTL_KEY_RULE)) {
		set_proposal(conn, proposal_from_mode(ctl, conn->request.mode), now);
		return;
	}
	err = rule_where_find(&launch->table, &launch->policy, conn->request.name,
			      &target.place, text);
	if (err)
		conn_error(conn, now, err == -ENOTUNIQ ? "which" : "no-such", "%s",
			   printable(text));
	else if (!rule_modes_set(&modes, target.place.line, target.place.column,
				 target.mode))
		conn_error(conn, now, "rejected", "the operator has set the modes of %d rules, which is the limit: change the rules in the policy instead",
			   RULE_MODES_MAX);
	else
		set_proposal(conn, proposal_from_rule(ctl, &target), now);
}

/* The new standby is made before the answer: an older one would take the policy back. */
static void confirm(struct ctl *ctl, struct ctl_conn *conn, uint64_t now)
{
	if (!return_is_trial(ctl)) {
		conn_error(conn, now, "nothing", "no policy waits for a confirmation");
		return;
	}
	if (ctl->trial.sent) {
		conn_error(conn, now, "late", "the time is over, and the policy is being taken back");
		return;
	}
	return_end_trial(ctl);
	ctl_report_done(ctl, CTL_CONFIRM, conn, NULL);
	standby_renew(ctl->agent);
	/* In a standby that has taken over here: it has no clients. */
	if (conn->state == CONN_FREE)
		return;
	conn_line(conn, "data confirmed: %s stays in force", ctl->agent->launch->policy.source);
	conn_ok(conn, now, "%s", "");
}

static void begin_body(struct ctl *ctl, struct ctl_conn *conn, uint64_t now)
{
	if (return_is_trial(ctl)) {
		conn->state = CONN_CLOSING;
		conn_error(conn, now, "unconfirmed", CTL_UNCONFIRMED);
		return;
	}
	free(conn->body);
	conn->body_len = 0;
	conn->body = malloc(conn->request.size);
	conn->state = CONN_BODY;
	if (conn->body)
		return;
	/* The bytes that follow would be read as requests. */
	conn->state = CONN_CLOSING;
	conn_error(conn, now, "memory", "the agent is out of memory");
}

static bool fill_body(struct ctl *ctl, struct ctl_conn *conn, uint64_t now)
{
	const char *name = *conn->request.name ? conn->request.name : "policy";

	if (!conn_fill_body(conn))
		return false;
	/* The operator's mode also holds for the policies that replace the present one. */
	if (!(conn->request.has & 1u << CTL_KEY_MODE))
		conn->request.mode = ctl->agent->launch->mode;
	set_proposal(conn, proposal_from_text(ctl, name, conn->body, conn->body_len,
					      conn->request.mode, NULL), now);
	free(conn->body);
	conn->body = NULL;
	return true;
}

static void begin_events(struct ctl *ctl, struct ctl_conn *conn, uint64_t now)
{
	const struct ctl_request *request = &conn->request;
	uint64_t last = request->follow ? 0 : CTL_LOG_LINES;
	unsigned int followers = 0;
	char busy[64];

	if (request->has & (1u << CTL_KEY_LAST))
		last = request->last;
	for (unsigned int i = 0; i < CTL_CLIENTS; i++)
		followers += ctl->conns[i].state == CONN_EVENTS &&
			     ctl->conns[i].request.follow;
	if (request->follow && followers >= CTL_FOLLOWERS) {
		snprintf(busy, sizeof(busy), "%u clients follow the events already",
			 CTL_FOLLOWERS);
		conn_error(conn, now, "busy", "%s", busy);
		return;
	}
	conn->end = ctl->log.next;
	conn->at = ctl_log_first(&ctl->log);
	if (conn->end - conn->at > last)
		conn->at = conn->end - last;
	conn->state = CONN_EVENTS;
}

static void apply(struct ctl *ctl, struct ctl_conn *conn, uint64_t now)
{
	if (!conn->proposal || !proposal_is_usable(conn->proposal)) {
		conn_error(conn, now, "nothing", "there is no policy to apply: send one first");
	} else {
		conn->proposal->confirm_ms = conn->request.confirm_ms;
		enqueue(ctl, conn, now);
	}
}

static void reopen(struct ctl *ctl, struct ctl_conn *conn, uint64_t now)
{
	const char *path = ctl->agent->launch->events_path;
	int err = sink_reopen(ctl->agent);
	char text[512];

	if (err == -ENOTSUP) {
		conn_error(conn, now, "no-file", "the events of this VM do not go to a file: there is nothing to open");
		return;
	}
	snprintf(text, sizeof(text), "%.300s can't be opened: %.150s", printable(path),
		 sink_fault(err));
	ctl_report_done(ctl, CTL_REOPEN, conn, err ? text : NULL);
	if (err) {
		conn_error(conn, now, "failed", "%s; events continue in the file that was open", text);
		return;
	}
	conn_line(conn, "data events go to a newly opened %.300s", printable(path));
	conn_ok(conn, now, "%s", "");
}

static void begin_answer(struct ctl *ctl, struct ctl_conn *conn, uint64_t now)
{
	conn->at = 0;
	switch (conn->request.verb) {
	case CTL_HELP:
		conn->state = CONN_HELP;
		break;
	case CTL_STATUS:
		conn->state = CONN_STATUS;
		break;
	case CTL_EVENTS:
		begin_events(ctl, conn, now);
		break;
	case CTL_MODE:
		begin_mode(ctl, conn, now);
		break;
	case CTL_RULES:
		conn->state = CONN_STATUS;
		conn->end = ctl->agent->launch->policy.number;
		break;
	case CTL_POLICY:
		begin_body(ctl, conn, now);
		break;
	case CTL_PRINT:
		begin_text(ctl, conn, now);
		break;
	case CTL_ROLLBACK:
		begin_rollback(ctl, conn, now);
		break;
	case CTL_CONFIRM:
		confirm(ctl, conn, now);
		break;
	case CTL_APPLY:
		apply(ctl, conn, now);
		break;
	case CTL_REOPEN:
		reopen(ctl, conn, now);
		break;
	case CTL_ARRIVED:
		moves_add_arrival(&ctl->agent->moves, &conn->request, conn->pid,
				  now);
		conn_ok(conn, now, "%s", "");
		break;
	default:
		enqueue(ctl, conn, now);
		break;
	}
}

/*
 * A policy's text may follow the line even if the line was wrong. The connection is closed
 * then, because the text's lines must never be taken for requests.
 */
static void refuse_request(struct ctl_conn *conn, const char *line, size_t len,
			   const char *error, uint64_t now)
{
	static const char word[] = "policy";

	if (len >= strlen(word) && memcmp(line, word, strlen(word)) == 0)
		conn->state = CONN_CLOSING;
	conn_error(conn, now, "syntax", "%s", error);
}

/* Returns false if there is no whole line. */
static bool take_request(struct ctl *ctl, struct ctl_conn *conn, uint64_t now)
{
	char error[CTL_ERROR_MAX];
	const char *line;
	bool good;
	size_t len;

	line = conn_get_line(conn, &len);
	if (!line && conn->in_len == sizeof(conn->in)) {
		conn->state = CONN_CLOSING;
		conn_error(conn, now, "too-long", "a line has at most %u bytes",
			   CTL_LINE_MAX);
		return true;
	}
	if (!line)
		return false;
	conn->since = now;
	good = ctl_request_read(&conn->request, line, len, error);
	if (!good)
		refuse_request(conn, line, len, error, now);
	conn_consume(conn, len + 1);
	/* Only `apply` uses the proposal that was shown; any other request drops it. */
	if (!good || conn->request.verb != CTL_APPLY) {
		proposal_free(conn->proposal);
		conn->proposal = NULL;
	}
	if (good)
		begin_answer(ctl, conn, now);
	return true;
}

static bool answer_some(struct ctl *ctl, struct ctl_conn *conn, uint64_t now)
{
	switch (conn->state) {
	case CONN_READY:
		return take_request(ctl, conn, now);
	case CONN_BODY:
		return fill_body(ctl, conn, now);
	case CONN_HELP:
		put_help(conn, now);
		return true;
	case CONN_TEXT:
		put_text(conn, now);
		return true;
	case CONN_STATUS:
		put_status(ctl, conn, now);
		return true;
	case CONN_EVENTS:
		return put_event(ctl, conn, now);
	case CONN_CHANGES:
		put_changes(ctl, conn, now);
		return true;
	case CONN_FREE:
	case CONN_WAITING:
	case CONN_CLOSING:
		break;
	}
	return false;
}

bool ctl_answer(struct ctl *ctl, struct ctl_conn *conn, uint64_t now)
{
	bool some = false;

	while (conn_has_room(conn) && answer_some(ctl, conn, now))
		some = true;
	return some;
}
