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
 * Asks the agent for what it has for this process, by a VM of the process's; ends the
 * process if it gets nothing. Once is enough, but for a child.
 */
void session_join(int vm_fd);

/* The policy of VMs that come; after session_join(). */
const struct regpin_policy *session_policy(void);

/* Sees an event of a VM's. Returns false if the agent is not to get it. */
bool session_filter_event(const struct regpin_event *event);

/* Passes an event to the agent. */
void session_send_event(const struct regpin_event *event);

/* Wakes the agent, which has something new to see. */
void session_wake(void);

/* VMs that are created from now on get this policy. */
void session_set_policy(struct regpin_policy *policy);

/* What is shared with the agent, and what only the agent writes. */
struct handoff *session_handoff(void);
const struct control *session_control(void);

/* The next VM's number, for its events. */
uint32_t session_next_number(void);

/*
 * A VM is about to be created, or to be learnt of; and: it got its policy, or there is
 * none. In between there is a connection to the agent, and its guard is patient. A
 * process that the agent does not want ends here, and has no VM.
 */
void session_begin_vm(void);
void session_end_vm(void);

/* A VM got its policy. */
void session_count_vm(void);

/* Says why on stderr and to the agent, and ends the process. */
_Noreturn void session_die(enum regpin_refusal reason);

/* Likewise where the MSRs that did not fit can be named: by regpin_vm_overflow(). */
_Noreturn void session_die_overflow(struct regpin_vm *vm);
_Noreturn void session_die_text(const char *text);

/* Prints a line on the VMM's stderr. */
void session_print(const char *text);

/* The same, for the reason that came as an event just now. */
_Noreturn void session_die_refused(void);

#endif
