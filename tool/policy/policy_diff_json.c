// SPDX-License-Identifier: GPL-2.0-only
/* A policy's changes as JSON: regpin(1), "regpin diff". */
#include "event/bit_names.h"
#include "event/event_parts.h"
#include "policy_diff_json.h"
#include "policy_diff_text.h"
#include "policy_when.h"

/* Words for programs: they must not change when the texts of policy_diff_text.c do. */
static const char *const what_words[DIFF_WHAT_MAX] = {
	[DIFF_CLEAR] = "clear",
	[DIFF_SET] = "set",
	[DIFF_REQUIRE] = "require",
	[DIFF_ONCE] = "once",
	[DIFF_UNIFORM] = "uniform",
	[DIFF_READ] = "read",
	[DIFF_WRITE] = "write",
	[DIFF_VALUE] = "value",
	[DIFF_DEFAULT_READ] = "default-read",
	[DIFF_DEFAULT_WRITE] = "default-write",
	[DIFF_UNKNOWN] = "unknown",
	[DIFF_INVALID] = "invalid",
	[DIFF_ARMING] = "arming",
	[DIFF_REQUEST_MSR] = "request-msr",
	[DIFF_NESTED] = "nested",
	[DIFF_SMM] = "smm",
	[DIFF_S3] = "s3",
	[DIFF_DEADLINE] = "deadline",
	[DIFF_DEADLINE_ACTION] = "deadline-action",
	[DIFF_DETECT] = "detect",
	[DIFF_DETECT_ACTION] = "detect-action",
	[DIFF_INIT_ACTION] = "init",
	[DIFF_UNARMED] = "unarmed",
};

static void put_registers(struct json *json, const struct policy_change *change)
{
	event_put_registers(json, change->kind, change->index, change->count);
	json_bit_names(json, "bits", change->kind, change->index, change->bits);
}

static void put_change(struct json *json, const struct policy_change *change)
{
	char text[DIFF_VALUE_TEXT], when[WHEN_TEXT];

	json_object_begin(json, NULL);
	json_string(json, "change", policy_change_class(change));
	json_string(json, "what", what_words[change->what]);
	if (change->count)
		put_registers(json, change);
	if (*when_text(when, &change->when))
		json_string(json, "when", when);
	json_string(json, "old_outcome", policy_change_from(text, change));
	json_string(json, "new_outcome", policy_change_to(text, change));
	json_object_end(json);
}

void json_policy_diff(struct json *json, const char *key,
		      const struct policy_diff *diff)
{
	json_u64(json, "loosens", diff->counts[DIFF_LOOSENS]);
	json_u64(json, "tightens", diff->counts[DIFF_TIGHTENS]);
	json_u64(json, "changes", diff->counts[DIFF_CHANGES]);
	json_array_begin(json, key);
	for (unsigned int i = 0; i < diff->nr; i++)
		put_change(json, &diff->list[i]);
	json_array_end(json);
}
