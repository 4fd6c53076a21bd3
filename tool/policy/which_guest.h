/* SPDX-License-Identifier: GPL-2.0-only */
/* The option --guest, of the commands that need no guest. */
#ifndef REGPIN_TOOL_GUEST_H
#define REGPIN_TOOL_GUEST_H

#include <stdbool.h>

#include "lib/policy/guest.h"
#include "lib/policy/policy.h"

/* Its text in the help of commands. */
#define GUEST_HELP								\
	"  --guest VENDOR[:FAMILY[:MODEL]]\n"					\
	"               a guest with this CPUID, as in 'when': intel:6:0x3f. Without it,\n" \
	"               rules that hold only for some guests are left out\n"

/**
 * struct asked_guest - the guest that --guest names
 * @guest: all 0 without --guest; its family and model are 0 if they were not named
 * @family: the family was named
 * @model: the model was named
 */
struct asked_guest {
	struct guest guest;
	bool family, model;
};

/* Whether a condition holds for such a guest. */
enum holds { HOLDS_NOT, HOLDS, HOLDS_BY_FAMILY, HOLDS_BY_MODEL };
enum holds guest_holds(const struct when *when, const struct asked_guest *asked);

/*
 * Reads "VENDOR[:FAMILY[:MODEL]]", as in `when`. Returns false after a message if it is not of
 * that form.
 */
bool guest_option(const char *command, const char *text,
		  struct asked_guest *asked);

#endif
