/* SPDX-License-Identifier: GPL-2.0-only */
/* The set-up of a VMM by `regpin run`, as far as the shim needs it. */
#ifndef REGPIN_TESTS_LIVE_PRELOAD_H
#define REGPIN_TESTS_LIVE_PRELOAD_H

#include <stdbool.h>

#include "handoff.h"
#include "lib/policy/policy.h"

/*
 * Runs this program again with @argv under @shim with @policy, or without both if @shim
 * is NULL; its standard output is @out. Returns its exit status, or 128 + the signal
 * that killed it.
 */
int preload_run(const char *shim, const struct regpin_policy *policy,
		char *const argv[], int out);

/* In the child: the ring that the shim writes its events to. */
struct handoff *preload_handoff(void);

/* Can @shim be loaded into this program? Not if one of the two has ASan. */
bool preload_works(const char *shim);

#endif
