/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of registers and lists of bits, for sentences. */
#ifndef REGPIN_TOOL_EXPLAIN_NAME_H
#define REGPIN_TOOL_EXPLAIN_NAME_H

#include <stddef.h>
#include <stdint.h>

#include "regpin/regpin.h"

#include "explain_subject.h"

/* "EFER (0xc0000080)", "MSRs 0x10a-0x10f". */
void explain_name(char *to, size_t size, const struct subject *subject);

/* By enum regpin_action: the effect of an action that stops a violation. */
extern const char *const explain_done[REGPIN_ACTION_MAX];

/* Appends to the text at @to. */
void __attribute__((format(printf, 3, 4)))
text_add(char *to, size_t size, const char *format, ...);

/* "WP, PE and PG" */
void bits_list(char *to, size_t size, unsigned int kind, uint32_t index,
	       uint64_t bits);

#endif
