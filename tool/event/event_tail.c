// SPDX-License-Identifier: GPL-2.0-only
/* The keys that all lines of an agent have in common. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/number.h"
#include "event_parts.h"
#include "event_tail.h"

#define TEXT_OF(number)	#number
#define AS_TEXT(number)	TEXT_OF(number)
#define VERSION_TEXT	AS_TEXT(EVENT_VERSION)
#define HASH_BEGINNING	12	/* hexadecimal digits */
#define NAME_BYTES	100	/* of a policy's name; as JSON it can be six times as long */

/* Reduces the object in @buf, of @len bytes, to its members: removes the braces. */
static void unwrap(char *buf, size_t len)
{
	/* "{" before them, "}\n" after them. */
	if (len < 4) {
		buf[0] = 0;
		return;
	}
	memmove(buf, buf + 1, len - 3);
	buf[len - 3] = 0;
}

void event_origin(char origin[ORIGIN_MAX], const char *name, const char *host,
		  uint32_t vmm_pid)
{
	struct json json;

	json_buf_begin(&json, origin, ORIGIN_MAX);
	json_string(&json, "name", name);
	json_string(&json, "host", host);
	json_u64(&json, "vmm_pid", vmm_pid);
	unwrap(origin, json_buf_end(&json));
}

/* "linux" of "/etc/regpin/linux.yaml". */
static void policy_name(char name[NAME_BYTES], const char *file)
{
	const char *slash = strrchr(file, '/');
	size_t len;

	snprintf(name, NAME_BYTES, "%s", slash && slash[1] ? slash + 1 : file);
	len = strlen(name);
	if (len > strlen(".yaml") && !strcmp(name + len - strlen(".yaml"), ".yaml"))
		name[len - strlen(".yaml")] = 0;
}

static void put_policy(char *buf, size_t size, const char *file,
		       const char *hash, const char *mode,
		       const struct event_rules *rules)
{
	char name[NAME_BYTES], beginning[HASH_BEGINNING + 1];
	struct json json;

	policy_name(name, file);
	snprintf(beginning, sizeof(beginning), "%s", hash);
	json_buf_begin(&json, buf, size);
	json_string(&json, "policy_name", name);
	json_string(&json, "policy_hash", beginning);
	if (mode) {
		json_string(&json, "policy_file", file);
		json_string(&json, "policy_sha256", hash);
		json_string(&json, "mode", mode);
		json_u64(&json, "rules_enforced", rules->enforced);
		json_u64(&json, "rules_detected", rules->detected);
		json_u64(&json, "rules_report", rules->report);
		json_u64(&json, "rules_left_out", rules->left_out);
	}
	unwrap(buf, json_buf_end(&json));
}

void event_policy_init(struct event_policy *policy, const char *file,
		       const char *hash, const char *mode,
		       const struct event_rules *rules)
{
	put_policy(policy->keys, sizeof(policy->keys), file, hash, NULL, NULL);
	put_policy(policy->whole, sizeof(policy->whole), file, hash, mode, rules);
}

/* Adds @part at @len, if there is room for it and for the line's end. */
static size_t add(char *buf, size_t len, const char *part)
{
	size_t more = strlen(part);

	if (!more || len + 1 + more + sizeof("}\n") > EVENT_LINE_MAX)
		return len;
	buf[len++] = ',';
	stpcpy(buf + len, part);
	return len + more;
}

size_t event_add_tail(char *buf, size_t len, const struct event_tail *tail)
{
	char part[64];

	len -= 2;	/* "}\n" */
	if (tail->hold) {
		*put_decimal(stpcpy(part, "\"hold\":"), tail->hold) = 0;
		len = add(buf, len, part);
	}
	if (tail->timed)
		len = add(buf, len, "\"by\":\"time\"");
	*put_decimal(stpcpy(part, "\"version\":" VERSION_TEXT ",\"seq\":"), tail->seq) = 0;
	len = add(buf, len, part);
	if (tail->origin)
		len = add(buf, len, tail->origin);
	if (tail->policy)
		len = add(buf, len, tail->whole ? tail->policy->whole :
						  tail->policy->keys);
	memcpy(buf + len, "}\n", sizeof("}\n"));
	return len + 2;
}
