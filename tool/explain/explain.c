// SPDX-License-Identifier: GPL-2.0-only
/*
 * The effects of a policy: the registers to describe, the results of reads, and the bits that
 * a vCPU needs to start. Writes are in explain_writes.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/judge/model.h"
#include "lib/policy/registers.h"

#include "explain.h"
#include "explain_name.h"

int explain_begin(struct explain *explain, const struct regpin_policy *policy,
		  const struct host *host)
{
	memset(explain, 0, sizeof(*explain));
	explain->policy = policy;
	explain->host = host;
	if (host->cr_filter && cr_filter_needed(policy))
		cr_filter_build(policy, host->filterable, &explain->crs);
	return filter_needed(policy) ?
		       filter_build(policy, NULL, &explain->filter) : 0;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Lists the indices at which the description of MSRs may change. Returns their number. */
static size_t borders(const struct explain *explain, uint64_t *to)
{
	const struct regpin_policy *policy = explain->policy;
	const uint32_t watched[] = { MSR_LSTAR, MSR_SFMASK,
				     policy->settings.request_msr };
	bool closed = policy_wide(policy, RULE_DEFAULT);
	size_t nr = 0;

	for (uint32_t i = 0; i < policy->nr_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule->kind != REGPIN_MSR)
			continue;
		to[nr++] = rule->index;
		to[nr++] = (uint64_t)rule->index + rule->count;
	}
	for (size_t i = 0; i < 3; i++) {
		to[nr++] = watched[i];
		to[nr++] = (uint64_t)watched[i] + 1;
	}
	if (closed) {
		to[nr++] = MSR_X2APIC;
		to[nr++] = MSR_X2APIC + MSR_X2APIC_NR;
	}
	qsort(to, nr, sizeof(*to), compare);
	return nr;
}

/* MSRs whose writes regpin intercepts even without a rule. */
static bool is_watched(const struct regpin_policy *policy, uint32_t index)
{
	uint32_t request = policy->settings.request_msr;

	return index == MSR_LSTAR || index == MSR_SFMASK ||
	       (request && index == request) ||
	       !policy_wide(policy, RULE_DEFAULT);
}

static bool spoken_of(const struct explain *explain, uint32_t index)
{
	/* `default: deny` has no effect on x2APIC's MSRs, which has to be described. */
	if (is_x2apic(index) && policy_wide(explain->policy, RULE_DEFAULT))
		return true;
	if (policy_rule_on(explain->policy, REGPIN_MSR, index,
			   ACCESS_READ | ACCESS_WRITE))
		return true;
	/* MSRs to which only the default applies are described together. */
	return is_watched(explain->policy, index) &&
	       filter_wants(explain->policy, index, ACCESS_WRITE);
}

int explain_subjects(const struct explain *explain, struct subject **ret)
{
	size_t max = 2u * explain->policy->nr_rules + 8, from, nr = 0;
	uint64_t *at = calloc(max, sizeof(*at));
	struct subject *list = calloc(max + NR_CRS, sizeof(*list));

	if (!at || !list) {
		free(at);
		free(list);
		return -ENOMEM;
	}
	max = borders(explain, at);
	for (from = 0; from + 1 < max; from++) {
		if (at[from] == at[from + 1] || at[from] > UINT32_MAX ||
		    !spoken_of(explain, (uint32_t)at[from]))
			continue;
		list[nr++] = (struct subject){
			REGPIN_MSR, (uint32_t)at[from],
			(uint32_t)(at[from + 1] - at[from]),
		};
	}
	for (unsigned int kind = REGPIN_CR0; kind < REGPIN_KIND_MAX; kind++)
		if (policy_rule_on(explain->policy, kind, 0, ACCESS_WRITE))
			list[nr++] = (struct subject){ kind, 0, 1 };
	free(at);
	*ret = list;
	return (int)nr;
}

/* The MSR that is found is an example, to describe `default`, `unknown` and `invalid`. */
bool explain_rest(const struct explain *explain, struct subject *ret)
{
	/* KVM can filter these indices, and CPUs have no important register there. */
	for (uint32_t index = 0x2fff; index > 0x2000; index--) {
		*ret = (struct subject){ REGPIN_MSR, index, 1 };
		if (!policy_rule_on(explain->policy, REGPIN_MSR, index,
				    ACCESS_READ | ACCESS_WRITE))
			return true;
	}
	return false;
}

