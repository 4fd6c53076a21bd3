// SPDX-License-Identifier: GPL-2.0-only
/* Policies that come while the VM runs: read, fitted to the host, compared. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admit.h"
#include "agent_state.h"
#include "base/proc.h"
#include "base/words.h"
#include "ctl_proposal.h"
#include "event/event_names.h"
#include "launch_state.h"
#include "policy/policy_diff.h"
#include "policy/policy_diff_text.h"
#include "policy/policy_written.h"
#include "policy/problems.h"
#include "report.h"

/* From @written to @policy and @diff. Returns false if there is no memory. */
static bool finish(struct ctl *ctl, struct ctl_stage *stage)
{
	struct launch *launch = ctl->agent->launch;
	int err;

	stage->policies = ctl->policies;
	stage->before = policy_effective(&launch->policy, launch->written.own,
					 launch->mode);
	err = policy_in_mode(&stage->written, stage->mode, &stage->policy,
			     &stage->problems);
	problems_sort(&stage->problems);
	if (err)
		return err != -ENOMEM;
	policy_fit(&stage->policy, &launch->host, unfits_add, &stage->unfits);
	stage->init_why = policy_fit_init(&stage->policy, &launch->host);
	if (!admit_policy(ctl->agent, &stage->policy, stage->unsuited,
			  sizeof(stage->unsuited)))
		make_printable(stage->unsuited);
	else
		stage->unsuited[0] = 0;
	return policy_diff(&launch->policy, &stage->policy, &stage->diff) == 0;
}

struct ctl_stage *stage_text(struct ctl *ctl, const char *name,
			     const char *text, size_t size,
			     enum policy_mode mode)
{
	struct ctl_stage *stage = calloc(1, sizeof(*stage));

	if (!stage)
		return NULL;
	stage->mode = mode;
	if (!policy_keep(&stage->written, name, text, size) &&
	    finish(ctl, stage))
		return stage;
	stage_free(stage);
	return NULL;
}

struct ctl_stage *stage_mode(struct ctl *ctl, enum policy_mode mode)
{
	const struct policy_written *now = &ctl->agent->launch->written;

	return stage_text(ctl, now->name, now->text, now->size, mode);
}

void stage_free(struct ctl_stage *stage)
{
	if (stage) {
		policy_diff_free(&stage->diff);
		policy_forget(&stage->written);
	}
	free(stage);
}

bool stage_good(const struct ctl_stage *stage)
{
	if (stage->problems.errors || stage->unsuited[0])
		return false;
	for (unsigned int i = 0; i < stage->unfits.nr; i++)
		if (stage->unfits.list[i].fitted == FIT_REFUSED)
			return false;
	return true;
}

static void problem_text(const struct ctl_stage *stage,
			 const struct problem *problem, char *buf, size_t size)
{
	const char *severity = problem->warning ? "warning" : "error";

	if (problem->line)
		snprintf(buf, size, "%s:%" PRIu32 ":%" PRIu32 ": %s: %s",
			 stage->policy.source, problem->line, problem->column,
			 severity, problem->text);
	else
		snprintf(buf, size, "%s: %s: %s", stage->policy.source,
			 severity, problem->text);
}

static void unfit_text(const struct ctl_stage *stage, const struct unfit *unfit,
		       char *buf, size_t size)
{
	char subject[REGISTER_NAME_MAX], how[FIT_TEXT], place[PLACE_MAX];

	snprintf(buf, size, "%s%s: '%s' on %s %s: %s",
		 unfit->fitted == FIT_REFUSED ? "" : "degraded: ",
		 policy_place(place, &stage->policy, unfit->rule.line,
			      unfit->rule.column),
		 rule_type_names[unfit->rule.type],
		 event_rule_subject(subject, &unfit->rule),
		 fit_text(how, &stage->policy, unfit->fitted, &unfit->rule),
		 unfit->why);
}

/* Is line *@n one of the next @nr? If not, it is counted from behind them on. */
static bool within(uint64_t *n, uint64_t nr)
{
	if (*n < nr)
		return true;
	*n -= nr;
	return false;
}

static const char *summary_text(const struct ctl_stage *stage, char *buf,
				size_t size)
{
	const unsigned int *counts = stage->diff.counts;

	snprintf(buf, size, "summary: loosens %u, tightens %u, changes %u",
		 counts[DIFF_LOOSENS], counts[DIFF_TIGHTENS],
		 counts[DIFF_CHANGES]);
	return buf;
}

/* "mode: enforce -> report by the operator (the policy says enforce), 9 of 9 rules .." */
static const char *mode_text(const struct ctl_stage *stage, char *buf,
			     size_t size)
{
	struct policy_tally tally = policy_tally(&stage->policy);
	char mode[128];

	policy_mode_text(mode, sizeof(mode), &stage->policy,
			 stage->written.own, stage->mode);
	snprintf(buf, size, "mode: %s -> %s, %u of %u rule%s only report%s",
		 policy_mode_names[stage->before], mode + strlen("mode "),
		 tally.report, tally.rules, plural(tally.rules),
		 tally.rules == 1 ? "s" : "");
	return buf;
}

/* What is wrong with the text, and what this host can't do. */
static const char *remark(const struct ctl_stage *stage, uint64_t *n, char *buf,
			  size_t size)
{
	if (within(n, stage->problems.nr))
		problem_text(stage, &stage->problems.list[*n], buf, size);
	else if (within(n, stage->problems.overflow))
		snprintf(buf, size, "%s: and more: only the first %d problems are shown",
			 stage->policy.source, MAX_PROBLEMS);
	else if (within(n, stage->unfits.nr))
		unfit_text(stage, &stage->unfits.list[*n], buf, size);
	else if (within(n, stage->unsuited[0] != 0))
		snprintf(buf, size, "refused: %s", stage->unsuited);
	else if (within(n, stage->init_why != NULL))
		snprintf(buf, size, "degraded: 'init' can't be done on this host: %s",
			 stage->init_why);
	else
		return NULL;
	make_printable(buf);
	return buf;
}

/*
 * A client may show the first lines only, so they are the summary, the mode and all
 * that the policy loosens, however long its text makes the rest.
 */
const char *stage_line(const struct ctl_stage *stage, uint64_t n, char *buf,
		       size_t size)
{
	const struct policy_diff *diff = &stage->diff;
	unsigned int loosens = diff->counts[DIFF_LOOSENS];
	const char *line;

	if (stage_good(stage)) {
		if (within(&n, 1))
			return summary_text(stage, buf, size);
		if (within(&n, 1))
			return mode_text(stage, buf, size);
		if (within(&n, loosens))
			return policy_change_text(buf, size, &diff->list[n]);
	}
	line = remark(stage, &n, buf, size);
	if (line || !stage_good(stage))
		return line;
	if (within(&n, diff->nr - loosens))
		return policy_change_text(buf, size, &diff->list[loosens + n]);
	return NULL;
}

void stage_applied(struct ctl *ctl, struct ctl_stage *stage)
{
	struct launch *launch = ctl->agent->launch;

	tell_new_policy(ctl->agent, &stage->policy);
	policy_forget(&launch->written);
	launch->written = stage->written;
	stage->written.name = stage->written.text = NULL;
	launch->mode = stage->mode;
	ctl->policies++;
}
