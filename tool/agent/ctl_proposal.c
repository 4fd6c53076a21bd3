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
#include "policy/effective.h"
#include "policy/policy_diff.h"
#include "policy/policy_diff_text.h"
#include "policy/policy_written.h"
#include "policy/problems.h"
#include "report.h"
#include "rule_counts.h"

/* The effective mode of a row of @table, which was read in the operator's mode @mode. */
static struct effective effective_row(const struct rule_row *row, enum policy_mode own,
				      enum policy_mode mode)
{
	return effective_of(&row->rule, row->left_out, own, mode);
}

static bool is_target(const struct rule *rule, const struct rule_place *place)
{
	return rule->line == place->line && rule->column == place->column;
}

/*
 * A mode that a rule can't have is refused. A rule may have a row for each of its registers,
 * and all of them must have the mode.
 */
static void check_target(struct ctl_proposal *proposal)
{
	const struct rule_target *target = &proposal->target;
	enum effective_mode wanted = target->mode == MODE_REPORT ? EFFECTIVE_REPORTED :
								   EFFECTIVE_ENFORCED;
	char why[512];

	for (uint32_t i = 0; proposal->has_target && i < proposal->table.nr; i++) {
		const struct rule_row *row = &proposal->table.rows[i];
		struct effective is = effective_row(row, proposal->written.own,
						    proposal->mode);

		if (!is_target(&row->rule, &target->place))
			continue;
		proposal->target_rule = row->rule;
		if (target->mode == MODE_POLICY || is.mode == wanted)
			continue;
		if (is.mode == EFFECTIVE_ENFORCED)
			snprintf(why, sizeof(why), "'%s' is never violated",
				 rule_type_names[row->rule.type]);
		else
			effective_why(why, sizeof(why), is, row->why);
		snprintf(proposal->unsuited, sizeof(proposal->unsuited),
			 "the rule can't be %s: it would be %s: %s",
			 effective_name(wanted), effective_name(is.mode), why);
		return;
	}
}

/* Another mode of the text in force leaves most rules as degraded as they are. */
static void set_known(struct ctl_proposal *proposal, const struct launch *launch)
{
	proposal->known = rule_table_drop_known(&launch->table, &proposal->unfits);
	proposal->init_known = proposal->init_why && launch->init_why;
}

/* Makes @policy and @diff from @written. Returns false if there is no memory. */
static bool finish(struct ctl *ctl, struct ctl_proposal *proposal)
{
	struct launch *launch = ctl->agent->launch;
	int err;

	proposal->policies = ctl->policies;
	proposal->previous_mode = policy_effective(&launch->policy, launch->written.own,
						   launch->mode);
	err = policy_in_mode(&proposal->written, proposal->mode,
			     &proposal->modes, &proposal->policy,
			     &proposal->problems);
	problems_sort(&proposal->problems);
	if (err)
		return err != -ENOMEM;
	policy_fit(&proposal->policy, &launch->host, unfits_add, &proposal->unfits);
	if (rule_table_make(&proposal->table, &proposal->policy,
			    &proposal->unfits))
		return false;
	proposal->init_why = policy_fit_init(&proposal->policy, &launch->host);
	if (!strcmp(proposal->written.hash, launch->written.hash))
		set_known(proposal, launch);
	if (!admit_policy(ctl->agent, &proposal->policy, proposal->unsuited,
			  sizeof(proposal->unsuited))) {
		make_printable(proposal->unsuited);
	} else {
		proposal->unsuited[0] = 0;
		check_target(proposal);
	}
	if (!admit_unchecked(ctl->agent, &launch->policy, proposal->unchecked,
			     sizeof(proposal->unchecked)))
		admit_unchecked(ctl->agent, &proposal->policy, proposal->unchecked,
				sizeof(proposal->unchecked));
	else
		proposal->unchecked[0] = 0;
	return policy_diff(&launch->policy, &proposal->policy, &proposal->diff) == 0;
}

