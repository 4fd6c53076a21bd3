// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes to a register that a guest may still make, found by trying them with the judge.
 * Rules on whole registers judge a write by the first armed vCPU's value and by the vCPU's
 * previous value; rules on bits judge it by the bits that change. So the values that are
 * tried exclude one kind of rule at a time, and each bit is changed both ways. The sentences
 * on a register, with semicolons between them, all hold; if several of them apply to a
 * write, the strongest action decides.
 */
#include <stdio.h>
#include <string.h>

#include "explain.h"
#include "explain_name.h"
#include "explain_writes.h"
#include "lib/judge/replay.h"
#include "lib/policy/registers.h"

#define OTHER		0x1234ull	/* some value with several bits */

static const char *const later[REGPIN_ACTION_MAX] = {
	[REGPIN_REPORT] = "detected later, logged",
	[REGPIN_MASK] = "detected later, and put back",
	[REGPIN_PAUSE] = "detected later: the vCPU is held until the operator answers",
	[REGPIN_STOP] = "detected later: the VM is stopped",
};

/* The action of a violation; if it can't be stopped, it is found by polling. */
static const char *action_text(const struct explain *explain,
			       const struct subject *subject,
			       unsigned int action)
{
	if (subject->kind == REGPIN_MSR || explain->host->cr_filter)
		return explain_done[action];
	return later[action == REGPIN_REPORT ? REGPIN_REPORT :
		     explain->policy->settings.detect_action];
}

/* Properties of a write for which rules on whole registers could forbid it. */
#define NOT_COMMON	(1u << 0)	/* the first armed vCPU has another value */
#define NOT_OWN		(1u << 1)	/* it differs from the vCPU's previous value */
#define FLOOR		(1u << 2)	/* it clears a bit that `require` keeps */

static struct judge_state state_of(enum phase phase, uint64_t new, unsigned int minds)
{
	const struct protections full = { ~0ull, ~0ull, ~0ull };

	return (struct judge_state){
		.armed = phase_is_armed(phase),
		.setup_done = phase == PHASE_DONE,
		.uniform_known = phase != PHASE_UNARMED && phase != PHASE_FIRST,
		.uniform = minds & NOT_COMMON ? ~new : new,
		.once = minds & NOT_OWN ? ~new : new,
		.leftover = !(minds & NOT_OWN),
		/* explain_floor() describes the bits that a vCPU may lack. */
		.own = full, .first = full,
	};
}

/* The new value without changes of bits that CPUs ignore (LMA, half of TSC_AUX). */
static uint64_t effective(const struct subject *subject, uint64_t old,
			  uint64_t new)
{
	static const struct guest guest = { .sysenter = ~0ull,
					    .sysenter_cs = ~0ull };

	return subject->kind == REGPIN_MSR ?
		       replay_effective(&guest, subject->index, old, new) : new;
}

/* The action for a write of @new over @old. */
static unsigned int judge_write(const struct explain *explain,
				const struct subject *subject, enum phase phase,
				uint64_t old, uint64_t new, unsigned int minds)
{
	const struct access access = {
		.kind = (uint8_t)subject->kind, .write = true,
		.index = subject->index, .old_value = effective(subject, old, old),
		.new_value = effective(subject, old, new),
	};
	struct verdict verdict;
	struct judge_state state;

	if (!explain_shown(explain, &access))
		return REGPIN_ALLOW;
	state = state_of(phase, access.new_value, minds);
	/* See floor_applies(). */
	state.floor = minds & FLOOR && judge_needs_own(&access) &&
		      (phase == PHASE_BESIDE || phase == PHASE_SETUP);
	/* Only armed vCPUs are polled, see detect.c. */
	if (access.kind != REGPIN_MSR && !explain->host->cr_filter) {
		if (!phase_is_armed(phase))
			return REGPIN_ALLOW;
		state = (struct judge_state){ .armed = true };
	}
	judge(explain->policy, &state, &access, &verdict);
	return verdict.action;
}

/* The actions for setting and clearing a bit, which are the same for all @bits. */
struct group {
	unsigned int set, clear;
	uint64_t bits;
};

/* Groups bits by the actions for setting and clearing them. Returns the number of groups. */
static unsigned int group_bits(const struct explain *explain,
			       const struct subject *subject, enum phase phase,
			       struct group groups[64])
{
	unsigned int nr = 0;

