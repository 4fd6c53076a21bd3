/* SPDX-License-Identifier: GPL-2.0-only */
/* The effects of writes. */
#ifndef REGPIN_TOOL_EXPLAIN_WRITES_H
#define REGPIN_TOOL_EXPLAIN_WRITES_H

#include <stddef.h>

#include "explain_subject.h"

/* Describes the writes to @subject that are allowed in @phase. */
void explain_writes(const struct explain *explain,
		    const struct subject *subject, enum phase phase,
		    char *to, size_t size);

#endif