/* Takes over @proposal, whose mode is set, and fills in the rest. */
static struct ctl_proposal *fill(struct ctl *ctl, struct ctl_proposal *proposal,
				 const char *name, const char *text, size_t size)
{
	if (!policy_keep(&proposal->written, name, text, size) &&
	    finish(ctl, proposal))
		return proposal;
	proposal_free(proposal);
	return NULL;
}

static struct ctl_proposal *fill_from_force(struct ctl *ctl, struct ctl_proposal *proposal)
{
	const struct policy_written *now = &ctl->agent->launch->written;

	return fill(ctl, proposal, now->name, now->text, now->size);
}

struct ctl_proposal *proposal_from_text(struct ctl *ctl, const char *name,
					const char *text, size_t size,
					enum policy_mode mode,
					const struct rule_modes *modes)
{
	struct ctl_proposal *proposal = calloc(1, sizeof(*proposal));

	if (!proposal)
		return NULL;
	proposal->mode = mode;
	if (modes)
		proposal->modes = *modes;
	/* These modes belong to the text in force. */
	proposal->ended = ctl->agent->launch->rule_modes.nr;
	return fill(ctl, proposal, name, text, size);
}

struct ctl_proposal *proposal_from_mode(struct ctl *ctl, enum policy_mode mode)
{
	const struct launch *launch = ctl->agent->launch;
	struct ctl_proposal *proposal = calloc(1, sizeof(*proposal));

	if (!proposal)
		return NULL;
	proposal->mode = mode;
	if (mode == MODE_POLICY)
		proposal->ended = launch->rule_modes.nr;
	else
		proposal->modes = launch->rule_modes;
	return fill_from_force(ctl, proposal);
}

struct ctl_proposal *proposal_from_rule(struct ctl *ctl,
					const struct rule_target *target)
{
	const struct launch *launch = ctl->agent->launch;
	struct ctl_proposal *proposal = calloc(1, sizeof(*proposal));

	if (!proposal)
		return NULL;
	proposal->mode = launch->mode;
	proposal->modes = launch->rule_modes;
	proposal->has_target = true;
	proposal->target = *target;
	rule_modes_set(&proposal->modes, target->place.line, target->place.column,
		       target->mode);
	return fill_from_force(ctl, proposal);
}

bool proposal_renew(struct ctl *ctl, struct ctl_proposal **proposal)
{
	struct ctl_proposal *old = *proposal;

	if (old->has_target && strcmp(old->written.hash,
				      ctl->agent->launch->written.hash) != 0)
		return false;
	*proposal = old->has_target ? proposal_from_rule(ctl, &old->target) :
				      proposal_from_mode(ctl, old->mode);
	proposal_free(old);
	return true;
}

