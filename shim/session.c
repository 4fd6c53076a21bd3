// SPDX-License-Identifier: LGPL-2.1-or-later
/* The shim's side of the handoff: policy in, events out. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "handoff.h"
#include "shim.h"

static struct {
	bool active;
	int wake;
	struct regpin_policy *policy;
	struct handoff *handoff;
	_Atomic uint32_t refusal;
	_Atomic uint32_t creating;	/* this process's part */
	_Atomic bool swapped;		/* the policy is not the first any more */
} session = { .wake = -1 };

bool session_active(void)
{
	return session.active;
}

const struct regpin_policy *session_policy(void)
{
	return session.policy;
}

/*
 * The VMM may have closed our fd and opened something of its own under that
 * number, which must not get our eight bytes. Without /proc (a VMM may chroot)
 * a file without a type is taken for it: no file on disk, no pipe, no socket.
 */
static bool wake_is_eventfd(void)
{
	char path[32], link[32] = "";
	struct stat st;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", session.wake);
	if (readlink(path, link, sizeof(link) - 1) > 0)
		return !strcmp(link, "anon_inode:[eventfd]");
	return fstat(session.wake, &st) == 0 && !(st.st_mode & S_IFMT);
}

void session_set_policy(struct regpin_policy *policy)
{
	session.policy = policy;
	atomic_store(&session.swapped, true);
}

struct handoff *session_handoff(void)
{
	return session.handoff;
}

void session_wake(void)
{
	uint64_t one = 1;

	/* Non-blocking; if it is full, the agent has been told already. */
	if (wake_is_eventfd() && write(session.wake, &one, sizeof(one)) < 0)
		return;
}

/* VMs count their policies each for itself; commands have one number for all. */
static COLD void tell_numbered(const struct regpin_event *event)
{
	struct regpin_event numbered = *event;

	numbered.policy = (uint8_t)control_command(event->vm, event->policy);
	if (ring_put(&session.handoff->ring, &numbered))
		session_wake();
}

void session_event(void *context, const struct regpin_event *event)
{
	if (event->type == REGPIN_EVENT_REFUSED)
		atomic_store(&session.refusal, event->detail);
	if (event->policy || atomic_load(&session.swapped))
		tell_numbered(event);
	else if (ring_put(&session.handoff->ring, event))
		session_wake();
}

uint32_t session_number(void)
{
	return atomic_fetch_add(&session.handoff->numbers, 1);
}

void session_creating(void)
{
	if (!session.handoff)
		return;
	atomic_fetch_add(&session.creating, 1);
	atomic_fetch_add(&session.handoff->creating, 1);
}

void session_created(void)
{
	if (!session.handoff)
		return;
	atomic_fetch_sub(&session.creating, 1);
	atomic_fetch_sub(&session.handoff->creating, 1);
}

void session_attached(void)
{
	atomic_store(&session.handoff->vmm, (uint32_t)getpid());
	atomic_fetch_add(&session.handoff->attached, 1);
}

static void say(const char *text)
{
	static const char head[] = "regpin: the VM must not run: ";
	char line[2200];
	int n = snprintf(line, sizeof(line), "%s%s\n", head, text);

	if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
		return;
}

_Noreturn void session_die_text(const char *text)
{
	say(text);
	/* All threads end here, also those that create a VM. */
	if (session.handoff)
		atomic_fetch_sub(&session.handoff->creating,
				 atomic_exchange(&session.creating, 0));
	_exit(EXIT_REGPIN);
}

_Noreturn void session_die(enum regpin_refusal reason)
{
	if (session.handoff)
		atomic_store(&session.handoff->refused, (uint32_t)reason + 1);
	session_die_text(regpin_refusal_text(reason));
}

_Noreturn void session_die_overflow(struct regpin_vm *vm)
{
	char text[2048];

	if (regpin_vm_overflow(vm, text, sizeof(text)))
		session_die(REGPIN_REFUSED_FILTER);
	if (session.handoff)
		atomic_store(&session.handoff->refused,
			     (uint32_t)REGPIN_REFUSED_FILTER + 1);
	session_die_text(text);
}

_Noreturn void session_refused(void)
{
	session_die(atomic_load(&session.refusal));
}

static struct handoff *map_handoff(int fd)
{
	struct handoff *handoff;
	struct stat st;

	if (fstat(fd, &st) || st.st_size < (off_t)sizeof(*handoff))
		return NULL;
	handoff = mmap(NULL, sizeof(*handoff), PROT_READ | PROT_WRITE,
		       MAP_SHARED, fd, 0);
	if (handoff == MAP_FAILED)
		return NULL;
	if (handoff->magic == HANDOFF_MAGIC &&
	    handoff->version == HANDOFF_VERSION)
		return handoff;
	munmap(handoff, sizeof(*handoff));
	return NULL;
}

/*
 * Runs in every process that the environment reaches, wrappers and the VMM's
 * helpers included. It only looks; a process that then creates a VM without
 * having found its policy is ended there.
 */
__attribute__((constructor)) static void session_init(void)
{
	const int sealed = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
	const char *env = getenv(HANDOFF_ENV);
	int saved = errno, blob, shared, wake;
	char tail;

	if (!env)
		return;
	session.active = true;
	if (sscanf(env, "%d,%d,%d%c", &blob, &shared, &wake, &tail) != 3 ||
	    fcntl(blob, F_GET_SEALS) == -1 ||
	    (fcntl(blob, F_GET_SEALS) & sealed) != sealed)
		goto out;
	session.handoff = map_handoff(shared);
	if (!session.handoff || regpin_policy_open(blob, &session.policy))
		goto out;
	session.wake = wake;
	atomic_fetch_add(&session.handoff->loaded, 1);
out:
	errno = saved;
}
