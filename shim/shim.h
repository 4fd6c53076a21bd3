/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The preload object's parts: the hook (shim.c), what it knows about fds
 * (fds.c), and its side of the handoff (session.c). In the hook's path there is
 * no malloc, no stdio and no lock, and errno is the VMM's.
 */
#ifndef REGPIN_SHIM_SHIM_H
#define REGPIN_SHIM_SHIM_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "regpin/regpin.h"

struct control;
struct handoff;

#define LIKELY(x)	__builtin_expect(!!(x), 1)

/* ioctl(2) as the VMM would have called it: the next one in the process. */
int real_ioctl(int fd, unsigned long request, void *arg);

/*
 * session.c
 */

/* Is this process under `regpin run`? */
bool session_active(void);

/*
 * Asks the agent for what it has for this process, by a VM of the process's; ends the
 * process if it gets nothing. Once is enough, but for a child.
 */
void session_join(int vm_fd);

/* The policy, and the number of the command that it came by; after session_join(). */
const struct regpin_policy *session_policy(void);
uint32_t session_policy_number(void);

/* Passes an event to the agent; for struct regpin_vm_options. */
void session_event(void *context, const struct regpin_event *event);

/* Wakes the agent, which has something new to see. */
void session_wake(void);

/* VMs that are created from now on get this policy. */
void session_set_policy(struct regpin_policy *policy);

/* What is shared with the agent, and what only the agent writes. */
struct handoff *session_handoff(void);
const struct control *session_control(void);

/* The next VM's number, for its events. */
uint32_t session_number(void);

/*
 * A VM is about to be created, or to be learnt of; and: it got its policy, or there is
 * none. In between there is a connection to the agent, and its guard is patient. A
 * process that the agent does not want ends here, and has no VM.
 */
void session_creating(void);
void session_created(void);

/* A VM got its policy. */
void session_attached(void);

/* Says why on stderr and to the agent, and ends the process. */
_Noreturn void session_die(enum regpin_refusal reason);

/* Likewise where the MSRs that did not fit can be named: by regpin_vm_overflow(). */
_Noreturn void session_die_overflow(struct regpin_vm *vm);
_Noreturn void session_die_text(const char *text);

/* Prints a line on the VMM's stderr. */
void session_say(const char *text);

/* The same, for the reason that came as an event just now. */
_Noreturn void session_refused(void);

/*
 * fds.c
 */

/* Which VM or vCPU is behind this fd? NULL if it is none. Looks once, cheaply. */
struct regpin_vm *fds_vm(int fd);
struct regpin_vcpu *fds_vcpu(int fd);

/* The same, but finds out about fds that came from elsewhere. May not return. */
struct regpin_vm *fds_learn_vm(int fd);
struct regpin_vcpu *fds_learn_vcpu(int fd);

/* The VMM has created these. @kvm_fd is /dev/kvm. */
void fds_created_vm(int kvm_fd, int vm_fd);
void fds_created_vcpu(struct regpin_vm *vm, int vcpu_fd, uint32_t id);

/* Is there still a VM behind one of @vm's numbers? Then that one is its fd. */
bool fds_vm_lives(struct regpin_vm *vm);

/* It has none any more. */
void fds_forget_vm(struct regpin_vm *vm);

/* Out of the way of the instructions that each exit pays for. */
#define COLD __attribute__((noinline))

/*
 * kick.c
 */

/* Takes a signal for kicks; once, before there is a vCPU. */
void kick_begin(void);
int kick_signal_number(void);

/* For struct regpin_vm_options. */
void kick_vcpu(void *context, struct regpin_vcpu *vcpu);

/* This thread runs @vcpu; does it already? */
void kick_thread(struct regpin_vcpu *vcpu);
bool kick_is_thread(const struct regpin_vcpu *vcpu);

/* The thread that runs @vcpu, 0: none has. Any thread */
int kick_thread_of(const struct regpin_vcpu *vcpu);

/* That thread unblocks the signal before it enters again. Any thread */
void kick_unblock(struct regpin_vcpu *vcpu);

/*
 * Has the VMM changed what the signal does? Then it is as before, and the VMM's handler
 * gets the VMM's own signals. One thread only.
 */
enum regpin_unreached kick_take_back(void);

/* Was this thread kicked? Then what the kick did is undone. */
bool kick_taken(struct regpin_vcpu *vcpu);

/* This thread's KVM_SET_SIGNAL_MASK, 8 bytes; is a signal pending that it lets in? */
void kick_mask(const unsigned char *set);
bool kick_pending(void);

/* This thread is in KVM_RUN's hook, with the vCPU of kick_thread(). */
extern __thread volatile sig_atomic_t kick_running
	__attribute__((tls_model("initial-exec")));

/* Ticks for @vcpu, which this thread runs, each @ms of its run time; 0: none. */
void kick_every(struct regpin_vcpu *vcpu, unsigned int ms);

/*
 * reach.c: do kicks still reach the vCPUs of @all VMs, a list by @older? Each change is
 * an event. Now and then, on one thread, while vCPUs stay (control_lock()).
 */
void reach_check(struct regpin_vm *all);

/*
 * state.c: what the VMM reads and writes of its guest's state; as the hook itself.
 */
int set_memory_region(int fd, unsigned long request, void *arg);
int write_registers(int fd, unsigned long request, void *arg);
int get_msrs(int fd, void *arg);
int get_regs(int fd, void *arg);
int set_regs(int fd, void *arg);

/*
 * control.c
 */

/*
 * A VM that the operator may speak of. Under control_lock(), and so is the attaching of
 * it: else it could come with a policy that is just being replaced. False if there are
 * STATUS_VMS already: no policy, hold or window of the operator's would reach it.
 */
bool control_add(const struct control *orders, struct handoff *handoff,
		 struct regpin_vm *vm, uint32_t number);

/*
 * Which command brought the policy that VM number @vm had after so many @swaps, modulo
 * 256, of the last 256 there? Any thread, any time.
 */
uint32_t control_command(uint32_t vm, uint8_t swaps);

/* While vCPUs are taken away, or a VM comes. */
void control_lock(void);
void control_unlock(void);

/*
 * observed.c
 */

/* Reports on stderr an agent's death, and that another one has taken over. */
void observed_look(const struct control *orders, uint64_t now_ms);

#endif
