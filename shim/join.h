/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connects to the agent, and gets the policy and the shared memory. See shim/handoff.h. */
#ifndef REGPIN_SHIM_JOIN_H
#define REGPIN_SHIM_JOIN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "regpin/regpin.h"

#include "handoff.h"

#define JOIN_NAME_MAX	64

/**
 * struct join_address - where the agent listens, from HANDOFF_ENV
 * @file: number of an inherited file of its socket, or -1
 * @user: the agent's user id
 * @name: name of its abstract socket
 */
struct join_address {
	int file;
	uid_t user;
	char name[JOIN_NAME_MAX];
};

/**
 * struct joined - the agent's files, as they were read or mapped
 * @policy: the policy; the caller frees it
 * @control: mapped read-only
 * @handoff: mapped read-write
 */
struct joined {
	struct regpin_policy *policy;
	const struct control *control;
	struct handoff *handoff;
};

/* Parses the value of HANDOFF_ENV. Returns false if it is malformed. */
bool join_read(const char *env, struct join_address *address);

/*
 * Connects to the agent, and waits until it answers HANDOFF_WELCOME. Returns NULL, or a
 * sentence with the reason. @conn is close-on-exec.
 */
const char *join_connect(const struct join_address *address, int *conn);

/* Asks for the policy of @vm_fd, and maps the files. Returns NULL, or why that failed. */
const char *join_ask(int conn, int vm_fd, struct joined *joined);

/* Sends the agent the reason for which the process ends. */
void join_send_refusal(int conn, enum regpin_refusal reason);

/*
 * For a child, which does not inherit the shared mappings: maps zeroes in their place. KVM
 * refuses a child its parent's VMs, but the child's code may still read these pages.
 */
void join_map_zeroes(const struct joined *joined);

#endif