bool explain_shown(const struct explain *explain, const struct access *access)
{
	const struct kvm_x86_cr_filter_reg *reg;

	if (access->kind == REGPIN_MSR)
		return !model_filter_allows(&explain->filter.filter,
					    access->index, access->write ?
					    ACCESS_WRITE : ACCESS_READ);
	/* Accesses that can't be stopped are polled, and judged by detect.c. */
	if (!explain->host->cr_filter)
		return explain->policy->settings.detect_ms;
	reg = &explain->crs.regs[access->kind - REGPIN_CR0];
	return (access->old_value & ~access->new_value & reg->clear_mask) ||
	       (~access->old_value & access->new_value & reg->set_mask);
}

void explain_reads(const struct explain *explain,
		   const struct subject *subject, char *to, size_t size)
{
	static const char *const texts[REGPIN_ACTION_MAX] = {
		[REGPIN_ALLOW] = "free",
		[REGPIN_REPORT] = "allowed, logged",
		[REGPIN_DROP] = "dropped: the guest reads 0",
		[REGPIN_GP] = "refused (#GP)",
		[REGPIN_PAUSE] = "the vCPU is held until the operator answers",
		[REGPIN_STOP] = "the VM is stopped",
	};
	const struct access access = { .kind = (uint8_t)subject->kind,
				       .index = subject->index };
	const struct judge_state state = { 0 };
	struct verdict verdict = { .action = REGPIN_ALLOW };

	if (subject->kind == REGPIN_MSR && explain_shown(explain, &access))
		judge(explain->policy, &state, &access, &verdict);
	if (verdict.answered)
		snprintf(to, size, "return 0x%" PRIx64 "%s", verdict.value,
			 verdict.rule ? ", logged" : "");
	else
		snprintf(to, size, "%s", texts[verdict.action]);
}

/* The bits of CR0, CR4 or EFER without which a vCPU may not do @access. */
static uint64_t needed(const struct explain *explain,
		       const struct access *access, unsigned int kind,
		       unsigned int *action)
{
	const struct protections full = { ~0ull, ~0ull, ~0ull };
	uint64_t bits = 0;

	for (unsigned int n = 0; n < 64; n++) {
		struct judge_state state = { .floor = true, .own = full,
				       .first = full };
		struct access trial = *access;
		uint64_t without = ~(1ull << n);
		struct verdict verdict;

		if (kind == REGPIN_CR0)
			state.own.cr0 = without;
		else if (kind == REGPIN_CR4)
			state.own.cr4 = without;
		else
			state.own.efer = without;
		/* The access itself has the new value of CR0. */
		if (kind == REGPIN_CR0 && access->kind == REGPIN_CR0)
			trial.new_value &= without;
		judge(explain->policy, &state, &trial, &verdict);
		if (!verdict.rule || verdict.rule->type != RULE_REQUIRE)
			continue;
		bits |= 1ull << n;
		*action = verdict.action;
	}
	return bits;
}

void explain_floor(const struct explain *explain, bool lstar, char *to,
		   size_t size)
{
	static const struct {
		unsigned int kind;
		uint32_t index;
		const char *name;
	} regs[] = {
		{ REGPIN_CR0, 0, "CR0" }, { REGPIN_MSR, MSR_EFER, "EFER" },
		{ REGPIN_CR4, 0, "CR4" },
	};
	const struct access paging = {
		.kind = REGPIN_CR0, .write = true, .new_value = ~0ull,
	}, entry = {
		.kind = REGPIN_MSR, .write = true, .index = MSR_LSTAR,
		.new_value = 1,
	};

	to[0] = 0;
	/* Without the CR filter regpin does not see the write that turns paging on. */
	if (!lstar && (!explain->host->cr_filter || !explain_shown(explain, &paging)))
		return;
	for (size_t i = 0; i < sizeof(regs) / sizeof(regs[0]); i++) {
		unsigned int action = REGPIN_GP;
		uint64_t bits = needed(explain, lstar ? &entry : &paging,
				       regs[i].kind, &action);
		char names[1024];

		bits_list(names, sizeof(names), regs[i].kind, regs[i].index,
			  bits);
		if (bits)
			text_add(to, size, "%s%s's %s (otherwise: %s)", *to ? "; " : "",
			    regs[i].name, names, explain_done[action]);
	}
}
