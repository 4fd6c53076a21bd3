/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a policy comes to, in sentences. What KVM shows to regpin is asked of the filters
 * that KVM would be given, and what becomes of it of the judge: nothing here knows
 * what a rule means.
 */
#ifndef REGPIN_TOOL_EXPLAIN_H
#define REGPIN_TOOL_EXPLAIN_H

#include "cr_filter.h"
#include "host.h"
#include "judge.h"
#include "msr_filter.h"

#define EXPLAIN_TEXT	4096	/* room for a sentence */

/**
 * struct explain - a policy and what KVM is given for it
 * @policy: fit for @host
 * @host: where it is to be enforced
 * @filter: KVM_X86_SET_MSR_FILTER
 * @crs: KVM_X86_SET_CR_FILTER; all 0 if there is none
 */
struct explain {
	const struct regpin_policy *policy;
	const struct host *host;
	struct filter_copy filter;
	struct kvm_x86_cr_filter crs;
};

/* What a vCPU is in, as far as it matters to what it may do. */
enum phase {
	PHASE_UNARMED,	/* and no other vCPU is armed */
	PHASE_BESIDE,	/* unarmed, but others are, and set up */
	PHASE_FIRST,	/* the first one that is armed, its syscall set-up not done */
	PHASE_SETUP,	/* the same of a later one */
	PHASE_DONE,
	PHASE_MAX
};

/* Registers with consecutive indices of which the policy says the same. */
struct subject {
	unsigned int kind;
	uint32_t index;
	uint32_t count;
};

/* Fills in the filters. Returns 0 or -E2BIG. */
int explain_begin(struct explain *explain, const struct regpin_policy *policy,
		  const struct host *host);

/* All that the policy speaks of, or watches. Returns their number, -ENOMEM. */
int explain_subjects(const struct explain *explain, struct subject **ret);

struct json;

/* {"register": "EFER", "index": "0xc0000080"}, {"index": "0x10a", "last": "0x10f"} */
void json_subject(struct json *json, const struct subject *subject);

/* "EFER (0xc0000080)", "MSR 0x10a-0x10f". */
void explain_name(char *to, size_t size, const struct subject *subject);

/* By enum regpin_action: what is done about a violation, before it happens. */
extern const char *const explain_done[REGPIN_ACTION_MAX];

/* Would KVM show this access to regpin? Where it has no CR filter: is it looked for? */
bool explain_shown(const struct explain *explain, const struct access *access);

/* What reads of @subject give, and what may be written in @phase. */
void explain_reads(const struct explain *explain,
		   const struct subject *subject, char *to, size_t size);
void explain_writes(const struct explain *explain,
		    const struct subject *subject, enum phase phase,
		    char *to, size_t size);

/* An MSR that no rule speaks of; false if there is none among the likely ones. */
bool explain_rest(const struct explain *explain, struct subject *ret);

/*
 * What a vCPU that comes up beside armed ones must have when it turns paging on, or
 * (@lstar) when it sets LSTAR; empty if nothing.
 */
void explain_floor(const struct explain *explain, bool lstar, char *to,
		   size_t size);

/* Appends to the text at @to. */
void __attribute__((format(printf, 3, 4)))
text_add(char *to, size_t size, const char *format, ...);

/* "WP, PE and PG" */
void bits_list(char *to, size_t size, unsigned int kind, uint32_t index,
	       uint64_t bits);

#endif
