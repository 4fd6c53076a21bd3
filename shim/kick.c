// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Makes a vCPU leave KVM_RUN by a signal to the thread that runs it. The handler sets
 * immediate_exit, so that a signal which comes just before KVM_RUN is not lost. Where a
 * vCPU has to be polled, a timer on the thread's run time sends the same signal.
 *
 * The thread itself undoes the effect of the handler, and enters again: the VMM does not
 * notice the kick. A kick of the VMM's at the same time is not lost: it has set
 * immediate_exit to another value, or its signal is still pending.
 *
 * The signal was free when it was taken. A VMM may change its handler afterwards, as
 * language runtimes do for all signals. kick_restore_handler() then sets regpin's handler
 * again, which passes the VMM's own signals on. Regpin's signals carry a value that no
 * other signal has.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "hot.h"
#include "kick.h"
#include "lib/kvm/retract.h"
#include "lib/vm/embed.h"
#include "session.h"


/* The vCPU that this thread runs, for its signal handler. */
static __thread struct regpin_vcpu *volatile current
	__attribute__((tls_model("initial-exec")));
static __thread volatile sig_atomic_t kicked
	__attribute__((tls_model("initial-exec")));
static __thread timer_t timer __attribute__((tls_model("initial-exec")));
__thread volatile sig_atomic_t kick_running
	__attribute__((tls_model("initial-exec")));
static __thread volatile unsigned int timer_ms
	__attribute__((tls_model("initial-exec")));
/* The signals that the VMM blocks in KVM_RUN, as the kernel's sigset. */
static __thread unsigned long run_mask
	__attribute__((tls_model("initial-exec")));
static __thread bool run_masked __attribute__((tls_model("initial-exec")));
static __thread bool timer_made __attribute__((tls_model("initial-exec")));
/*
 * session_join_number() with the timer: a child inherits this thread's variables, but no
 * timer.
 */
static __thread uint32_t timer_join __attribute__((tls_model("initial-exec")));

static _Atomic int kick_signal;
static pthread_key_t timer_key;

/* The address of this variable is the value that regpin's own signals carry. */
static char own_value;

/*
 * The VMM's actions for the signal. A new one goes to the entry that is not in use;
 * vmms_now is the index of the current one, -1: there is none.
 */
static struct sigaction vmms[2];
static _Atomic int vmms_now = -1;

/*
 * Called at the thread's end: a timer belongs to the process, and the number of timers is
 * limited.
 */
static void delete_timer(void *timer_of_thread)
{
	timer_delete(*(timer_t *)timer_of_thread);
}

/* A value of timer_ms: a tick came while the thread was not in the hook for KVM_RUN. */
#define MISSED	(~0u)

/* Passes a signal of the VMM's own to its handler. */
static void call_vmms_handler(int number, siginfo_t *info, void *context)
{
	const struct sigaction *act;
	int now = atomic_load(&vmms_now);

	if (now < 0)
		return;
	act = &vmms[now];
	if (act->sa_flags & SA_SIGINFO)
		act->sa_sigaction(number, info, context);
	else if (act->sa_handler != SIG_IGN && act->sa_handler != SIG_DFL)
		act->sa_handler(number);
}

/*
 * Outside the hook for KVM_RUN, @current may be a vCPU that another thread has closed, so
 * the handler does not use it. Nothing is lost: a caller alerts the vCPU before it kicks
 * it, so the vCPU looks at itself at its next entry; and change_timer() makes up for a
 * missed tick.
 */
static void on_kick(int number, siginfo_t *info, void *context)
{
	struct regpin_vcpu *vcpu = current;

	if (info->si_value.sival_ptr != &own_value ||
	    (info->si_code != SI_TIMER && info->si_code != SI_QUEUE)) {
		call_vmms_handler(number, info, context);
		return;
	}
	if (!kick_running) {
		if (info->si_code == SI_TIMER)
			timer_ms = MISSED;
		return;
	}
	if (info->si_code == SI_TIMER)
		regpin_vcpu_tick(vcpu);
	kicked = 1;
	vcpu_request_exit(vcpu_io(vcpu)->run);
}

/* Takes the last real-time signal that has no handler. */
static void take_signal(void)
{
	struct sigaction act = { .sa_sigaction = on_kick,
				 .sa_flags = SA_SIGINFO | SA_RESTART };
	struct sigaction old;

	sigemptyset(&act.sa_mask);
	for (int number = SIGRTMAX; number > SIGRTMIN; number--) {
		if (sigaction(number, NULL, &old) ||
		    old.sa_handler != SIG_DFL)
			continue;
		if (!sigaction(number, &act, NULL)) {
			atomic_store(&kick_signal, number);
			return;
		}
	}
	session_die_text("the VMM uses all real-time signals, and regpin needs one to interrupt its vCPUs");
}

