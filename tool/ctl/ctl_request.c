// SPDX-License-Identifier: GPL-2.0-only
/* Reading a request, VERB KEY=VALUE .., by two tables. */
#include <stdio.h>
#include <string.h>

#include "base/nr.h"
#include "base/words.h"
#include "ctl_request.h"
#include "ctl_socket.h"
#include "policy/policy_bundle.h"

#define KEY(key)	(1u << CTL_KEY_##key)

const char *const ctl_verb_names[CTL_VERB_MAX] = {
	[CTL_HELP] = "help",
	[CTL_STATUS] = "status",
	[CTL_EVENTS] = "events",
	[CTL_ARM] = "arm",
	[CTL_DISARM] = "disarm",
	[CTL_ALLOW] = "allow",
	[CTL_GP] = "gp",
	[CTL_STOP] = "stop",
	[CTL_WINDOW] = "window",
	[CTL_WINDOW_END] = "window-end",
	[CTL_MODE] = "mode",
	[CTL_POLICY] = "policy",
	[CTL_PRINT] = "print",
	[CTL_ROLLBACK] = "rollback",
	[CTL_APPLY] = "apply",
	[CTL_CONFIRM] = "confirm",
	[CTL_REOPEN] = "reopen",
	[CTL_ARRIVED] = "arrived",
	[CTL_RULES] = "rules",
};

static const struct {
	uint32_t may, must;
} verb_keys[CTL_VERB_MAX] = {
	[CTL_HELP] = { 0, 0 },
	[CTL_STATUS] = { KEY(FORMAT), 0 },
	[CTL_EVENTS] = { KEY(FOLLOW) | KEY(LAST), 0 },
	[CTL_ARM] = { KEY(VM), 0 },
	[CTL_DISARM] = { KEY(VM), 0 },
	[CTL_ALLOW] = { KEY(VM), KEY(VCPU) },
	[CTL_GP] = { KEY(VM), KEY(VCPU) },
	[CTL_STOP] = { KEY(VM), KEY(VCPU) },
	[CTL_WINDOW] = { KEY(VM) | KEY(ONCE), KEY(FOR) },
	[CTL_WINDOW_END] = { KEY(VM), 0 },
	[CTL_MODE] = { KEY(RULE), KEY(TO) },
	[CTL_POLICY] = { KEY(NAME) | KEY(MODE), KEY(SIZE) },
	[CTL_PRINT] = { 0, 0 },
	[CTL_ROLLBACK] = { KEY(MODE), 0 },
	[CTL_APPLY] = { KEY(CONFIRM), 0 },
	[CTL_CONFIRM] = { 0, 0 },
	[CTL_REOPEN] = { 0, 0 },
	[CTL_ARRIVED] = { KEY(CLOCK), KEY(STATE) | KEY(RULES) | KEY(FROM) },
	[CTL_RULES] = { KEY(FORMAT), 0 },
};

static const char *const key_names[CTL_KEY_MAX] = {
	[CTL_KEY_VM] = "vm",
	[CTL_KEY_VCPU] = "vcpu",
	[CTL_KEY_FOR] = "for",
	[CTL_KEY_ONCE] = "once",
	[CTL_KEY_FOLLOW] = "follow",
	[CTL_KEY_LAST] = "last",
	[CTL_KEY_FORMAT] = "format",
	[CTL_KEY_TO] = "to",
	[CTL_KEY_SIZE] = "size",
	[CTL_KEY_NAME] = "name",
	[CTL_KEY_STATE] = "state",
	[CTL_KEY_CLOCK] = "clock",
	[CTL_KEY_RULES] = "rules",
	[CTL_KEY_FROM] = "from",
	[CTL_KEY_MODE] = "mode",
	[CTL_KEY_CONFIRM] = "confirm",
	[CTL_KEY_RULE] = "rule",
};