void proposal_free(struct ctl_proposal *proposal)
{
	if (proposal) {
		policy_diff_free(&proposal->diff);
		rule_table_free(&proposal->table);
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

/* "degraded: 3 rules, as before; 'status --rules' lists them" */
static void known_text(const struct ctl_proposal *proposal, char *buf, size_t size)
{
	const char *init = proposal->init_known ? "'init'" : "";
	uint32_t nr = proposal->known;

	if (nr)
		snprintf(buf, size, "degraded: %" PRIu32 " rule%s%s%s, as before; 'status --rules' lists the rule%s",
			 nr, plural(nr), *init ? " and " : "", init, plural(nr));
	else
		snprintf(buf, size, "degraded: %s, as before", init);
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
	struct policy_tally tally = policy_tally(&proposal->policy,
						 proposal->table.left_out);
	char mode[128];

	policy_mode_text(mode, sizeof(mode), &proposal->policy,
			 proposal->written.own, proposal->mode);
	snprintf(buf, size, "mode: %s -> %s, %u of %u rule%s only report%s",
		 policy_mode_names[proposal->previous_mode], mode + strlen("mode "),
		 tally.report, tally.rules, plural(tally.rules),
		 tally.rules == 1 ? "s" : "");
	return buf;
}

/* The effective mode of the target's rows, or "mixed" if they have different ones. */
static const char *target_mode(const struct rule_table *table,
			       const struct rule_place *place, enum policy_mode own,
			       enum policy_mode mode)
{
	const char *name = NULL;

	for (uint32_t i = 0; i < table->nr; i++) {
		const struct rule_row *row = &table->rows[i];
		const char *is = effective_name(effective_row(row, own, mode).mode);

		if (!is_target(&row->rule, place))
			continue;
		name = name && strcmp(name, is) != 0 ? "mixed" : is;
	}
	return name ? name : "unknown";
}

/* "rule: linux.yaml:79:5: enforced -> reported, by the operator's mode of this rule" */
static const char *target_text(const struct ctl *ctl, const struct ctl_proposal *proposal,
			       char *buf, size_t size)
{
	const struct launch *launch = ctl->agent->launch;
	const struct rule_place *at = &proposal->target.place;
	char place[PLACE_MAX];

	snprintf(buf, size, "rule: %s: %s -> %s, %s",
		 policy_place(place, &proposal->policy, at->line, at->column),
		 target_mode(&launch->table, at, launch->written.own, launch->mode),
		 target_mode(&proposal->table, at, proposal->written.own, proposal->mode),
		 proposal->target.mode == MODE_POLICY ?
		 "as the operator's mode of this rule ends" :
		 "by the operator's mode of this rule");
	return buf;
}

static const char *ended_text(const struct ctl_proposal *proposal, char *buf, size_t size)
{
	snprintf(buf, size, "rules: the operator's mode of %u rule%s ends",
		 proposal->ended, plural(proposal->ended));
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
	else if (within(n, proposal->unchecked[0] != 0))
		snprintf(buf, size, "warning: %s", proposal->unchecked);
	else if (within(n, proposal->init_why && !proposal->init_known))
		snprintf(buf, size, "degraded: 'init' can't be done on this host: %s",
			 proposal->init_why);
	else if (within(n, proposal->known || proposal->init_known))
		known_text(proposal, buf, size);
	else
		return NULL;
	make_printable(buf);
	return buf;
}

/*
 * A client may show the first lines only, so these are the summary, the modes and all that
 * the policy loosens. A long text of the policy cannot push them away.
 */
const char *proposal_line(const struct ctl *ctl, const struct ctl_proposal *proposal,
			  uint64_t n, char *buf, size_t size)
{
	const struct policy_diff *diff = &proposal->diff;
	unsigned int loosens = diff->counts[DIFF_LOOSENS];
	const char *line;

	if (proposal_is_usable(proposal)) {
		if (within(&n, 1))
			return summary_text(proposal, buf, size);
		if (within(&n, 1))
			return mode_text(proposal, buf, size);
		if (within(&n, proposal->has_target))
			return target_text(ctl, proposal, buf, size);
		if (within(&n, proposal->ended != 0))
			return ended_text(proposal, buf, size);
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
		ctl->previous = (struct ctl_back){
			launch->written, launch->mode, launch->rule_modes };
}

void proposal_put_in_force(struct ctl *ctl, struct ctl_proposal *proposal)
{
	struct launch *launch = ctl->agent->launch;

	report_replace_policy(ctl->agent, &proposal->policy);
	rule_counts_switch(ctl->agent, proposal);
	keep_previous(ctl, proposal);
	launch->written = proposal->written;
	proposal->written.name = proposal->written.text = NULL;
	launch->mode = proposal->mode;
	admit_report_unchecked(ctl->agent);
	launch->rule_modes = proposal->modes;
	launch->init_why = proposal->init_why;
	rule_table_free(&launch->table);
	launch->table = proposal->table;
	proposal->table.rows = NULL;
	ctl->policies++;
}
