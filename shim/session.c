// SPDX-License-Identifier: LGPL-2.1-or-later
/* The shim's side of the handoff: policy in, events out. */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hot.h"
#include "join.h"
#include "lib/end.h"
#include "lib/kvm/pages.h"
#include "session.h"

/**
 * struct mark - shows that this process has joined, and not only its parent
 * @join: the number of its join; 0: it has not joined
 *
 * The mark is in a page of its own, which fork(2) wipes for the child. It is checked for each
 * event, and a load is far cheaper than getpid(2). In a new process id namespace, a child
 * may even have its parent's id.
 */
struct mark {
	_Atomic uint32_t join;
};

/*
 * The constructor sets @active, @address_valid and @address. All other members are for the
 * process that has joined. A child joins again: it inherits the VMM's memory, but not the
 * shared memory.
 */
static struct {
	bool active, address_valid;
	struct join_address address;
	pthread_mutex_t lock;	/* held while this process joins */
	_Atomic pid_t lock_pid;	/* the process that initialised @lock */
	_Atomic(struct mark *) mark;	/* NULL: no process has joined, or @pid is used instead */
	_Atomic pid_t pid;	/* if the kernel cannot wipe a mark: the process that has joined */
	uint32_t joins;		/* number of joins, of this process and its parents */
	int conn;		/* the connection to the agent, while it joins; or -1 */
	struct joined joined;
	_Atomic uint32_t refusal;
} session = { .lock = PTHREAD_MUTEX_INITIALIZER, .conn = -1 };

/* This thread holds the lock, and uses the connection. */
static __thread bool joining __attribute__((tls_model("initial-exec")));

/*
 * The number of the join, in a process that cannot have a mark. Not inlined, so that an
 * event need not save registers for the call.
 */
static COLD uint32_t join_number_by_pid(void)
{
	return atomic_load(&session.pid) == getpid() ? session.joins : 0;
}

/* As session_join_number(); inline, because each event needs it. */
static inline uint32_t join_number(void)
{
	const struct mark *mark = atomic_load(&session.mark);

	return LIKELY(mark) ? atomic_load(&mark->join) : join_number_by_pid();
}

uint32_t session_join_number(void)
{
	return join_number();
}

/* Has this process joined, not only its parent? */
static inline bool is_joined(void)
{
	return join_number() != 0;
}

bool session_active(void)
{
	return session.active;
}

const struct regpin_policy *session_policy(void)
{
	return session.joined.policy;
}

void session_set_policy(struct regpin_policy *policy)
{
	session.joined.policy = policy;
}

struct handoff *session_handoff(void)
{
	return session.joined.handoff;
}

const struct control *session_control(void)
{
	return session.joined.control;
}

/*
 * The agent waits on a futex, because the VMM could close a file and use its number for
 * another one.
 */
void session_wake(void)
{
	if (!is_joined())
		return;
	atomic_fetch_add(&session.joined.handoff->wake, 1);
	syscall(SYS_futex, &session.joined.handoff->wake, FUTEX_WAKE, INT_MAX,
		NULL, NULL, 0);
}

static void print_line(const char *head, const char *text)
{
	char line[2200];
	int n = snprintf(line, sizeof(line), "regpin: %s%s\n", head, text);

	if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
		return;
}

bool session_filter_event(const struct regpin_event *event)
{
	if (event->type == REGPIN_EVENT_REFUSED)
		atomic_store(&session.refusal, event->detail);
	if (event->type == REGPIN_EVENT_TOLERATED)
		print_line("warning: ", regpin_tolerated_text(event->detail));
	/* KVM refuses a child its parent's VMs, so it has nothing to report about them. */
	return is_joined();
}

void session_send_event(const struct regpin_event *event)
{
	if (ring_put(&session.joined.handoff->ring, event))
		session_wake();
}

uint32_t session_next_number(void)
{
	return atomic_fetch_add(&session.joined.handoff->numbers, 1);
}

/* Takes the lock. In a child, makes it new: a thread of the parent may have held it. */
static void lock_session(void)
{
	pid_t pid = getpid(), was = atomic_load(&session.lock_pid);

	if (was != pid &&
	    atomic_compare_exchange_strong(&session.lock_pid, &was, pid)) {
		pthread_mutex_init(&session.lock, NULL);
		session.conn = -1;
	}
	pthread_mutex_lock(&session.lock);
}