static const char *const help[] = {
	"help",
	"status [format=text|json|words]",
	"events [last=0..256] [follow=yes|no]",
	"arm [vm=N]",
	"disarm [vm=N]",
	"allow vcpu=N [vm=N]",
	"gp vcpu=N [vm=N]",
	"stop vcpu=N [vm=N]",
	"window for=TIME [once=yes|no] [vm=N]",
	"window-end [vm=N]",
	"mode to=enforce|report|policy [rule=WHERE]",
	"policy size=BYTES [mode=enforce|report|policy] [name=TEXT], and then that many bytes",
	"print, the policy in force: a line 'text BYTES', and then that many bytes",
	"rollback [mode=enforce|report|policy], compares the previous policy with the one in force",
	"apply [confirm=TIME], after policy or rollback: puts it in force; after confirm=TIME it is taken back, unless 'confirm' comes first",
	"confirm, keeps the policy that was applied for a time",
	"reopen, opens the file of events again",
	"arrived state=HASH [clock=HASH] rules=HASH from=NAME, from another agent",
	"rules [format=text|json]",
};

const char *ctl_help_line(unsigned int n)
{
	return n < NR(help) ? help[n] : NULL;
}

static bool wrong(char error[CTL_ERROR_MAX], const char *what, const char *word,
		  const char *advice)
{
	snprintf(error, CTL_ERROR_MAX, "%s %s%s%s", what, show(word).text,
		 advice ? ": " : "", advice ? advice : "");
	return false;
}

static bool no_key(char error[CTL_ERROR_MAX], enum ctl_verb verb,
		   const char *key)
{
	snprintf(error, CTL_ERROR_MAX, "%s has no key %s", ctl_verb_names[verb],
		 show(key).text);
	return false;
}

static const char *read_hash(const char *text, uint64_t *ret)
{
	bool good = !number_read(text, strlen(text), UINT64_MAX, ret) && *ret;

	return good ? NULL : "a number of 64 bits is needed, not 0";
}

/* The name of a VM goes into an event, so it must be a valid one. */
static const char *read_from(const char *text, char *name)
{
	const char *fault = ctl_name_fault(text);

	if (!fault)
		memcpy(name, text, strlen(text) + 1);
	return fault;
}

static bool read_number(const char *text, uint64_t min, uint64_t max,
			uint32_t *ret)
{
	uint64_t value;

	if (number_read(text, strlen(text), max, &value) || value < min)
		return false;
	*ret = (uint32_t)value;
	return true;
}

/* A time that must not be 0. */
static const char *read_time(const char *text, uint32_t *ms)
{
	const char *fault = duration_read(text, ms);

	return fault || *ms ? fault : DURATION_ZERO;
}

/* One of two words; sets @ret to true for the second one. */
static bool read_choice(const char *text, const char *no, const char *yes,
			bool *ret)
{
	*ret = strcmp(text, yes) == 0;
	return *ret || strcmp(text, no) == 0;
}

static bool read_format(const char *text, enum status_format *ret)
{
	static const char *const names[] = {
		[STATUS_TEXT] = "text", [STATUS_JSON] = "json",
		[STATUS_WORDS] = "words",
	};

	for (size_t i = 0; i < NR(names); i++) {
		*ret = (enum status_format)i;
		if (strcmp(text, names[i]) == 0)
			return true;
	}
	return false;
}

/* Returns NULL, or the kind of value that was expected. */
static const char *read_value(struct ctl_request *request, enum ctl_key key,
			      const char *text)
{
	switch (key) {
	case CTL_KEY_VM:
		return read_number(text, 0, CTL_MAX_ID, &request->vm) ?
			       NULL : "a VM's number is needed";
	case CTL_KEY_VCPU:
		return read_number(text, 0, CTL_MAX_ID, &request->vcpu) ?
			       NULL : "a vCPU's number is needed";
	case CTL_KEY_FOR:
		return read_time(text, &request->ms);
	case CTL_KEY_CONFIRM:
		return read_time(text, &request->confirm_ms);
	case CTL_KEY_LAST:
		return read_number(text, 0, CTL_LOG_LINES, &request->last) ?
			       NULL : "0 to 256 lines are possible";
	case CTL_KEY_SIZE:
		return read_number(text, 1, BUNDLE_MAX_SIZE, &request->size) ?
			       NULL : "1 to 594432 bytes are possible";
	case CTL_KEY_ONCE:
		return read_choice(text, "no", "yes", &request->once) ?
			       NULL : "yes or no";
	case CTL_KEY_FOLLOW:
		return read_choice(text, "no", "yes", &request->follow) ?
			       NULL : "yes or no";
	case CTL_KEY_FORMAT:
		return read_format(text, &request->format) ?
			       NULL : "text, json or words";
	case CTL_KEY_TO:
	case CTL_KEY_MODE:
		request->mode = policy_mode_find(text);
		return request->mode < MODE_MAX ?
			       NULL : "enforce, report or policy";
	case CTL_KEY_NAME:
		snprintf(request->name, POLICY_MAX_SOURCE, "%s", text);
		return *text ? NULL : "a name is needed";
	case CTL_KEY_RULE:
		snprintf(request->name, sizeof(request->name), "%s", text);
		return *text && strlen(text) < sizeof(request->name) ?
			       NULL : "the place of a rule is needed, as in events";
	case CTL_KEY_STATE:
		return read_hash(text, &request->state);
	case CTL_KEY_CLOCK:
		return read_hash(text, &request->clock);
	case CTL_KEY_RULES:
		return read_hash(text, &request->rules);
	case CTL_KEY_FROM:
		return read_from(text, request->name);
	case CTL_KEY_MAX:
		break;
	}
	return "no such key";
}

