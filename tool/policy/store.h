/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The store: the text of each policy that came into force, kept under its hash, so that a later
 * question about an event finds the file and line that it names.
 *
 * One agent writes at a time, under a lock. A second kind of lock marks the texts that are in
 * force: these are not removed to make room. Both are on the file .lock, at offsets: 0 for
 * writing, one for each text. They belong to the open file, so an agent's standby has them, too.
 * Another process of the same user can hold any lock, and then nothing more is kept, which is
 * reported.
 */
#ifndef REGPIN_TOOL_STORE_H
#define REGPIN_TOOL_STORE_H

#include "policy_written.h"
#include "store_state.h"

/*
 * Opens the store. @path is the user's choice, or NULL. Returns 0, or a negative errno with a
 * sentence in @error.
 */
int store_open(struct store *store, const char *path, char error[STORE_ERROR_MAX]);

/*
 * Keeps the text of a policy that is in force from now on, in place of the one before. Returns
 * 0, or a negative errno with a sentence in @error.
 */
int store_keep(struct store *store, const struct policy_written *written,
	       char error[STORE_ERROR_MAX]);

/*
 * Writes the file @name, which is replaced as a whole, from @head and @text. The quota holds
 * afterwards. Returns 0, or a negative errno with a sentence in @error.
 */
int store_write(struct store *store, const char *name, const char *head, size_t head_size,
		const char *text, size_t size, char error[STORE_ERROR_MAX]);

#endif
