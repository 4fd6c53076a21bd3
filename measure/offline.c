// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measurements that need no guest: prints "KEY NUMBER" lines for ./bench.
 *
 *   offline POLICY
 *
 * Instructions are counted as in steps.h. They depend on the compiler, so build with -O2.
 * Times are processor times, the best of several rounds.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/judge/judge.h"
#include "lib/judge/msr_filter.h"
#include "lib/policy/blob.h"
#include "lib/policy/policy_check.h"
#include "lib/policy/registers.h"
#include "policy/policy_file.h"
#include "policy/policy_text.h"
#include "policy/problems.h"
#include "steps.h"

#define RULES	10000u

static struct regpin_policy policy;
static struct problems problems;

/**
 * struct common - an access that guests commonly make
 * @key: its name in the table
 * @access: the access itself
 */
struct common {
	const char *key;
	struct access access;
};

/* Accesses of an armed vCPU under linux.yaml, of which none is a violation. */
static const struct common commons[] = {
	{ "judge.lstar", { REGPIN_MSR, true, MSR_LSTAR, 0x1000, 0x1000 } },
	{ "judge.efer", { REGPIN_MSR, true, MSR_EFER, 0xd01, 0xd01 } },
	{ "judge.sysenter_esp", { REGPIN_MSR, true, MSR_SYSENTER_ESP,
				  0x1000, 0x1000 } },
	{ "judge.cr0", { REGPIN_CR0, true, 0, 0x80050033, 0x80050033 } },
	{ "judge.cr4", { REGPIN_CR4, true, 0, 0x3506f0, 0x3506f0 } },
};

#define NR_COMMONS	(sizeof(commons) / sizeof(commons[0]))

static volatile unsigned int judged;

static void judge_one(const void *argument)
{
	const struct judge_state state = {
		.armed = true, .setup_done = true, .uniform_known = true,
		.once = 0x1000, .uniform = 0x1000,
	};
	const struct access *access = argument;
	struct verdict verdict = { .action = REGPIN_ALLOW };

	if (access)
		judge(&policy, &state, access, &verdict);
	judged = verdict.action;
}

/* The instructions of the judge for @access. */
static unsigned int cost(const struct access *access)
{
	judge_one(access);
	if (judged != REGPIN_ALLOW)
		errx(1, "an access of the table is a violation");
	return steps_of(judge_one, access) - steps_of(judge_one, NULL);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Makes a policy with rules on single MSRs, all different, sorted or not. */
static size_t many_rules(char *text, size_t size, bool sorted)
{
	size_t len = (size_t)snprintf(text, size, "version: 1\nrules:\n");

	for (uint32_t i = 0; i < RULES; i++) {
		/* 7919 and RULES have no factor in common. */
		uint32_t msr = 1900 + (sorted ? i : i * 7919 % RULES);

		/* Skip the x2APIC's MSRs, which can't be filtered. */
		if (msr >= 0x800)
			msr += 0x100;
		len += (size_t)snprintf(text + len, size - len, "%s%u%s",
					i % 250 ? "," : "- register: [", msr,
					i % 250 == 249 ? "]\n  deny: write\n" :
							 "");
	}
	return len;
}

static void check(int ret, const char *what)
{
	if (!ret)
		return;
	problems_print(&problems, what, stderr);
	errx(1, "%s: error %d", what, ret);
}

/* Times the steps from text to blob and from blob to filter, in milliseconds. */
static void compile(const char *key, bool sorted)
{
	static unsigned char blob[BLOB_MAX_SIZE];
	static struct msr_filter filter;
	static char text[128 * 1024];
	size_t size = many_rules(text, sizeof(text), sorted), blob_size = 0;
	double text_ms = 1e9, rules_ms = 1e9, open_ms = 1e9;

	for (int turn = 0; turn < 40; turn++) {
		double from = seconds(), to;

		check(policy_text_read("many", text, size, &policy, &problems),
		      "many");
		blob_size = blob_seal(&policy, blob);
		to = seconds();
		text_ms = to - from < text_ms ? to - from : text_ms;
		from = to;
		check((int)policy_check(&policy, &problems), "many");
		check(filter_build(&policy, NULL, &filter), "filter");
		to = seconds();
		rules_ms = to - from < rules_ms ? to - from : rules_ms;
		from = to;
		check(blob_open(blob, blob_size, &policy), "blob");
		to = seconds();
		open_ms = to - from < open_ms ? to - from : open_ms;
	}
	if (policy.nr_rules != RULES)
		errx(1, "%u rules", policy.nr_rules);
	printf("compile.%s_us %.0f\n", key, text_ms * 1e6);
	printf("filter.%s_us %.0f\n", key, rules_ms * 1e6);
	printf("blob.%s_us %.0f\n", key, open_ms * 1e6);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		errx(2, "usage: offline POLICY");
	check(policy_text_file(argv[1], &policy, &problems), argv[1]);
	for (size_t i = 0; i < NR_COMMONS; i++)
		printf("%s %u\n", commons[i].key,
		       cost(&commons[i].access));
	compile("sorted", true);
	compile("shuffled", false);
	printf("judge.many %u\n", cost(&commons[0].access));
	return 0;
}
