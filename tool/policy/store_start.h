/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bases that a policy had when it was last started, so that the next start reports one
 * that has changed since, as by an upgrade of a package. The store has a small file for each path of
 * a policy that extends others, named by the hash of that path.
 */
#ifndef REGPIN_TOOL_STORE_START_H
#define REGPIN_TOOL_STORE_START_H

#include <stdbool.h>

#include "policy_bundle.h"
#include "policy_diff_list.h"
#include "policy_written.h"
#include "store_state.h"

/**
 * struct base_change - a base that is not as it was at the last start
 * @name: its name; empty: nothing has changed
 * @path: its file
 * @old_path: the file that was used at the last start
 * @old_hash: the SHA-256 of its text then
 * @new_hash: the same now
 * @others: number of further bases that have changed
 * @counted: the text of the last start was found: @counts is known
 * @counts: the differences between the two policies, by enum diff_class
 */
struct base_change {
	char name[POLICY_NAME_MAX];
	char path[POLICY_MAX_SOURCE], old_path[POLICY_MAX_SOURCE];
	char old_hash[POLICY_HASH_MAX], new_hash[POLICY_HASH_MAX];
	unsigned int others;
	bool counted;
	unsigned int counts[DIFF_CLASS_MAX];
};

/* Room for the name of a file in the store. */
#define STORE_START_NAME	(sizeof(STORE_START) + POLICY_HASH_MAX)

/*
 * Writes the name of the file that records starts of the policy, which the user calls @path,
 * to @file. It is empty if starts are not recorded, because the policy is not in a file
 * or does not extend another one.
 */
void store_start_name(char file[STORE_START_NAME], const char *path,
		      const struct policy_written *written);

/*
 * Compares a policy with its last start by this user, which is recorded in @file of the folder
 * @only or, if that is NULL, of this user's folders. Changes are found only while the policy's
 * own text and the names of its bases are as they were.
 */
void store_start_compare(const struct store_folder *only, const char *file,
			 const struct policy_written *written,
			 struct base_change *change);

/* Records a start. Returns 0, or a negative errno with a sentence in @error. */
int store_start_record(struct store *store, const char *file,
		       const struct policy_written *written, char error[STORE_ERROR_MAX]);

/* "the base linux (FILE) has changed since the last start: ..", for people. */
#define BASE_CHANGE_TEXT	1024
const char *base_change_text(char to[BASE_CHANGE_TEXT], const struct base_change *change);

#endif
