/* SPDX-License-Identifier: GPL-2.0-only */
/* The text of a policy, kept to be read again in another mode. */
#ifndef REGPIN_TOOL_POLICY_WRITTEN_H
#define REGPIN_TOOL_POLICY_WRITTEN_H

#include <stddef.h>

#include "lib/policy/policy.h"

#include "policy_hash.h"
#include "policy_mode.h"
#include "rule_modes.h"

/**
 * struct policy_written - the text of a policy
 * @name: the file's name as the user gave it; allocated
 * @text: the text, allocated; NULL: there is none
 * @size: bytes of @text
 * @hash: the SHA-256 of @text
 * @own: its own mode: MODE_ENFORCE or MODE_REPORT
 */
struct policy_written {
	char *name, *text;
	size_t size;
	char hash[POLICY_HASH_MAX];
	enum policy_mode own;
};

/* Keeps a copy of @text. Returns 0 or -ENOMEM. */
int policy_keep(struct policy_written *written, const char *name,
		const char *text, size_t size);
void policy_forget(struct policy_written *written);

/*
 * Reads a policy as it is in force in the operator's mode @mode and the operator's modes of
 * single rules, @modes (NULL: there are none). Returns 0; -EINVAL if it is
 * wrong in its own mode; or -ENOTSUP if it can't be in force in @mode. With an error, which is
 * in @problems, the caller must not use @policy. Sets @written->own.
 */
int policy_in_mode(struct policy_written *written, enum policy_mode mode,
		   const struct rule_modes *modes, struct regpin_policy *policy,
		   struct problems *problems);

#endif
