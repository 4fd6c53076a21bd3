/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Flags of struct rule by which the tool notes why a rule has its mode. They are not part of
 * the blob: blob_seal() leaves them out, and blob_open() refuses them.
 */
#ifndef REGPIN_LIB_RULE_NOTES_H
#define REGPIN_LIB_RULE_NOTES_H

#define RULE_BY_ACTION	(1u << 3)	/* `action: report`, or RULE_REPORT */
#define RULE_BY_MODE	(1u << 4)	/* it has a `mode: report` of its own */
#define RULE_BY_OPERATOR	(1u << 5)	/* the operator has set its mode */
#define RULE_NOTES	(RULE_BY_ACTION | RULE_BY_MODE | RULE_BY_OPERATOR)

#endif
