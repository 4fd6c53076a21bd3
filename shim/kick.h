/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kicks: the signal that interrupts threads which run vCPUs. kick.c explains how. */
#ifndef REGPIN_SHIM_KICK_H
#define REGPIN_SHIM_KICK_H

#include <signal.h>
#include <stdbool.h>

#include "regpin/regpin.h"

/* Takes a signal for kicks, at the first call. Call it before there is a vCPU. */
void kick_init(void);
int kick_signal_number(void);

/* Kicks @vcpu: the function for struct regpin_vm_options. */
void kick_vcpu(void *context, struct regpin_vcpu *vcpu);

/* Notes that this thread runs @vcpu. kick_is_runner(): has it been noted already? */
void kick_set_runner(struct regpin_vcpu *vcpu);
bool kick_is_runner(const struct regpin_vcpu *vcpu);

/* The thread that runs @vcpu; 0: none has run it yet. Any thread may call it. */
int kick_get_runner(const struct regpin_vcpu *vcpu);

/*
 * Makes the thread that runs @vcpu unblock the signal before it enters again. Any thread
 * may call it.
 */
void kick_unblock(struct regpin_vcpu *vcpu);

/*
 * If the VMM has changed the signal's handler, sets regpin's again, which passes the VMM's
 * own signals on to the VMM's handler. Returns what the VMM had done. Only the control
 * thread calls it.
 */
enum regpin_unreached kick_restore_handler(void);

/* If this thread was kicked, undoes the effect of the kick and returns true. */
bool kick_undo(struct regpin_vcpu *vcpu);

/*
 * Notes this thread's KVM_SET_SIGNAL_MASK, 8 bytes. kick_is_signal_pending(): is a signal
 * pending that this mask does not block?
 */
void kick_set_mask(const unsigned char *set);
bool kick_is_signal_pending(void);

/* True while this thread is in the hook for KVM_RUN, with the vCPU of kick_set_runner(). */
extern __thread volatile sig_atomic_t kick_running
	__attribute__((tls_model("initial-exec")));

/* Makes a timer tick for @vcpu after each @ms of this thread's run time; 0: no timer. */
void kick_set_timer(struct regpin_vcpu *vcpu, unsigned int ms);

#endif
