/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The requests of the control protocol, one line each. docs/protocol.md has the grammar.
 * Pure.
 */
#ifndef REGPIN_TOOL_CTL_REQUEST_H
#define REGPIN_TOOL_CTL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/event_parts.h"
#include "lib/policy/policy.h"
#include "policy/policy_mode.h"

#define CTL_VERSION	1
#define CTL_LINE_MAX	4096u		/* a request, with its '\n' */
#define CTL_LOG_LINES	256u		/* that an agent keeps for `events` */
#define CTL_MAX_ID	0xfffffffeu	/* of a VM or vCPU */

/* Room for a line of an answer, with its first word, its '\n' and a NUL. */
#define CTL_ANSWER_MAX	(EVENT_LINE_MAX + 32u)

enum ctl_verb {
	CTL_HELP,
	CTL_STATUS,
	CTL_EVENTS,
	CTL_ARM,
	CTL_DISARM,
	CTL_ALLOW,
	CTL_GP,
	CTL_STOP,
	CTL_WINDOW,
	CTL_WINDOW_END,
	CTL_MODE,
	CTL_POLICY,
	CTL_PRINT,
	CTL_ROLLBACK,
	CTL_APPLY,
	CTL_CONFIRM,
	CTL_REOPEN,
	CTL_ARRIVED,
	CTL_RULES,
	CTL_VERB_MAX
};

extern const char *const ctl_verb_names[CTL_VERB_MAX];

/* Keys that a request can have; a bit each in @has. */
enum ctl_key {
	CTL_KEY_VM,
	CTL_KEY_VCPU,
	CTL_KEY_FOR,
	CTL_KEY_ONCE,
	CTL_KEY_FOLLOW,
	CTL_KEY_LAST,
	CTL_KEY_FORMAT,
	CTL_KEY_TO,
	CTL_KEY_SIZE,
	CTL_KEY_NAME,
	CTL_KEY_STATE,
	CTL_KEY_CLOCK,
	CTL_KEY_RULES,
	CTL_KEY_FROM,
	CTL_KEY_MODE,
	CTL_KEY_CONFIRM,
	CTL_KEY_RULE,
	CTL_KEY_MAX
};

enum status_format { STATUS_TEXT, STATUS_JSON, STATUS_WORDS };

/**
 * struct ctl_request - a request
 * @verb: the first word
 * @has: the keys that were given, a bit each
 * @vm: vm=
 * @vcpu: vcpu=
 * @ms: for=
 * @confirm_ms: confirm=, or 0
 * @last: last=
 * @size: size=
 * @once: once=yes
 * @follow: follow=yes
 * @format: format=: enum status_format
 * @mode: to=, mode=
 * @state: state=
 * @clock: clock=, or 0
 * @rules: rules=
 * @name: name=, without control characters; from=, a valid name of a VM; or rule=, a place
 */
struct ctl_request {
	enum ctl_verb verb;
	uint32_t has;
	uint32_t vm, vcpu, ms, confirm_ms, last, size;
	bool once, follow;
	enum status_format format;
	enum policy_mode mode;
	uint64_t state, clock, rules;
	char name[PLACE_MAX];
};

#define CTL_ERROR_MAX	200

/*
 * Reads a request of @len bytes without '\n'. Returns true, or false and writes the reason
 * to @error.
 */
bool ctl_request_read(struct ctl_request *request, const char *line, size_t len,
		      char error[CTL_ERROR_MAX]);

/* Line @n of the answer to `help`, or NULL after the last line. */
const char *ctl_help_line(unsigned int n);

#endif
