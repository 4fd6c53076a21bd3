/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a policy comes to, in sentences. What KVM shows to regpin is asked of the filters
 * that KVM would be given, and what becomes of it of the judge: nothing here knows
 * what a rule means.
 */
#ifndef REGPIN_TOOL_EXPLAIN_H
#define REGPIN_TOOL_EXPLAIN_H

#include "lib/judge/judge.h"

#include "explain_subject.h"

/* Fills in the filters. Returns 0 or -E2BIG. */
int explain_begin(struct explain *explain, const struct regpin_policy *policy,
		  const struct host *host);

/* All that the policy speaks of, or watches. Returns their number, -ENOMEM. */
int explain_subjects(const struct explain *explain, struct subject **ret);

/* Would KVM show this access to regpin? Where it has no CR filter: is it looked for? */
bool explain_shown(const struct explain *explain, const struct access *access);

/* What reads of @subject give. */
void explain_reads(const struct explain *explain,
		   const struct subject *subject, char *to, size_t size);

/* An MSR that no rule speaks of; false if there is none among the likely ones. */
bool explain_rest(const struct explain *explain, struct subject *ret);

/*
 * What a vCPU that comes up beside armed ones must have when it turns paging on, or
 * (@lstar) when it sets LSTAR; empty if nothing.
 */
void explain_floor(const struct explain *explain, bool lstar, char *to,
		   size_t size);

#endif
