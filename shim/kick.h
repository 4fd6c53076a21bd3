/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How threads that run vCPUs are interrupted. */
#ifndef REGPIN_SHIM_KICK_H
#define REGPIN_SHIM_KICK_H

#include <signal.h>
#include <stdbool.h>

#include "regpin/regpin.h"

/* Takes a signal for kicks; once, before there is a vCPU. */
void kick_init(void);
int kick_signal_number(void);

/* For struct regpin_vm_options. */
void kick_vcpu(void *context, struct regpin_vcpu *vcpu);

/* This thread runs @vcpu; does it already? */
void kick_set_runner(struct regpin_vcpu *vcpu);
bool kick_is_runner(const struct regpin_vcpu *vcpu);

/* The thread that runs @vcpu, 0: none has. Any thread */
int kick_get_runner(const struct regpin_vcpu *vcpu);

/* That thread unblocks the signal before it enters again. Any thread */
void kick_unblock(struct regpin_vcpu *vcpu);

/*
 * Has the VMM changed what the signal does? Then it is as before, and the VMM's handler
 * gets the VMM's own signals. One thread only.
 */
enum regpin_unreached kick_restore_handler(void);

/* Was this thread kicked? Then what the kick did is undone. */
bool kick_undo(struct regpin_vcpu *vcpu);

/* This thread's KVM_SET_SIGNAL_MASK, 8 bytes; is a signal pending that it lets in? */
void kick_set_mask(const unsigned char *set);
bool kick_is_signal_pending(void);

/* This thread is in KVM_RUN's hook, with the vCPU of kick_set_runner(). */
extern __thread volatile sig_atomic_t kick_running
	__attribute__((tls_model("initial-exec")));

/* Ticks for @vcpu, which this thread runs, each @ms of its run time; 0: none. */
void kick_set_timer(struct regpin_vcpu *vcpu, unsigned int ms);

#endif
