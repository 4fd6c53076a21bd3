/* SPDX-License-Identifier: GPL-2.0-only */
/* A policy's text that is kept, to be read again in another mode. */
#ifndef REGPIN_TOOL_POLICY_WRITTEN_H
#define REGPIN_TOOL_POLICY_WRITTEN_H

#include <stddef.h>

#include "lib/policy/policy.h"

#include "policy_mode.h"

/**
 * struct policy_written - a policy's text, which can be read again in another mode
 * @name: what the user calls its file; allocated
 * @text: it, allocated; NULL: there is none
 * @size: its bytes
 * @own: what its `mode:` says: MODE_ENFORCE or MODE_REPORT
 */
struct policy_written {
	char *name, *text;
	size_t size;
	enum policy_mode own;
};

/* Keeps a copy of @text. Returns 0 or -ENOMEM. */
int policy_keep(struct policy_written *written, const char *name,
		const char *text, size_t size);
void policy_forget(struct policy_written *written);

/*
 * Reads a policy as it is in force in the operator's mode @mode. It must also be good
 * as it was written. Returns 0, -EINVAL if it is not, or -ENOTSUP if it can't be in
 * that mode; with errors in @problems, and @policy must not be used. Fills in
 * @written->own.
 */
int policy_in_mode(struct policy_written *written, enum policy_mode mode,
		   struct regpin_policy *policy, struct problems *problems);

#endif
