// SPDX-License-Identifier: GPL-2.0-only
/* Keeps the text of each policy that comes into force. */
#include <stdio.h>
#include <string.h>

#include "agent_output.h"
#include "agent_state.h"
#include "base/clock.h"
#include "base/exit_codes.h"
#include "event/event_parts.h"
#include "event/event_severity.h"
#include "keep.h"
#include "launch_state.h"
#include "policy/store.h"

/* Opens the store. Returns 0 or an exit code. */
static int open_store(struct launch *launch, const char *choice)
{
	char error[STORE_ERROR_MAX];

	if (!choice)
		choice = store_folder_chosen();
	if (choice && !strcmp(choice, STORE_NONE))
		return 0;
	if (!store_open(&launch->store, choice, error))
		return 0;
	if (choice) {
		fprintf(stderr, "regpin: the VMM was not started: policies can't be kept in %s (--store none keeps none)\n",
			error);
		return EXIT_RUN;
	}
	fprintf(stderr, "regpin: policies are not kept, and 'hash:...' will not find the policy of an event: %s (--store DIR names a folder, --store none keeps none)\n",
		error);
	return 0;
}

int keep_begin(struct launch *launch, const char *choice)
{
	char error[STORE_ERROR_MAX], text[BASE_CHANGE_TEXT];
	int status = open_store(launch, choice);

	if (status || !launch->store.open)
		return status;
	store_start_name(launch->start_file, launch->policy_path, &launch->written);
	store_start_compare(&launch->store.folder, launch->start_file, &launch->written,
			    &launch->base_change);
	if (launch->base_change.name[0])
		fprintf(stderr, "regpin: warning: %s\n",
			base_change_text(text, &launch->base_change));
	if (store_keep(&launch->store, &launch->written, error))
		fprintf(stderr, "regpin: warning: the policy is not kept, and 'hash:...' will not find it: %s\n",
			error);
	return 0;
}

static void report_change(struct agent *agent, const struct base_change *change)
{
	char buf[EVENT_LINE_MAX], text[BASE_CHANGE_TEXT];
	struct json json;

	event_line_begin(buf, &json, clock_wall(), "base-changed");
	json_string(&json, "base", change->name);
	json_string(&json, "path", change->path);
	if (strcmp(change->path, change->old_path) != 0)
		json_string(&json, "old_path", change->old_path);
	json_string(&json, "old_hash", change->old_hash);
	json_string(&json, "new_hash", change->new_hash);
	if (change->others)
		json_u64(&json, "more_bases", change->others);
	if (change->counted) {
		json_u64(&json, "loosens", change->counts[DIFF_LOOSENS]);
		json_u64(&json, "tightens", change->counts[DIFF_TIGHTENS]);
		json_u64(&json, "changes", change->counts[DIFF_CHANGES]);
	}
	json_string(&json, "text", base_change_text(text, change));
	/* If the old text of the base is not known, it may have been stricter: an alarm. */
	agent_write_line(agent, buf, event_line_end(&json,
		base_change_severity(!change->counted || change->counts[DIFF_LOOSENS])));
}

void keep_report(struct agent *agent)
{
	struct launch *launch = agent->launch;
	char error[STORE_ERROR_MAX];

	if (!launch->store.open)
		return;
	if (launch->base_change.name[0])
		report_change(agent, &launch->base_change);
	/* After the event, so that no change goes unreported. */
	if (store_start_record(&launch->store, launch->start_file, &launch->written, error))
		agent_log(agent, "warning: this start is not recorded, and the next one may not report that a base has changed: %s",
			  error);
}

void keep_policy(struct agent *agent)
{
	struct launch *launch = agent->launch;
	char error[STORE_ERROR_MAX];

	if (launch->store.open && store_keep(&launch->store, &launch->written, error))
		agent_log(agent, "warning: the policy in force is not kept, and 'hash:...' will not find it: %s",
			  error);
}
