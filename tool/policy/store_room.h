/* SPDX-License-Identifier: GPL-2.0-only */
/* The store's quota: removes what was not used for longest. */
#ifndef REGPIN_TOOL_STORE_ROOM_H
#define REGPIN_TOOL_STORE_ROOM_H

#include <stdbool.h>
#include <sys/types.h>

#include "store_state.h"

/* Is @name that of a text, 64 hexadecimal digits in lower case? */
bool store_is_text(const char *name);

/* Where the lock of the text @hash is in the file .lock. */
off_t store_lock_offset(const char *hash);

/*
 * Makes room for the file @name of @size bytes, and removes what an interrupted agent left. The
 * caller holds the lock for writing. Returns 0, or -EDQUOT if all texts are in force.
 */
int store_make_room(const struct store *store, const char *name, size_t size);

#endif
