/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Indices of MSRs, as people write them. */
#ifndef REGPIN_LIB_REGISTER_INDEX_H
#define REGPIN_LIB_REGISTER_INDEX_H

#include "registers.h"

/*
 * Rewrites an index as manuals, logs and events write it ("C0000080H", "MSRC001_0015",
 * "MSR 0x64e", "MSR 0x600..0x64f") in the form of this program ("0x64e", "0x600-0x64f").
 * Returns @to, or @text if it is none of these.
 */
const char *register_index_text(char to[REGISTER_TITLE_MAX], const char *text);

#endif
