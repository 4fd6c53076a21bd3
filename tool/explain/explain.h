/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The effects of a policy, in sentences. Whether KVM forwards an access is read from the
 * filters that KVM would get, and the result of an access comes from the judge: the meaning
 * of rules is not repeated here.
 */
#ifndef REGPIN_TOOL_EXPLAIN_H
#define REGPIN_TOOL_EXPLAIN_H

#include "lib/judge/judge.h"

#include "explain_subject.h"

/* Fills in the filters. Returns 0 or -E2BIG, if they do not fit. */
int explain_begin(struct explain *explain, const struct regpin_policy *policy,
		  const struct host *host);

/* Lists the registers with rules, and watched ones. Returns their number or -ENOMEM. */
int explain_subjects(const struct explain *explain, struct subject **ret);

/* Would KVM forward this access to regpin or, without the CR filter, is it polled? */
bool explain_shown(const struct explain *explain, const struct access *access);

/* Describes the results of reads of @subject. */
void explain_reads(const struct explain *explain,
		   const struct subject *subject, char *to, size_t size);

/* Finds an MSR without a rule. Returns false if all MSRs that it tries have one. */
bool explain_rest(const struct explain *explain, struct subject *ret);

/*
 * Lists the bits that a vCPU which starts beside armed ones must have when it turns paging on,
 * or, with @lstar, when it sets LSTAR; empty if there are none.
 */
void explain_floor(const struct explain *explain, bool lstar, char *to,
		   size_t size);

#endif