	for (unsigned int n = 0; n < 64; n++) {
		uint64_t bit = 1ull << n;
		unsigned int set = judge_write(explain, subject, phase, ~bit, ~0ull, 0);
		unsigned int clear = judge_write(explain, subject, phase, ~0ull, ~bit, 0);
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

/* Is a violation stopped? Otherwise it only becomes known, at once or by polling. */
static bool is_stopped(const struct explain *explain,
		       const struct subject *subject, unsigned int action)
{
	return action != REGPIN_REPORT &&
	       (subject->kind == REGPIN_MSR || explain->host->cr_filter);
}

/*
 * "NXE and bits 8-11 can't be set (#GP)", or "all bits but ..." if that is shorter. If a
 * change is not stopped: "setting NXE is not stopped (detected later, logged)".
 */
static void change_text(const struct explain *explain,
			const struct subject *subject, uint64_t which,
			unsigned int action, const char *verb, const char *noun,
			char *to, size_t size)
{
	const char *done = action_text(explain, subject, action);
	bool most = __builtin_popcountll(which) > 32;
	char bits[1024];

	bits_list(bits, sizeof(bits), subject->kind, subject->index,
		  most ? ~which : which);
	text_add(to, size, "%s", *to ? "; " : "");
	if (!is_stopped(explain, subject, action))
		text_add(to, size, "%s %s%s is not stopped (%s)", noun,
			 !~which ? "any bit" : most ? "all bits but " : "",
			 ~which ? bits : "", done);
	else if (!~which)
		text_add(to, size, "no bit can %s (%s)", verb, done);
	else
		text_add(to, size, "%s%s can't %s (%s)",
			 most ? "all bits but " : "", bits, verb, done);
}

/* The sentences on @group. */
static void group_text(const struct explain *explain,
		       const struct subject *subject, const struct group *group,
		       char *to, size_t size)
{
	if (group->set == group->clear) {
		change_text(explain, subject, group->bits, group->set, "change",
			    "changing", to, size);
		return;
	}
	if (group->set)
		change_text(explain, subject, group->bits, group->set, "be set",
			    "setting", to, size);
	if (group->clear)
		change_text(explain, subject, group->bits, group->clear,
			    "be cleared once set", "clearing", to, size);
}

/* The mildest action for a change of one bit of @old. */
static unsigned int mildest(const struct explain *explain,
			    const struct subject *subject, enum phase phase,
			    uint64_t old, unsigned int minds)
{
	unsigned int least = REGPIN_STOP;

	for (unsigned int n = 0; n < 64; n++) {
		uint64_t new = effective(subject, old, old ^ 1ull << n);
		unsigned int action = judge_write(explain, subject, phase, old, new,
						  minds);

		if (new != old && action < least)
			least = action;
	}
	return least;
}

static void put(char *to, size_t size, const char *text, const char *otherwise)
{
	text_add(to, size, "%s%s (otherwise: %s)", *to ? "; " : "", text, otherwise);
}

/* Describes writes that rules on whole registers allow; @always applies to all writes. */
static void by_whole(const struct explain *explain,
		     const struct subject *subject, enum phase phase,
		     unsigned int always, char *to, size_t size)
{
	unsigned int common = judge_write(explain, subject, phase, OTHER, OTHER,
					  NOT_COMMON);
	unsigned int bits = mildest(explain, subject, phase, OTHER, 0);
	unsigned int own = mildest(explain, subject, phase, OTHER, NOT_OWN);
	unsigned int first = mildest(explain, subject, phase, 0, NOT_OWN);

	if (common > always)
		put(to, size, "only of the value that the VM's first armed vCPU has there",
		    action_text(explain, subject, common));
	/* See settle_one() in values.c. */
	if (common > always && subject->kind == REGPIN_MSR &&
	    subject->index == MSR_PAT)
		text_add(to, size, "; while that is PAT's reset value, the first other value that is written replaces it, which an event reports");
	if (own <= bits)
		return;
	put(to, size, phase == PHASE_DONE ?
	    "only of the value that it holds, or held after its syscall set-up" :
	    first < own ? "free while it is 0, then only of the value that it holds" :
			  "only of the value that it holds",
	    action_text(explain, subject, own));
}

/* Describes the bits that `require` keeps. Returns them. */
static uint64_t by_floor(const struct explain *explain,
			 const struct subject *subject, enum phase phase,
			 char *to, size_t size)
{
	uint64_t bits[REGPIN_ACTION_MAX] = { 0 }, all = 0;

	for (unsigned int n = 0; n < 64; n++) {
		uint64_t bit = 1ull << n;
		unsigned int pinned = judge_write(explain, subject, phase, ~0ull, ~bit, 0);
		unsigned int action = judge_write(explain, subject, phase, ~0ull, ~bit,
						  FLOOR);

		if (action > pinned)
			bits[action] |= bit;
	}
	for (unsigned int i = 0; i < REGPIN_ACTION_MAX; i++) {
		if (!bits[i])
			continue;
		change_text(explain, subject, bits[i], i,
			    "be cleared once set while paging is on, if the VM's first armed vCPU has the bit",
			    "while paging is on, if the VM's first armed vCPU has the bit, clearing",
			    to, size);
		all |= bits[i];
	}
	return all;
}

static void by_bits(const struct explain *explain,
		    const struct subject *subject, enum phase phase,
		    unsigned int always, char *to, size_t size)
{
	struct group groups[64] = { 0 };
	unsigned int nr = group_bits(explain, subject, phase, groups);
	bool alone = !*to;
	uint64_t open = 0;

	if (nr == 1 && groups[0].set == groups[0].clear) {
		if (groups[0].set > always)
			put(to, size, "only of the value that it holds",
			    action_text(explain, subject, groups[0].set));
		else
			open = ~0ull;
		nr = 0;
	}
	for (unsigned int i = 0; i < nr; i++) {
		if (groups[i].set <= always && groups[i].clear <= always)
			open |= groups[i].bits;
		else
			group_text(explain, subject, &groups[i], to, size);
	}
	open &= ~by_floor(explain, subject, phase, to, size);
	if (open && alone && *to)
		text_add(to, size, "; other bits are free");
}

/* The action for all writes, in the words that are used for reads as well. */
static const char *all_text(const struct explain *explain,
			    const struct subject *subject, unsigned int action)
{
	const char *text = action_text(explain, subject, action);

	return text == explain_done[REGPIN_GP] ? "refused (#GP)" : text;
}

void explain_writes(const struct explain *explain,
		    const struct subject *subject, enum phase phase,
		    char *to, size_t size)
{
	unsigned int always = judge_write(explain, subject, phase, OTHER, OTHER, 0);

	to[0] = 0;
	if (always)
		text_add(to, size, "%s", all_text(explain, subject, always));
	by_whole(explain, subject, phase, always, to, size);
	by_bits(explain, subject, phase, always, to, size);
	if (!*to)
		text_add(to, size, "free");
}
