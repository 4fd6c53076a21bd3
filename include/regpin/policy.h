/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Policies, as libregpin loads them, and the names of what a policy is about.
 * <regpin/regpin.h> includes this header and explains the library.
 */
#ifndef REGPIN_POLICY_H
#define REGPIN_POLICY_H

#include <linux/types.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct regpin_policy;

/**
 * regpin_policy_open() - load a compiled policy
 * @fd: a file or memfd that holds a blob, read from its start; stays open
 * @ret: the policy, owned by the caller; it must outlive every VM that uses it
 *
 * Returns: 0, -EINVAL if the blob is damaged or of another version, -EFBIG if
 * it is larger than any blob can be, -ENOMEM, or pread(2)'s error.
 */
int regpin_policy_open(int fd, struct regpin_policy **ret);

/**
 * regpin_policy_load() - load a compiled policy from memory
 * @blob: the blob; copied, so it may be freed afterwards
 * @size: its size in bytes
 * @ret: as for regpin_policy_open()
 *
 * Returns: 0, -EINVAL, -EFBIG or -ENOMEM, for the reasons of regpin_policy_open().
 */
int regpin_policy_load(const void *blob, size_t size,
		       struct regpin_policy **ret);

/**
 * regpin_policy_free() - free a policy
 * @policy: a policy that no VM uses any longer, or NULL
 */
void regpin_policy_free(struct regpin_policy *policy);

/**
 * regpin_policy_set_number() - the number by which events name a policy
 * @policy: a policy that no VM uses yet
 * @number: any number that the caller chooses, such as 1 for the first policy, 2 for the
 *	next
 *
 * Each event carries the number of the policy that its rule belongs to. A caller that
 * gives no numbers gets the one in the blob, which is 0 if `regpin compile` wrote it.
 */
void regpin_policy_set_number(struct regpin_policy *policy, __u32 number);

/**
 * regpin_policy_where() - where a rule was written
 * @policy: the policy
 * @rule: the rule's number, as in an event
 * @line: the line, from 1
 * @type: the rule's name ("sticky"), a constant string
 *
 * Returns: the name of the policy's file, owned by @policy, or NULL if there
 * is no such rule; then @line and @type are not written.
 */
const char *regpin_policy_where(const struct regpin_policy *policy, __u32 rule,
				__u32 *line, const char **type);

/**
 * regpin_register_name() - the SDM/APM name of a register
 * @kind: enum regpin_kind
 * @index: the MSR's index
 *
 * Returns: a constant string, or NULL if the register is not in the table. For a member
 * of a family it is the name of the family, such as "IA32_PMC". If the member's number
 * stands inside the name, a # takes its place, as in "IA32_MC#_CTL".
 */
const char *regpin_register_name(unsigned int kind, __u32 index);

/**
 * regpin_refusal_text() - a sentence: why a VM was refused, and what to do
 * @reason: enum regpin_refusal
 *
 * Returns: a constant string.
 */
const char *regpin_refusal_text(unsigned int reason);

/**
 * regpin_tolerated_text() - what a policy that only reports tolerates in a VM
 * @reason: enum regpin_refusal, from @detail of a REGPIN_EVENT_TOLERATED
 *
 * Returns: a constant string.
 */
const char *regpin_tolerated_text(unsigned int reason);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
