// SPDX-License-Identifier: GPL-2.0-only
/* Policies for a running VM: they are read, fitted to the host, and compared. */
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

/* Makes @policy and @diff from @written. Returns false if there is no memory. */
static bool finish(struct ctl *ctl, struct ctl_proposal *proposal)
{
	struct launch *launch = ctl->agent->launch;
	int err;

	proposal->policies = ctl->policies;
	proposal->previous_mode = policy_effective(&launch->policy, launch->written.own,
						   launch->mode);
	err = policy_in_mode(&proposal->written, proposal->mode, &proposal->policy,
			     &proposal->problems);
	problems_sort(&proposal->problems);
	if (err)
		return err != -ENOMEM;
	policy_fit(&proposal->policy, &launch->host, unfits_add, &proposal->unfits);
	proposal->init_why = policy_fit_init(&proposal->policy, &launch->host);
	if (!admit_policy(ctl->agent, &proposal->policy, proposal->unsuited,
			  sizeof(proposal->unsuited)))
		make_printable(proposal->unsuited);
	else
		proposal->unsuited[0] = 0;
	return policy_diff(&launch->policy, &proposal->policy, &proposal->diff) == 0;
}

struct ctl_proposal *proposal_from_text(struct ctl *ctl, const char *name,
					const char *text, size_t size,
					enum policy_mode mode)
{
	struct ctl_proposal *proposal = calloc(1, sizeof(*proposal));

	if (!proposal)
		return NULL;
	proposal->mode = mode;
	if (!policy_keep(&proposal->written, name, text, size) &&
	    finish(ctl, proposal))
		return proposal;
	proposal_free(proposal);
	return NULL;
}

struct ctl_proposal *proposal_from_mode(struct ctl *ctl, enum policy_mode mode)
{
	const struct policy_written *now = &ctl->agent->launch->written;

	return proposal_from_text(ctl, now->name, now->text, now->size, mode);
}

void proposal_free(struct ctl_proposal *proposal)
{
	if (proposal) {
		policy_diff_free(&proposal->diff);
		policy_forget(&proposal->written);
		policy_forget(&proposal->back);
	}
	free(proposal);
}

bool proposal_is_usable(const struct ctl_proposal *proposal)
{
	if (proposal->problems.errors || proposal->unsuited[0])
		return false;
	for (unsigned int i = 0; i < proposal->unfits.nr; i++)
		if (proposal->unfits.list[i].fitted == FIT_REFUSED)
			return false;
	return true;
}

static void problem_text(const struct ctl_proposal *proposal,
			 const struct problem *problem, char *buf, size_t size)
{
	const char *severity = problem->warning ? "warning" : "error";

	if (problem->line)
		snprintf(buf, size, "%s:%" PRIu32 ":%" PRIu32 ": %s: %s",
			 proposal->policy.source, problem->line, problem->column,
			 severity, problem->text);
	else
		snprintf(buf, size, "%s: %s: %s", proposal->policy.source,
			 severity, problem->text);
}

static void unfit_text(const struct ctl_proposal *proposal, const struct unfit *unfit,
		       char *buf, size_t size)
{
	char subject[REGISTER_NAME_MAX], how[FIT_TEXT], place[PLACE_MAX];

	snprintf(buf, size, "%s%s: '%s' on %s %s: %s",
		 unfit->fitted == FIT_REFUSED ? "" : "degraded: ",
		 policy_place(place, &proposal->policy, unfit->rule.line,
			      unfit->rule.column),
		 rule_type_names[unfit->rule.type],
		 event_rule_subject(subject, &unfit->rule),
		 fit_text(how, &proposal->policy, unfit->fitted, &unfit->rule),
		 unfit->why);
}

/* Is line *@n one of the next @nr lines? If not, *@n becomes its number after these. */
static bool within(uint64_t *n, uint64_t nr)
{
	if (*n < nr)
		return true;
	*n -= nr;
	return false;
}

