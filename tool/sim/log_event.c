// SPDX-License-Identifier: GPL-2.0-only
/*
 * regpin's own events as accesses. The keys are described in regpin-events(7). An event is
 * read as one flat object, because no data in its arrays is needed.
 */
#include <inttypes.h>
#include <string.h>

#include "base/words.h"

#include "event/event_names.h"
#include "log_event.h"

/* The keys that are read. */
enum key { EVENT, OF, REGISTER, INDEX, ACCESS, OLD, NEW, VALUE, RULE, VCPU,
	   VERDICT, NR_KEYS };

static const char *const names[NR_KEYS] = {
	[EVENT] = "event", [OF] = "of", [REGISTER] = "register",
	[INDEX] = "index", [ACCESS] = "access", [OLD] = "old", [NEW] = "new",
	[VALUE] = "value", [RULE] = "rule", [VCPU] = "vcpu",
	[VERDICT] = "verdict",
};

#define VALUE_SIZE	48

/* The values of the keys, "" for a missing one. */
struct keys {
	char values[NR_KEYS][VALUE_SIZE];
};

static const char *blanks(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	return at;
}

/* Copies the string at @at to @to. Returns the text after it; NULL if it does not end. */
static const char *string(const char *at, const char *end, char to[VALUE_SIZE])
{
	size_t len = 0;

	to[0] = 0;
	if (at == end || *at != '"')
		return NULL;
	for (at++; at < end && *at != '"'; at++) {
		if (*at == '\\' && ++at == end)
			return NULL;
		if (len < VALUE_SIZE - 1)
			to[len++] = *at;
	}
	to[len] = 0;
	return at < end ? at + 1 : NULL;
}

/*
 * Copies a number or a word to @to, or skips an array or object. Returns the text after it.
 */
static const char *other(const char *at, const char *end, char to[VALUE_SIZE])
{
	unsigned int depth = 0;
	char text[VALUE_SIZE];
	size_t len = 0;

	to[0] = 0;
	while (at && at < end) {
		if (*at == '"') {
			at = string(at, end, text);
			continue;
		}
		if (!depth && (*at == ',' || *at == '}'))
			break;
		depth += *at == '[' || *at == '{';
		if ((*at == ']' || *at == '}') && depth)
			depth--;
		else if (!depth && len < VALUE_SIZE - 1)
			to[len++] = *at;
		at++;
	}
	to[len] = 0;
	return at;
}

static bool read_keys(const char *at, const char *end, struct keys *keys)
{
	char name[VALUE_SIZE], value[VALUE_SIZE];

	memset(keys, 0, sizeof(*keys));
	if (at == end || *at != '{')
		return false;
	at = blanks(at + 1, end);
	while (at && at < end && *at != '}') {
		at = string(at, end, name);
		at = at ? blanks(at, end) : NULL;
		if (!at || at == end || *at != ':')
			return false;
		at = blanks(at + 1, end);
		at = at < end && *at == '"' ? string(at, end, value) :
					      other(at, end, value);
		for (int i = 0; i < NR_KEYS; i++)
			if (strcmp(name, names[i]) == 0)
				memcpy(keys->values[i], value, VALUE_SIZE);
		at = at ? blanks(at, end) : NULL;
		if (at && at < end && *at == ',')
			at = blanks(at + 1, end);
	}
	return at && at < end;
}

static bool is(const struct keys *keys, enum key key, const char *value)
{
	return strcmp(keys->values[key], value) == 0;
}

static bool number(const struct keys *keys, enum key key, uint64_t max,
		   uint64_t *value)
{
	const char *text = keys->values[key];

	return *text && !number_read(text, strlen(text), max, value);
}

/* Reads the register from the index, or from the name of a control register. */
static bool read_register(const struct keys *keys, struct log_access *access)
{
	uint64_t index;

	access->kind = is(keys, REGISTER, "CR0") ? REGPIN_CR0 :
		       is(keys, REGISTER, "CR4") ? REGPIN_CR4 :
		       is(keys, REGISTER, "XCR0") ? REGPIN_XCR0 : REGPIN_MSR;
	if (access->kind != REGPIN_MSR)
		return true;
	if (!number(keys, INDEX, UINT32_MAX, &index))
		return false;
	access->index = (uint32_t)index;
	return true;
}

/* Rules that hold for armed vCPUs only. */
static bool is_pin(const struct keys *keys)
{
	return is(keys, RULE, "sticky") || is(keys, RULE, "never") ||
	       is(keys, RULE, "frozen") || is(keys, RULE, "once");
}

static enum log_kind read_access(const struct keys *keys, const char *event,
				 struct log_access *access)
{
	bool detected = strcmp(event, "detected") == 0;
	bool write = detected || is(keys, ACCESS, "write");

	if (!read_register(keys, access) ||
	    (!detected && !write && !is(keys, ACCESS, "read")))
		return LOG_UNRELATED;
	access->has_old = number(keys, OLD, UINT64_MAX, &access->old);
	access->has_value = number(keys, write ? NEW : VALUE, UINT64_MAX,
				   &access->value);
	access->armed = is_pin(keys);
	if (strcmp(event, "vmm-write") == 0)
		access->op = TRACE_SET;
	else if (access->kind != REGPIN_MSR)
		access->op = TRACE_CR;
	else
		access->op = write ? TRACE_WRMSR : TRACE_RDMSR;
	if (is(keys, RULE, "unknown"))
		access->refusal = TRACE_UNKNOWN;
	else if (is(keys, RULE, "invalid"))
		access->refusal = TRACE_INVALID;
	/* A value that a rule returned is not the register's. */
	if (!write && (access->refusal || is(keys, VERDICT, "drop")))
		access->has_value = false;
	/* In a trace only a WRMSR may have no value. */
	if (!access->has_value && write && access->op != TRACE_WRMSR)
		return LOG_KNOWN;
	return LOG_ACCESS;
}

/* Is it an event of regpin, and not a line of another program that logs JSON? */
static bool is_event(const char *name)
{
	static const char *const others[] = {
		"detached", "mode", "denied", "message", "control", "moved",
		"left", "degraded", "unarmed", "repeated", "dropped",
		"takeover", "hook", "withheld", "sink", "base-changed",
	};

	for (int i = 0; i < REGPIN_EVENT_TYPE_MAX; i++)
		if (strcmp(name, event_type_names[i]) == 0)
			return true;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strcmp(name, others[i]) == 0)
			return true;
	return false;
}

enum log_kind log_event(const char *text, size_t size,
			struct log_access *access)
{
	static const char *const accesses[] = { "violation", "detected",
						"vmm-write" };
	const char *event;
	struct keys keys;
	uint64_t vcpu = 0;

	if (!read_keys(text, text + size, &keys) ||
	    !is_event(keys.values[EVENT]))
		return LOG_UNRELATED;
	*access = (struct log_access){ 0 };
	event = keys.values[EVENT];
	if (is(&keys, EVENT, "repeated") || is(&keys, EVENT, "dropped"))
		event = keys.values[OF];
	if (keys.values[VCPU][0] &&
	    !number(&keys, VCPU, TRACE_MAX_VCPU, &vcpu))
		return LOG_UNRELATED;
	access->vcpu = (uint32_t)vcpu;
	if (strcmp(event, "init") == 0) {
		access->op = TRACE_INIT;
		return LOG_ACCESS;
	}
	for (size_t i = 0; i < sizeof(accesses) / sizeof(accesses[0]); i++)
		if (strcmp(event, accesses[i]) == 0)
			return read_access(&keys, event, access);
	return LOG_KNOWN;
}
