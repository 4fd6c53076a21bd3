/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The shim's side of the handoff: policy in, events out. */
#ifndef REGPIN_SHIM_SESSION_H
#define REGPIN_SHIM_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "regpin/regpin.h"

struct control;
struct handoff;

/* Is this process under `regpin run`? */
bool session_active(void);

/*
 * Asks the agent for the policy and the shared memory, with a VM of this process; ends the
 * process if the agent refuses. Does nothing if this process has joined already; a child
 * has to join again.
 */
void session_join(int vm_fd);

/*
 * The number of this process's join, by which a child recognises what it has inherited:
 * its own number is greater than its parent's, and 0 until it joins.
 */
uint32_t session_join_number(void);

/* The policy for VMs that are created from now on; after session_join(). */
const struct regpin_policy *session_policy(void);

/* Notes a VM's event. Returns false if the event must not go to the agent. */
bool session_filter_event(const struct regpin_event *event);

/* Sends an event to the agent. */
void session_send_event(const struct regpin_event *event);

/* Wakes the agent, so that it reads the shared memory. */
void session_wake(void);

/* Sets the policy for VMs that are created from now on. */
void session_set_policy(struct regpin_policy *policy);

/* The memory that is shared with the agent; and the memory that only the agent writes. */
struct handoff *session_handoff(void);
const struct control *session_control(void);

/* Takes the next number for a VM. Its events carry the number. */
uint32_t session_next_number(void);

/*
 * session_begin_vm(): a VM is about to be created, or a VM of another process to be
 * attached. session_end_vm(): the VM has its policy, or it could not be created. In
 * between there is a connection to the agent, and the guard does not end the process. If
 * the agent refuses the process, session_begin_vm() ends it, before it has a VM.
 */
void session_begin_vm(void);
void session_end_vm(void);

/* Counts a VM that got its policy. */
void session_count_vm(void);

/* Prints the reason on stderr, sends it to the agent, and ends the process. */
_Noreturn void session_die(enum regpin_refusal reason);

/*
 * The same. session_die_overflow() names the MSRs that did not fit, from
 * regpin_vm_overflow(); session_die_text() only prints @text.
 */
_Noreturn void session_die_overflow(struct regpin_vm *vm);
_Noreturn void session_die_text(const char *text);

/* Prints a line on the VMM's stderr. */
void session_print(const char *text);

/* Ends the process like session_die(), for the reason of the last `refused` event. */
_Noreturn void session_die_refused(void);

#endif
