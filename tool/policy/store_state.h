/* SPDX-License-Identifier: GPL-2.0-only */
/* The store of policies that were in force, as an agent has it open. */
#ifndef REGPIN_TOOL_STORE_STATE_H
#define REGPIN_TOOL_STORE_STATE_H

#include <stdbool.h>

#include "policy_hash.h"
#include "store_folder.h"

/* The quota of a folder. The least recently used text is removed first. */
#define STORE_MAX_TEXTS		64u
#define STORE_MAX_BYTES		(16ul << 20)

/* The files that record starts begin with this, see store_start.h. */
#define STORE_START		"start-"
#define STORE_MAX_STARTS	64u

/* The names of files that are being written begin with this. */
#define STORE_TEMPORARY		".new-"

/**
 * struct store - where an agent keeps policies
 * @folder: the folder
 * @lock: the open file .lock
 * @open: policies are kept; otherwise no other member is valid
 * @held: the hash of the text that this agent has marked as in force, or ""
 */
struct store {
	struct store_folder folder;
	int lock;
	bool open;
	char held[POLICY_HASH_MAX];
};

#endif
