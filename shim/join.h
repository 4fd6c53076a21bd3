/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a process with a VM gets what the agent has for it. See shim/handoff.h. */
#ifndef REGPIN_SHIM_JOIN_H
#define REGPIN_SHIM_JOIN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "regpin/regpin.h"

#include "handoff.h"

#define JOIN_NAME_MAX	64

/**
 * struct join_address - where the agent listens, as HANDOFF_ENV says
 * @file: number of an inherited file, or -1
 * @user: the agent's user id
 * @name: of an abstract socket
 */
struct join_address {
	int file;
	uid_t user;
	char name[JOIN_NAME_MAX];
};

/**
 * struct joined - what the agent gave
 * @policy: to be freed by the caller
 * @control: mapped, for reading
 * @handoff: mapped
 */
struct joined {
	struct regpin_policy *policy;
	const struct control *control;
	struct handoff *handoff;
};

/* Reads what HANDOFF_ENV holds. Returns false if it makes no sense. */
bool join_read(const char *env, struct join_address *address);

/*
 * Connects to the agent, and waits until it is @welcome: returns NULL, or a sentence
 * that says why not. @conn is closed on exec.
 */
const char *join_connect(const struct join_address *address, int *conn);

/* Asks by @vm_fd, and maps what comes. Returns NULL, or why nothing did. */
const char *join_ask(int conn, int vm_fd, struct joined *joined);

/* Says why the process ends. */
void join_send_refusal(int conn, enum regpin_refusal reason);

/*
 * In a child: what was mapped is not shared with it, and reads as zeroes. Its KVM refuses
 * it its parent's VMs, but it may try, and then finds memory there.
 */
void join_map_zeroes(const struct joined *joined);

/* Unmaps what was mapped; the policy stays, as VMs may have it. */
void join_unmap(struct joined *joined);

#endif
