// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest may still do with a register: found out by trying it. Each bit is
 * changed both ways, from several values, in each phase of a vCPU's life, and the
 * answers that are the same become one sentence.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "registers.h"

#include "explain.h"

/* What the first armed vCPU has left in every register; no single bit. */
#define COMMON		0x5a5a5a5a5a58ull

static const char *const done[REGPIN_ACTION_MAX] = {
	[REGPIN_ALLOW] = "allowed",
	[REGPIN_REPORT] = "allowed, and an event",
	[REGPIN_MASK] = "written without that",
	[REGPIN_DROP] = "the write vanishes",
	[REGPIN_GP] = "#GP",
	[REGPIN_PAUSE] = "the vCPU is held until the operator answers",
	[REGPIN_STOP] = "the VM is stopped",
};

static const char *const found[REGPIN_ACTION_MAX] = {
	[REGPIN_REPORT] = "found later: an event",
	[REGPIN_MASK] = "found later, and put back",
	[REGPIN_PAUSE] = "found later: the vCPU is held until the operator answers",
	[REGPIN_STOP] = "found later: the VM is stopped",
};

/* What is done about a violation; where it can't be stopped it is found by a look. */
static const char *action_text(const struct explain *explain,
			       const struct subject *subject,
			       unsigned int action)
{
	if (subject->kind == REGPIN_MSR || explain->host->cr_filter)
		return done[action];
	return found[action == REGPIN_REPORT ? REGPIN_REPORT :
		     explain->policy->settings.detect_action];
}

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

/* Where what is said of MSRs may change. Returns their number. */
static size_t borders(const struct explain *explain, uint64_t *to)
{
	const struct regpin_policy *policy = explain->policy;
	const uint32_t watched[] = { MSR_LSTAR, MSR_SFMASK,
				     policy->settings.request_msr };
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
	qsort(to, nr, sizeof(*to), compare);
	return nr;
}

static bool spoken_of(const struct explain *explain, uint32_t index)
{
	return policy_rule_on(explain->policy, REGPIN_MSR, index,
			      ACCESS_READ | ACCESS_WRITE) ||
	       filter_wants(explain->policy, index, ACCESS_WRITE);
}

