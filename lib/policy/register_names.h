/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding registers by their names. */
#ifndef REGPIN_LIB_REGISTER_NAMES_H
#define REGPIN_LIB_REGISTER_NAMES_H

#include "registers.h"

/**
 * struct register_named - what a name stands for
 * @reg: its row of the table
 * @index: of the MSR; of a family's first one
 * @whole: it is a family's name, without a number
 */
struct register_named {
	const struct regpin_register *reg;
	uint32_t index;
	bool whole;
};

/*
 * Finds what @text names, in any case: a name or an alias, with or without the
 * prefixes that manuals and kernels put before them ("MSR_IA32_LSTAR"), but never a
 * register of another vendor than the prefix says. The one rule for policies, traces,
 * the command line and messages.
 */
bool register_by_name(const char *text, struct register_named *named);

/* @text, a name, without the prefixes that say no model: "MSR_IA32_LSTAR" is LSTAR. */
const char *register_core(const char *text);

/*
 * What may have been meant by @text, which is no name: the rows that have a name equal
 * to it but for prefixes and underscores or, failing these, one with all of its words.
 * Letters alone are never enough. Writes up to @max of them to @rows and returns how
 * many there are.
 */
unsigned int register_by_words(const char *text,
			       const struct regpin_register **rows,
			       unsigned int max);

#endif