static const char *connect_agent(void)
{
	if (!session.address_valid)
		return "the policy did not reach this process: " HANDOFF_ENV " in its environment is malformed; make the wrapper pass it on unchanged";
	return join_connect(&session.address, &session.conn);
}

/* Returns with the lock held, unless the process has joined already. */
void session_begin_vm(void)
{
	const char *why;
	int err = errno;

	if (is_joined())
		return;
	lock_session();
	if (is_joined()) {	/* another thread has joined meanwhile */
		pthread_mutex_unlock(&session.lock);
		return;
	}
	why = connect_agent();
	if (why)
		session_die_text(why);
	joining = true;
	errno = err;
}

static void after_fork(void)
{
	if (!is_joined())
		join_map_zeroes(&session.joined);
}

/*
 * Sets the mark, in a page that a child has inherited, wiped. Some sandboxes, and programs
 * that emulate Linux, cannot wipe a page: then the process id takes its place.
 */
static void set_mark(void)
{
	struct mark *mark = atomic_load(&session.mark);

	session.joins++;
	if (!mark) {
		mark = pages_alloc(sizeof(*mark));
		if (!mark)
			session_die_text("out of memory for the state of this process");
		if (madvise(mark, sizeof(*mark), MADV_WIPEONFORK)) {
			pages_free(mark, sizeof(*mark));
			atomic_store(&session.pid, getpid());
			return;
		}
	}
	atomic_store(&mark->join, session.joins);
	atomic_store(&session.mark, mark);
}

void session_join(int vm_fd)
{
	struct joined joined = { .policy = NULL };
	const char *why;

	if (is_joined())
		return;
	why = join_ask(session.conn, vm_fd, &joined);
	if (why)
		session_die_text(why);
	/* Only once: a child inherits its parent's handlers. */
	if (!session.joins)
		pthread_atfork(NULL, NULL, after_fork);
	session.joined = joined;
	set_mark();
}

void session_end_vm(void)
{
	int err = errno;

	if (!joining)
		return;
	joining = false;
	close(session.conn);
	session.conn = -1;
	pthread_mutex_unlock(&session.lock);
	errno = err;
}

void session_count_vm(void)
{
	atomic_fetch_add(&session.joined.handoff->attached, 1);
}

void session_print(const char *text)
{
	print_line("", text);
}

_Noreturn void session_die_text(const char *text)
{
	print_line("the VM must not run: ", text);
	end_process(EXIT_REGPIN);
}

/*
 * Reports the reason to the agent, which makes an event of it: in the shared memory, or by
 * a message if this process has not joined yet.
 */
static void report_refusal(enum regpin_refusal reason)
{
	if (is_joined())
		atomic_store(&session.joined.handoff->refused,
			     (uint32_t)reason + 1);
	else if (session.conn >= 0 || !connect_agent())
		join_send_refusal(session.conn, reason);
}

_Noreturn void session_die(enum regpin_refusal reason)
{
	report_refusal(reason);
	session_die_text(regpin_refusal_text(reason));
}

_Noreturn void session_die_overflow(struct regpin_vm *vm)
{
	char text[2048];

	report_refusal(REGPIN_REFUSED_FILTER);
	if (regpin_vm_overflow(vm, text, sizeof(text)))
		session_die_text(regpin_refusal_text(REGPIN_REFUSED_FILTER));
	session_die_text(text);
}

_Noreturn void session_die_refused(void)
{
	session_die(atomic_load(&session.refusal));
}

/*
 * Runs in every process that has the environment variable, including wrappers and the
 * VMM's helpers. It only parses the variable; a process that creates a VM asks the agent.
 */
__attribute__((constructor)) static void session_init(void)
{
	const char *env = getenv(HANDOFF_ENV);
	int saved = errno;

	if (!env)
		return;
	session.active = true;
	session.address_valid = join_read(env, &session.address);
	atomic_store(&session.lock_pid, getpid());
	errno = saved;
}
