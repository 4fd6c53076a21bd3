/* SPDX-License-Identifier: GPL-2.0-only */
/* A policy, and the messages about it. */
#ifndef REGPIN_TESTS_UNIT_POLICY_SCENE_H
#define REGPIN_TESTS_UNIT_POLICY_SCENE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "build_policy.h"
#include "lib/judge/judge.h"
#include "lib/judge/overflow.h"
#include "lib/policy/policy.h"
#include "lib/policy/policy_check.h"
#include "lib/policy/registers.h"

#define NR(array)	(sizeof(array) / sizeof((array)[0]))

static struct regpin_policy *policy;
static struct problems *problems;

static inline int setup(void **state)
{
	(void)state;
	policy = new_policy(ARM_SYSCALL_ENTRY);
	problems = problems_new();
	return problems ? 0 : -1;
}

static inline int teardown(void **state)
{
	(void)state;
	problems_free(problems);
	free(policy);
	return 0;
}

static inline bool said(bool warning, const char *text)
{
	for (unsigned int i = 0; i < problems->nr; i++)
		if (problems->list[i].warning == warning &&
		    strstr(problems->list[i].text, text))
			return true;
	return false;
}

#define TEST(test)	cmocka_unit_test_setup_teardown(test, setup, teardown)

#endif
