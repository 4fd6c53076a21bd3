/* SPDX-License-Identifier: GPL-2.0-only */
/* All VMs in some folders, with the answers of their agents. */
#ifndef REGPIN_TOOL_CTL_ROWS_H
#define REGPIN_TOOL_CTL_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl_ask.h"
#include "ctl_folders.h"
#include "ctl_vmm.h"

/**
 * struct ctl_row - a VM
 * @folder: the folder of its socket
 * @asked: its agent
 * @vmm: of a dead agent: whether the VMM runs
 * @pid: of a dead agent: the VMM's process, if it is known; otherwise 0
 */
struct ctl_row {
	const struct ctl_folder *folder;
	struct ctl_asked *asked;
	enum ctl_vmm_state vmm;
	pid_t pid;
};

/**
 * struct ctl_rows - the VMs in some folders
 * @nr: number of @rows
 * @cut: a folder had more sockets than are asked
 * @rows: the VMs by folder and name; allocated
 * @asked: their agents; allocated
 */
struct ctl_rows {
	size_t nr;
	bool cut;
	struct ctl_row *rows;
	struct ctl_asked *asked;
};

#define CTL_FOLDER_MAX	1000u	/* a folder may be any user's */

/*
 * Finds the VMs in @folders and asks their agents, for at most @ms. Removes the sockets of
 * dead agents whose VMM has ended, in folders that are safe. Takes CTL_FOLDER_MAX of a folder.
 * Returns 0, -ENOMEM, or the negative errno with which no more files could be opened.
 */
int ctl_rows_fill(struct ctl_rows *rows, const struct ctl_folders *folders, int ms);
void ctl_rows_free(struct ctl_rows *rows);

/* "alive", "silent", .. */
const char *ctl_row_state(const struct ctl_row *row);

/*
 * The meaning of an agent's silence, and the remedy, as a sentence. @option is --ctl for a command
 * in it, see ctl_hint.h. Returns @buf, or NULL for
 * an agent that has answered.
 */
const char *ctl_row_advice(const struct ctl_row *row, const char *option, char *buf,
			   size_t size);

/*
 * Copies the value of @key of the agent's answer to @buf; "-" if it is not known. `policy_file`
 * is the last key, and its value has the rest of the line. Returns @buf.
 */
const char *ctl_row_value(const struct ctl_row *row, const char *key, char *buf,
			  size_t size);

#endif
