/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding registers by their names. */
#ifndef REGPIN_LIB_REGISTER_NAMES_H
#define REGPIN_LIB_REGISTER_NAMES_H

#include "registers.h"

/**
 * struct register_named - what a name stands for
 * @reg: a row of the table, a constant
 * @index: index of the MSR; if @whole, that of the family's first member
 * @whole: the name is that of a family, without a number
 */
struct register_named {
	const struct regpin_register *reg;
	uint32_t index;
	bool whole;
};

/*
 * Finds the register that @text names, in upper or lower case: by a name or an alias,
 * with or without the prefixes of manuals and kernels ("MSR_IA32_LSTAR"). It never finds
 * a register of a vendor that the prefix excludes. Policies, traces, the command line
 * and messages all use it. Returns false if there is none; then @named is undefined.
 */
bool register_by_name(const char *text, struct register_named *named);

/* The name @text without its prefixes, except those of models: "LSTAR" of "MSR_IA32_LSTAR". */
const char *register_core(const char *text);

/*
 * Finds what @text, which is not a name, may mean: the rows with a name that is equal to
 * it apart from prefixes and underscores or, if there are none, the rows with a name that
 * has all of its words. Similar letters are not enough. Writes up to @max rows to @rows
 * and returns the number of all that match.
 */
unsigned int register_by_words(const char *text,
			       const struct regpin_register **rows,
			       unsigned int max);

#endif