void kick_init(void)
{
	if (atomic_load(&kick_signal))
		return;
	if (pthread_key_create(&timer_key, delete_timer))
		session_die_text("the VMM uses all keys of thread-specific data, and regpin needs one for its timers");
	take_signal();
}

int kick_signal_number(void)
{
	return atomic_load(&kick_signal);
}

COLD void kick_set_runner(struct regpin_vcpu *vcpu)
{
	sigset_t set;

	if (timer_made && timer_join != session_join_number()) {
		timer_made = false;
		timer_ms = 0;
	}
	current = vcpu;
	/*
	 * Unblock last: a check that finds the signal blocked requests the unblocking
	 * again.
	 */
	vcpu_set_runner(vcpu, (int)syscall(SYS_gettid));
	sigemptyset(&set);
	sigaddset(&set, atomic_load(&kick_signal));
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

bool kick_is_runner(const struct regpin_vcpu *vcpu)
{
	/* A new vCPU at the address of a freed one has no thread yet. */
	return current == vcpu && vcpu_runner(vcpu) > 0;
}

int kick_get_runner(const struct regpin_vcpu *vcpu)
{
	int thread = vcpu_runner(vcpu);

	return thread < 0 ? -thread : thread;
}

void kick_unblock(struct regpin_vcpu *vcpu)
{
	vcpu_request_unblock(vcpu, kick_get_runner(vcpu));
}

enum regpin_unreached kick_restore_handler(void)
{
	struct sigaction act = { .sa_sigaction = on_kick,
				 .sa_flags = SA_SIGINFO | SA_RESTART };
	int number = atomic_load(&kick_signal);
	int slot = atomic_load(&vmms_now) == 0;
	struct sigaction now;

	if (!number || sigaction(number, NULL, &now) ||
	    (now.sa_flags & SA_SIGINFO && now.sa_sigaction == on_kick))
		return REGPIN_REACHED;
	vmms[slot] = now;
	atomic_store(&vmms_now, slot);
	act.sa_mask = now.sa_mask;
	act.sa_flags |= now.sa_flags & SA_ONSTACK;
	sigaction(number, &act, NULL);
	return now.sa_flags & SA_SIGINFO || now.sa_handler != SIG_IGN ?
		       REGPIN_SIGNAL_TAKEN : REGPIN_SIGNAL_IGNORED;
}

bool kick_undo(struct regpin_vcpu *vcpu)
{
	if (!kicked)
		return false;
	kicked = 0;
	vcpu_cancel_exit(vcpu_io(vcpu)->run);
	return true;
}

void kick_vcpu(void *context, struct regpin_vcpu *vcpu)
{
	int thread = kick_get_runner(vcpu), err = errno;
	siginfo_t info = { .si_code = SI_QUEUE };

	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_value.sival_ptr = &own_value;
	if (thread && atomic_load(&kick_signal))
		syscall(SYS_rt_tgsigqueueinfo, getpid(), thread,
			atomic_load(&kick_signal), &info);
	errno = err;
}

void kick_set_mask(const unsigned char *set)
{
	/* The mask is kept for the thread, because the thread that runs a vCPU sets it. */
	memcpy(&run_mask, set, sizeof(run_mask));
	run_masked = true;
}

bool kick_is_signal_pending(void)
{
	unsigned long pending = 0;
	sigset_t set;

	if (!run_masked || sigpending(&set))
		return false;
	memcpy(&pending, &set, sizeof(pending));
	return pending & ~run_mask;
}

static bool make_timer(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID,
				  .sigev_signo = atomic_load(&kick_signal),
				  .sigev_value.sival_ptr = &own_value };

	event._sigev_un._tid = (int)syscall(SYS_gettid);
	if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer))
		return false;
	timer_join = session_join_number();
	if (!pthread_setspecific(timer_key, &timer))
		return true;
	timer_delete(timer);
	return false;
}

static COLD void change_timer(struct regpin_vcpu *vcpu, unsigned int ms)
{
	const struct timespec time = { ms / 1000, ms % 1000 * 1000000L };
	const struct itimerspec every = { time, time };

	if (timer_ms == MISSED) {
		regpin_vcpu_tick(vcpu);
		kicked = 1;
		vcpu_request_exit(vcpu_io(vcpu)->run);
	}
	if (!timer_made)
		timer_made = make_timer();
	if (!timer_made || timer_settime(timer, 0, &every, NULL))
		session_die_text("the timer for polling a vCPU's registers could not be created; raise the limit of pending signals (RLIMIT_SIGPENDING)");
	timer_ms = ms;
}

void kick_set_timer(struct regpin_vcpu *vcpu, unsigned int ms)
{
	if (!LIKELY(ms == timer_ms))
		change_timer(vcpu, ms);
}