int explain_subjects(const struct explain *explain, struct subject **ret)
{
	size_t max = 2u * explain->policy->nr_rules + 6, from, nr = 0;
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

/* By this the policy's own rules (of what happens where no rule speaks) are found. */
bool explain_rest(const struct explain *explain, struct subject *ret)
{
	/* KVM filters these, and no register of note is there. */
	for (uint32_t index = 0x2fff; index > 0x2000; index--) {
		*ret = (struct subject){ REGPIN_MSR, index, 1 };
		if (!policy_rule_on(explain->policy, REGPIN_MSR, index,
				    ACCESS_READ | ACCESS_WRITE))
			return true;
	}
	return false;
}

static struct state state_of(enum phase phase, uint64_t old)
{
	const struct protections full = { ~0ull, ~0ull, ~0ull };

	return (struct state){
		.armed = phase >= PHASE_FIRST,
		.setup_done = phase == PHASE_DONE,
		.uniform_known = phase != PHASE_UNARMED && phase != PHASE_FIRST,
		.uniform = COMMON, .once = old,
		/* What it lacks is told by explain_floor(). */
		.own = full, .first = full,
	};
}

/* Would KVM show this write to us? */
static bool shown(const struct explain *explain, const struct access *access)
{
	const struct kvm_x86_cr_filter_reg *reg;

	if (access->kind == REGPIN_MSR)
		return !model_filter_allows(&explain->filter.filter,
					    access->index, access->write ?
					    ACCESS_WRITE : ACCESS_READ);
	/* What can't be stopped is looked at: as watch.c judges it. */
	if (!explain->host->cr_filter)
		return explain->policy->settings.detect_ms;
	reg = &explain->crs.regs[access->kind - REGPIN_CR0];
	return (access->old_value & ~access->new_value & reg->clear_mask) ||
	       (~access->old_value & access->new_value & reg->set_mask);
}

/* What is done about a write of @new over @old? */
static unsigned int ask(const struct explain *explain,
			const struct subject *subject, enum phase phase,
			uint64_t old, uint64_t new)
{
	struct state state = state_of(phase, old);
	const struct access access = {
		.kind = (uint8_t)subject->kind, .write = true,
		.index = subject->index, .old_value = old, .new_value = new,
	};
	struct verdict verdict;

	if (!shown(explain, &access))
		return REGPIN_ALLOW;
	state.floor = phase == PHASE_BESIDE && judge_needs_own(&access);
	/* Looks are for armed vCPUs, as watch.c says. */
	if (access.kind != REGPIN_MSR && !explain->host->cr_filter) {
		if (phase < PHASE_FIRST)
			return REGPIN_ALLOW;
		state = (struct state){ .armed = true };
	}
	judge(explain->policy, &state, &access, &verdict);
	return verdict.action;
}

void explain_reads(const struct explain *explain,
		   const struct subject *subject, char *to, size_t size)
{
	static const char *const texts[REGPIN_ACTION_MAX] = {
		[REGPIN_ALLOW] = "free",
		[REGPIN_REPORT] = "allowed, and an event",
		[REGPIN_DROP] = "give 0",
		[REGPIN_GP] = "refused (#GP)",
		[REGPIN_PAUSE] = "the vCPU is held until the operator answers",
		[REGPIN_STOP] = "the VM is stopped",
	};
	const struct access access = { .kind = (uint8_t)subject->kind,
				       .index = subject->index };
	const struct state state = { 0 };
	struct verdict verdict = { .action = REGPIN_ALLOW };

	if (subject->kind == REGPIN_MSR && shown(explain, &access))
		judge(explain->policy, &state, &access, &verdict);
	if (verdict.answered)
		snprintf(to, size, "answered 0x%" PRIx64, verdict.value);
	else
		snprintf(to, size, "%s", texts[verdict.action]);
}

/* How bits may change: the same for all of @bits. */
struct group {
	unsigned int set, clear;
	uint64_t bits;
};

/* Bits by what is done when they are set, and cleared. Returns their number. */
static unsigned int group_bits(const struct explain *explain,
			       const struct subject *subject, enum phase phase,
			       struct group groups[64])
{
	unsigned int nr = 0;

	for (unsigned int n = 0; n < 64; n++) {
		uint64_t bit = 1ull << n;
		unsigned int set = ask(explain, subject, phase, ~bit, ~0ull);
		unsigned int clear = ask(explain, subject, phase, ~0ull, ~bit);
		unsigned int i = 0;

		while (i < nr && (groups[i].set != set ||
				  groups[i].clear != clear))
			i++;
		if (i == nr)
			groups[nr++] = (struct group){ set, clear, 0 };
		groups[i].bits |= bit;
	}
	return nr;
}

/* One sentence on @group, of @all. "all but" if that is shorter. */
static void group_text(const struct explain *explain,
		       const struct subject *subject, const struct group *group,
		       char *to, size_t size)
{
	const char *set = action_text(explain, subject, group->set);
	const char *clear = action_text(explain, subject, group->clear);
	char bits[1024], others[1024];
	bool all = !~group->bits;

	bits_list(bits, sizeof(bits), subject->kind, subject->index,
		  group->bits);
	bits_list(others, sizeof(others), subject->kind, subject->index,
		  ~group->bits);
	if (all)
		text_add(to, size, "no bit can");
	else if (__builtin_popcountll(group->bits) > 32)
		text_add(to, size, "all bits but %s can't", others);
	else
		text_add(to, size, "%s can't", bits);
	if (group->set == group->clear)
		text_add(to, size, " change (%s)", set);
	else if (group->set && group->clear)
		text_add(to, size, " be set (%s) nor cleared (%s)", set, clear);
	else if (group->set)
		text_add(to, size, " be set (%s)", set);
	else
		text_add(to, size, " be cleared once set (%s)", clear);
}

static void by_bits(const struct explain *explain,
		    const struct subject *subject, enum phase phase, char *to,
		    size_t size)
{
	struct group groups[64] = { 0 };
	unsigned int nr = group_bits(explain, subject, phase, groups);
	const char *between = "";
	uint64_t open = 0;

	for (unsigned int i = 0; i < nr; i++) {
		if (!groups[i].set && !groups[i].clear) {
			open |= groups[i].bits;
			continue;
		}
		text_add(to, size, "%s", between);
		group_text(explain, subject, &groups[i], to, size);
		between = "; ";
	}
	if (!~open)
		text_add(to, size, "free");
	else if (open)
		text_add(to, size, "; other bits are free");
}

/* Is every bit's every change refused in the same way, from @old too? */
static unsigned int no_change(const struct explain *explain,
			      const struct subject *subject, enum phase phase,
			      uint64_t old)
{
	unsigned int all = ask(explain, subject, phase, old, old ^ 1);

	for (unsigned int n = 0; n < 64; n++)
		if (ask(explain, subject, phase, old, old ^ 1ull << n) != all)
			return REGPIN_ALLOW;
	return all;
}

void explain_writes(const struct explain *explain,
		    const struct subject *subject, enum phase phase,
		    char *to, size_t size)
{
	const uint64_t other = 0x1234;
	unsigned int same = ask(explain, subject, phase, other, other);
	unsigned int common = ask(explain, subject, phase, other, COMMON);
	unsigned int held = same ? REGPIN_ALLOW :
			    no_change(explain, subject, phase, other);

	to[0] = 0;
	if (same && common) {
		text_add(to, size, "none: %s", action_text(explain, subject, same));
	} else if (same) {
		text_add(to, size, "only of the value that the VM's first armed vCPU has there (else: %s)",
		    action_text(explain, subject, same));
	} else if (held && common && !ask(explain, subject, phase, 0, other) &&
		   !ask(explain, subject, phase, 0, COMMON)) {
		text_add(to, size, "free while it is 0, then only of what it holds (else: %s)",
		    action_text(explain, subject, held));
	} else if (held && common) {
		text_add(to, size, "only of what it holds (else: %s)",
		    action_text(explain, subject, held));
	} else {
		by_bits(explain, subject, phase, to, size);
	}
}

/* Which bits of CR0, CR4 or EFER does @access take, if a vCPU lacks them? */
static uint64_t needed(const struct explain *explain,
		       const struct access *access, unsigned int kind,
		       unsigned int *action)
{
	const struct protections full = { ~0ull, ~0ull, ~0ull };
	uint64_t bits = 0;

	for (unsigned int n = 0; n < 64; n++) {
		struct state state = { .floor = true, .own = full,
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
		/* What CR0 will be is in the access itself. */
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
		.new_value = COMMON,
	};

	to[0] = 0;
	/* Without the CR filter nobody sees it. */
	if (!lstar && (!explain->host->cr_filter || !shown(explain, &paging)))
		return;
	for (size_t i = 0; i < sizeof(regs) / sizeof(regs[0]); i++) {
		unsigned int action = REGPIN_GP;
		uint64_t bits = needed(explain, lstar ? &entry : &paging,
				       regs[i].kind, &action);
		char names[1024];

		bits_list(names, sizeof(names), regs[i].kind, regs[i].index,
			  bits);
		if (bits)
			text_add(to, size, "%s%s's %s (else: %s)", *to ? "; " : "",
			    regs[i].name, names, done[action]);
	}
}