static const char *summary_text(const struct ctl_proposal *proposal, char *buf,
				size_t size)
{
	const unsigned int *counts = proposal->diff.counts;

	snprintf(buf, size, "summary: loosens %u, tightens %u, changes %u",
		 counts[DIFF_LOOSENS], counts[DIFF_TIGHTENS],
		 counts[DIFF_CHANGES]);
	return buf;
}

/* "mode: enforce -> report by the operator (the policy says enforce), 9 of 9 rules .." */
static const char *mode_text(const struct ctl_proposal *proposal, char *buf,
			     size_t size)
{
	struct policy_tally tally = policy_tally(&proposal->policy);
	char mode[128];

	policy_mode_text(mode, sizeof(mode), &proposal->policy,
			 proposal->written.own, proposal->mode);
	snprintf(buf, size, "mode: %s -> %s, %u of %u rule%s only report%s",
		 policy_mode_names[proposal->previous_mode], mode + strlen("mode "),
		 tally.report, tally.rules, plural(tally.rules),
		 tally.rules == 1 ? "s" : "");
	return buf;
}

/* Problems of the text, and rules that this host can't enforce. */
static const char *remark(const struct ctl_proposal *proposal, uint64_t *n, char *buf,
			  size_t size)
{
	if (within(n, proposal->problems.nr))
		problem_text(proposal, &proposal->problems.list[*n], buf, size);
	else if (within(n, proposal->problems.overflow))
		snprintf(buf, size, "%s: and more: only the first %d problems are shown",
			 proposal->policy.source, MAX_PROBLEMS);
	else if (within(n, proposal->unfits.nr))
		unfit_text(proposal, &proposal->unfits.list[*n], buf, size);
	else if (within(n, proposal->unsuited[0] != 0))
		snprintf(buf, size, "refused: %s", proposal->unsuited);
	else if (within(n, proposal->init_why != NULL))
		snprintf(buf, size, "degraded: 'init' can't be done on this host: %s",
			 proposal->init_why);
	else
		return NULL;
	make_printable(buf);
	return buf;
}

/*
 * A client may show the first lines only, so these are the summary, the mode and all that
 * the policy loosens. A long text of the policy cannot push them away.
 */
const char *proposal_line(const struct ctl_proposal *proposal, uint64_t n, char *buf,
			  size_t size)
{
	const struct policy_diff *diff = &proposal->diff;
	unsigned int loosens = diff->counts[DIFF_LOOSENS];
	const char *line;

	if (proposal_is_usable(proposal)) {
		if (within(&n, 1))
			return summary_text(proposal, buf, size);
		if (within(&n, 1))
			return mode_text(proposal, buf, size);
		if (within(&n, loosens))
			return policy_change_text(buf, size, &diff->list[n]);
	}
	line = remark(proposal, &n, buf, size);
	if (line || !proposal_is_usable(proposal))
		return line;
	if (within(&n, diff->nr - loosens))
		return policy_change_text(buf, size, &diff->list[loosens + n]);
	return NULL;
}

/*
 * A policy replaces itself if only its mode changes. After a rollback there is no way back, so
 * that a second one, by an operator who did not know of the first, does not undo it.
 */
static void keep_previous(struct ctl *ctl, const struct ctl_proposal *proposal)
{
	struct launch *launch = ctl->agent->launch;

	if (!proposal->rollback && !strcmp(launch->written.hash, proposal->written.hash)) {
		policy_forget(&launch->written);
		return;
	}
	policy_forget(&ctl->previous.written);
	if (proposal->rollback)
		policy_forget(&launch->written);
	else
		ctl->previous = (struct ctl_back){ launch->written, launch->mode };
}

void proposal_put_in_force(struct ctl *ctl, struct ctl_proposal *proposal)
{
	struct launch *launch = ctl->agent->launch;

	report_replace_policy(ctl->agent, &proposal->policy);
	keep_previous(ctl, proposal);
	launch->written = proposal->written;
	proposal->written.name = proposal->written.text = NULL;
	launch->mode = proposal->mode;
	ctl->policies++;
}
