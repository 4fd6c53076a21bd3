/* SPDX-License-Identifier: GPL-2.0-only */
/* Within the policy's front end: the condition `when` of a rule. */
#ifndef REGPIN_TOOL_POLICY_WHEN_H
#define REGPIN_TOOL_POLICY_WHEN_H

#include "base/words.h"
#include "policy_reader.h"
#include "yaml_tree.h"

/* The numbers of a rule's conditions in the policy: one for each vendor; 0: none. */
#define WHEN_VENDORS	8
struct rule_whens {
	uint16_t numbers[WHEN_VENDORS];
	unsigned int nr;
};

/* Reads `when` of @rule, if it has one. Returns false if it is wrong, which is reported. */
bool when_read(const struct reader *reader, const struct yaml_node *rule,
	       struct rule_whens *whens);

/* Reads a vendor by name, or as CPUID returns it. Returns false if it is unknown. */
bool when_vendor(const char *text, char vendor[WHEN_VENDOR]);

/* "; did you mean 'intel'?" for a misspelt vendor, or "". */
struct hint when_vendor_hint(const char *text);

/* "vendor AuthenticAMD, family 0x17|0x19-0x1a, model 0x1". Returns @buf. */
#define WHEN_TEXT	320
const char *when_text(char buf[WHEN_TEXT], const struct when *when);

#endif
