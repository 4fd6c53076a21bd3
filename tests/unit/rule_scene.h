/* SPDX-License-Identifier: GPL-2.0-only */
/* A policy with rules of each effective mode, and requests about them. */
#ifndef REGPIN_TESTS_UNIT_RULE_SCENE_H
#define REGPIN_TESTS_UNIT_RULE_SCENE_H

#include "ctl_scene.h"

#define NEW	"version: 1\nrules:\n"					\
	"  - register: EFER\n    sticky: [NXE, SCE]\n"			\
	"  - register: CR0\n    sticky: [WP]\n    optional: true\n"		\
	"  - register: STAR\n    deny: write\n    mode: report\n"		\
	"  - register: CSTAR\n    deny: write\n    action: report\n"		\
	"  - register: 0x8b\n    value: 7\n"

static inline void in_force(int fd, const char *policy, const char *mode)
{
	char head[96];

	snprintf(head, sizeof(head), "policy size=%zu%s%s name=new.yaml\n",
		 strlen(policy), *mode ? " mode=" : "", mode);
	say(fd, head);
	say(fd, policy);
	hear(fd);
	assert_int_equal(lines("ok loosens="), 1);
	say(fd, "apply\n");
	fake_answer(0);
	run();
	hear(fd);
	assert_int_equal(lines("ok"), 1);
}

/* Sends a request that becomes a command, and reads its whole answer. */
static inline bool command(int fd, const char *request)
{
	say(fd, request);
	fake_answer(0);
	run();
	hear(fd);
	return !lines("error ");
}

#endif
