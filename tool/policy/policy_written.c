// SPDX-License-Identifier: GPL-2.0-only
/* The text of a policy, kept to be read again in another mode. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "policy_text.h"
#include "policy_written.h"

int policy_keep(struct policy_written *written, const char *name,
		const char *text, size_t size)
{
	/* One more byte, because malloc(0) may return NULL. */
	written->text = malloc(size + 1);
	written->name = strdup(name);
	written->size = size;
	if (!written->text || !written->name) {
		policy_forget(written);
		return -ENOMEM;
	}
	memcpy(written->text, text, size);
	policy_hash(written->hash, text, size);
	return 0;
}

void policy_forget(struct policy_written *written)
{
	free(written->name);
	free(written->text);
	written->name = written->text = NULL;
}

static int read_as(struct policy_written *written, enum policy_mode mode,
		   const struct rule_modes *modes, struct regpin_policy *policy,
		   struct problems *problems)
{
	return policy_text_read_as(written->name, written->text,
				   written->size, mode, modes, &written->own,
				   policy, problems);
}

int policy_in_mode(struct policy_written *written, enum policy_mode mode,
		   const struct rule_modes *modes, struct regpin_policy *policy,
		   struct problems *problems)
{
	bool some = modes && modes->nr;
	int err = read_as(written, MODE_POLICY, NULL, policy, problems);

	if (err || (mode == MODE_POLICY && !some))
		return err;
	err = read_as(written, mode, modes, policy, problems);
	if (!err && mode == MODE_ENFORCE && policy_all_report(policy)) {
		problem_error(problems, 0, 0,
			      "mode enforce would enforce nothing: each rule is a 'report', or has 'action: report' or 'mode: report' of its own, which the mode does not replace%s: change the rules",
			      some ? ", or reports by the operator's mode of that rule" : "");
		err = -EINVAL;
	}
	return err ? -ENOTSUP : 0;
}
