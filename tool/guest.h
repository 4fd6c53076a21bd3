/* SPDX-License-Identifier: GPL-2.0-only */
/* The option --guest, of the commands that need no guest. */
#ifndef REGPIN_TOOL_GUEST_H
#define REGPIN_TOOL_GUEST_H

#include <stdbool.h>

struct guest;

/* Its help, behind the two columns that others have. */
#define GUEST_HELP							\
	"  --guest VENDOR[:FAMILY[:MODEL]]\n"				\
	"           for a guest whose CPUID says so, as in 'when': intel:6:0x3f. Without it\n" \
	"           rules for some guests only are not taken to hold\n"

/*
 * Reads "VENDOR[:FAMILY[:MODEL]]", as in `when`. Returns false if it is not of that
 * form, which is told.
 */
bool guest_option(const char *command, const char *text, struct guest *guest);

#endif