static bool find_verb(struct ctl_request *request, const char *word)
{
	for (unsigned int i = 0; i < CTL_VERB_MAX; i++) {
		if (strcmp(word, ctl_verb_names[i]) == 0) {
			request->verb = (enum ctl_verb)i;
			return true;
		}
	}
	return false;
}

static bool read_pair(struct ctl_request *request, char *word,
		      char error[CTL_ERROR_MAX])
{
	uint32_t allowed = verb_keys[request->verb].may |
			   verb_keys[request->verb].must;
	char *value = strchr(word, '=');
	unsigned int key = 0;
	const char *advice;

	if (!value)
		return wrong(error, "there is no '=' in", word, NULL);
	*value++ = 0;
	while (key < CTL_KEY_MAX && strcmp(word, key_names[key]) != 0)
		key++;
	if (key == CTL_KEY_MAX || !(allowed >> key & 1))
		return no_key(error, request->verb, word);
	if (request->has >> key & 1)
		return wrong(error, "this key is given twice:", word, NULL);
	request->has |= 1u << key;
	advice = read_value(request, (enum ctl_key)key, value);
	if (advice)
		return wrong(error, word, value, advice);
	return true;
}

/*
 * Returns the next word, and moves *@rest past it. name= and rule= take the rest of the line,
 * because the names of files may have spaces.
 */
static char *next_word(char **rest)
{
	char *word = *rest, *end;

	end = strncmp(word, "name=", 5) == 0 || strncmp(word, "rule=", 5) == 0 ? NULL : strchr(word, ' ');
	*rest = end ? end + 1 : NULL;
	if (end)
		*end = 0;
	return word;
}

static bool all_there(const struct ctl_request *request,
		      char error[CTL_ERROR_MAX])
{
	uint32_t missing = verb_keys[request->verb].must & ~request->has;

	if (!missing)
		return true;
	snprintf(error, CTL_ERROR_MAX, "%s needs %s=",
		 ctl_verb_names[request->verb],
		 key_names[__builtin_ctz(missing)]);
	return false;
}

bool ctl_request_read(struct ctl_request *request, const char *line, size_t len,
		      char error[CTL_ERROR_MAX])
{
	char copy[CTL_LINE_MAX], *rest = copy;

	memset(request, 0, sizeof(*request));
	if (len >= sizeof(copy)) {
		snprintf(error, CTL_ERROR_MAX, "the line is too long");
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		if (line[i] < ' ' || line[i] > '~') {
			snprintf(error, CTL_ERROR_MAX,
				 "the line has the byte 0x%02x: only printable ASCII is possible",
				 (unsigned char)line[i]);
			return false;
		}
		copy[i] = line[i];
	}
	copy[len] = 0;
	if (!find_verb(request, next_word(&rest)))
		return wrong(error, "there is no request", copy,
			     "'help' lists them");
	while (rest)
		if (!read_pair(request, next_word(&rest), error))
			return false;
	/* It is one line for tables of agents. */
	if (request->verb == CTL_RULES && request->format == STATUS_WORDS)
		return wrong(error, "rules has no format", "words", "text or json");
	return all_there(request, error);
}
