// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the operator wants, from the agent by shared memory: a thread of its own that
 * sleeps on a futex, does one command after the other, and keeps what `status` shows.
 * It begins with the process's first VM.
 */
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "control.h"
#include "fds.h"
#include "handoff.h"
#include "lib/policy/blob.h"
#include "lib/policy/policy.h"
#include "lib/vm/embed.h"
#include "lib/vm/migration.h"
#include "lib/vm/policies.h"
#include "observed.h"
#include "reach.h"
#include "session.h"
#include "status.h"


#define STATUS_MS	200	/* how old what `status` shows may be */
#define SETTLE_MS	4000	/* a VMM that is stopped never settles */
#ifndef POLICY_MS
#define POLICY_MS	20000	/* the agent waits a little longer for both */
#endif
#define MAX_VMS		STATUS_VMS
#define MAX_KEPT	16	/* policies of 0.8 MB each */

static struct {
	const struct control *orders;	/* the agent's: not to be written */
	struct handoff *handoff;
	pthread_mutex_t lock;
	pthread_t thread;
	bool started;
	pid_t pid;		/* a child has VMs of its own, but no thread */
	struct {
		struct regpin_vm *vm;
		uint32_t number;
		uint64_t window_end;	/* CLOCK_MONOTONIC, ms; 0: none */
		/* What it had before the swap that is going on. */
		const struct regpin_policy *had;
	} vms[MAX_VMS];
	/* All VMs, by their @older: also those that have no place above any more. */
	struct regpin_vm *all;
	/* Policies of ours that are not the session's, but may still be some VM's. */
	struct regpin_policy *kept[MAX_KEPT];
	struct regpin_policy *policy;	/* the last one that came here */
	uint32_t done;
} control = { .lock = PTHREAD_MUTEX_INITIALIZER };

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void sleep_ms(long ms)
{
	const struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

static bool has_place(const struct regpin_vm *vm)
{
	for (int i = 0; i < MAX_VMS; i++)
		if (control.vms[i].vm == vm)
			return true;
	return false;
}

/* Nobody can come back to those that have neither a number nor a vCPU left. */
static void forget_gone(void)
{
	struct regpin_vm **at = &control.all, *vm;

	while ((vm = *at)) {
		if (has_place(vm) || vm_first_vcpu(vm) || fds_vm_lives(vm)) {
			at = vm_older(vm);
			continue;
		}
		fds_forget_vm(vm);
		*at = *vm_older(vm);
	}
}

/* VMs that the VMM has closed are its memory only. */
static void bury(void)
{
	for (int i = 0; i < MAX_VMS; i++) {
		if (!control.vms[i].vm || fds_vm_lives(control.vms[i].vm))
			continue;
		state_show(control.vms[i].vm, NULL);
		control.vms[i].vm = NULL;
		atomic_store(&control.handoff->vms[i].flags, 0);
	}
	forget_gone();
}

/*
 * Is it any VM's, or may it be that of a vCPU that has not looked since? VMs that the
 * VMM has closed count, too, as long as they have vCPUs: these may be open.
 */
static bool in_use(const struct regpin_policy *policy)
{
	for (struct regpin_vm *vm = control.all; vm; vm = *vm_older(vm))
		if (vm_keeps_policy(vm, policy))
			return true;
	return false;
}

/*
 * Frees what no VM has any more. regpin_vm_policy_done() has forgotten the policy
 * before if all vCPUs had looked; here it is asked again for those that were late.
 */
static void reap(void)
{
	for (struct regpin_vm *vm = control.all; vm; vm = *vm_older(vm))
		vm_forget(vm);
	for (int i = 0; i < MAX_KEPT; i++) {
		if (!control.kept[i] || in_use(control.kept[i]))
			continue;
		regpin_policy_free(control.kept[i]);
		control.kept[i] = NULL;
	}
}

/* A place to keep a policy at, or NULL: then there must be no further one. */
static struct regpin_policy **room_to_keep(void)
{
	for (int i = 0; i < MAX_KEPT; i++)
		if (!control.kept[i])
			return &control.kept[i];
	return NULL;
}

/* Waits till every vCPU has looked at what was changed. 0 or -ETIMEDOUT. */
static int settle_in(struct regpin_vm *vm, uint32_t ms)
{
	uint64_t end = now_ms() + ms;

	do {
		sleep_ms(1);
		if (regpin_vm_settled(vm))
			return 0;
	} while (now_ms() < end);
	return -ETIMEDOUT;
}

static int settle(struct regpin_vm *vm)
{
	return settle_in(vm, SETTLE_MS);
}

static int window(int i, uint32_t ms, bool once)
{
	/* Else an agent that dies would leave it open for ever. */
	if (!ms)
		return -EINVAL;
	control.vms[i].window_end = now_ms() + ms;
	regpin_vm_window(control.vms[i].vm, once);
	return settle(control.vms[i].vm);
}

static int answer(struct regpin_vm *vm, uint32_t id, uint32_t action)
{
	struct regpin_vcpu *vcpu = regpin_vm_vcpu(vm, id);

	return vcpu ? regpin_vcpu_answer(vcpu, action) : -ENOENT;
}

static int arm(int i)
{
	int ret = regpin_vm_arm(control.vms[i].vm);

	control.vms[i].window_end = 0;
	return ret ? ret : settle(control.vms[i].vm);
}

/**
 * struct wish - a command as it was when it was taken
 * @command: and the others as in struct control
 */
struct wish {
	uint32_t command, vm, vcpu, arg;
	bool once;
};

static int one(int i, const struct wish *c)
{
	struct regpin_vm *vm = control.vms[i].vm;

	switch (c->command) {
	case CONTROL_ARM:
		return arm(i);
	case CONTROL_DISARM:
		control.vms[i].window_end = 0;
		regpin_vm_disarm(vm);
		return settle(vm);
	case CONTROL_WINDOW:
		return window(i, c->arg, c->once);
	case CONTROL_WINDOW_END:
		return regpin_vm_windowed(vm) ? arm(i) : -EINVAL;
	case CONTROL_ANSWER:
		return answer(vm, c->vcpu, c->arg);
	default:
		return -EINVAL;
	}
}

static void tell_overflow(const struct overflow *overflow)
{
	struct control_answer *shared = &control.handoff->answer;
	const struct overflow_range *first = &overflow->list[0];

	shared->overflow_base = first->base;
	shared->overflow_nmsrs = first->nmsrs;
	shared->overflow_flags = first->flags | (first->vmm ? OVERFLOW_VMM : 0);
	shared->overflow_more = overflow->nr - 1 + overflow->more;
}

/* Can all VMs have it? Else none is to be judged by it for a moment. */
static int try_policy(const struct regpin_policy *policy)
{
	int ret = 0;

	for (int i = 0; i < MAX_VMS && !ret; i++) {
		if (!control.vms[i].vm)
			continue;
		ret = vm_try_policy(control.vms[i].vm, policy);
		if (ret == -E2BIG)
			tell_overflow(vm_overflow(control.vms[i].vm));
	}
	return ret;
}

/*
 * What CPUID, an alert or a late swap has changed is looked at soon; till then a VM would
 * refuse a further policy. All together have SETTLE_MS for it.
 */
static void settle_all(void)
{
	uint64_t end = now_ms() + SETTLE_MS;

	for (int i = 0; i < MAX_VMS; i++) {
		uint64_t now = now_ms();

		if (control.vms[i].vm)
			settle_in(control.vms[i].vm,
				  now < end ? (uint32_t)(end - now) : 0);
	}
}

/* All VMs, or, of those that had got it when one failed, a negative errno. */
static int give_all(const struct regpin_policy *policy)
{
	int ret = 0;

	for (int i = 0; i < MAX_VMS; i++)
		control.vms[i].had = NULL;
	for (int i = 0; i < MAX_VMS && !ret; i++) {
		struct regpin_vm *vm = control.vms[i].vm;

		if (!vm)
			continue;
		control.vms[i].had = vm_whole_policy(vm);
		ret = regpin_vm_set_policy(vm, policy);
		if (ret)
			control.vms[i].had = NULL;
		if (ret == -E2BIG)
			tell_overflow(vm_overflow(vm));
	}
	return ret;
}

/*
 * To what each VM had, by the same way. Where that is barred, as by a filter that the VMM
 * has set meanwhile and that only the new one leaves room for, the new one stays.
 */
static int take_back(void)
{
	int ret = 0;

	for (int i = 0; i < MAX_VMS; i++)
		if (control.vms[i].had &&
		    regpin_vm_set_policy(control.vms[i].vm,
					 control.vms[i].had))
			ret = -ESTALE;
	return ret;
}

/* KVM gets the filters of those that have changed. */
static int finish_all(bool *late)
{
	int ret = 0;

	for (int i = 0; i < MAX_VMS; i++) {
		int err;

		if (!control.vms[i].vm || !control.vms[i].had)
			continue;
		*late |= settle_in(control.vms[i].vm, POLICY_MS) != 0;
		err = regpin_vm_policy_done(control.vms[i].vm);
		ret = err ? -ENOTRECOVERABLE : ret;
	}
	return ret;
}

/*
 * All VMs, or none. Only if a VMM sets another filter at this very moment, those that
 * have it already must go back. What KVM refuses afterwards stops that VM: the new
 * policy is in force all the same, and judges what the old filter still shows.
 */
static int set_policy(const struct control *c, uint32_t number)
{
	struct regpin_policy *policy, **keep;
	const uint32_t size = c->blob_size;
	bool late = false;
	int ret, back, done;

	settle_all();
	reap();
	keep = room_to_keep();
	if (!keep)
		return -EBUSY;
	ret = size <= BLOB_MAX_SIZE ?
		regpin_policy_load(c->blob, size, &policy) : -EINVAL;
	if (ret)
		return ret;
	ret = policy->number == number ? try_policy(policy) : -EINVAL;
	if (ret) {
		regpin_policy_free(policy);
		return ret;
	}
	ret = give_all(policy);
	back = ret ? take_back() : 0;
	*keep = ret ? policy : control.policy;
	if (!ret) {
		session_set_policy(policy);
		control.policy = policy;
	}
	done = finish_all(&late);
	reap();
	if (ret)
		return back ? back : ret;
	return done ? done : late ? -ETIMEDOUT : 0;
}

static int command(const struct wish *wish)
{
	int ret = -ENOENT;

	/* The agent has given up waiting for it. */
	if (wish->command == CONTROL_NONE)
		return -ECANCELED;
	if (wish->command == CONTROL_POLICY)
		return set_policy(control.orders, wish->arg);
	for (int i = 0; i < MAX_VMS; i++)
		if (control.vms[i].vm && (wish->vm == CONTROL_ALL_VMS ||
					  wish->vm == control.vms[i].number))
			ret = one(i, wish);
	return ret;
}

/* Does the agent's command, if there is a new one. Returns true if so. */
static bool obey(void)
{
	const struct control *shared = control.orders;
	uint32_t request = atomic_load(&shared->request);
	struct wish wish = { .command = atomic_load(&shared->command), .vm = shared->vm,
			     .vcpu = shared->vcpu, .arg = shared->arg,
			     .once = shared->once };

	if (request == control.done)
		return false;
	bury();
	control.handoff->answer.result = command(&wish);
	control.done = request;
	return true;
}

static void end_windows(void)
{
	for (int i = 0; i < MAX_VMS; i++) {
		if (!control.vms[i].window_end ||
		    now_ms() < control.vms[i].window_end)
			continue;
		if (regpin_vm_windowed(control.vms[i].vm))
			arm(i);
		control.vms[i].window_end = 0;
	}
}

static void show_vcpu(struct vcpu_status *status, uint32_t number,
		      struct regpin_vcpu *vcpu)
{
	struct regpin_event held = { 0 };
	uint32_t flags = status_of_vcpu(vcpu, &held);

	status->vm = number;
	status->vcpu = vcpu_id(vcpu);
	if (flags & STATUS_HELD)
		status->held = held;
	atomic_store(&status->flags, flags);
}

static void show(void)
{
	uint32_t nr = 0;

	for (int i = 0; i < MAX_VMS; i++) {
		struct vm_status *status = &control.handoff->vms[i];
		struct regpin_vm *vm = control.vms[i].vm;
		struct regpin_vcpu *vcpu;

		if (!vm)
			continue;
		status->vm = control.vms[i].number;
		atomic_store(&status->policy, vm_whole_policy(vm)->number);
		atomic_store(&status->flags, status_of_vm(vm));
		/* vCPUs go only when a VM is created, which takes our lock. */
		for (vcpu = vm_first_vcpu(vm); vcpu && nr < STATUS_VCPUS;
		     vcpu = vcpu_next(vcpu))
			show_vcpu(&control.handoff->vcpus[nr++],
				  control.vms[i].number, vcpu);
	}
	for (; nr < STATUS_VCPUS && control.handoff->vcpus[nr].flags; nr++)
		atomic_store(&control.handoff->vcpus[nr].flags, 0);
}

static void *control_main(void *arg)
{
	const struct timespec wait = { 0, STATUS_MS * 1000000L };
	const _Atomic uint32_t *request = &control.orders->request;

	for (;;) {
		bool obeyed;

		pthread_mutex_lock(&control.lock);
		obeyed = obey();
		end_windows();
		reach_check(control.all);
		show();
		observed_look(control.orders, now_ms());
		pthread_mutex_unlock(&control.lock);
		/* Who asks then sees what has become of it. */
		if (obeyed) {
			atomic_store(&control.handoff->answer.done,
				     control.done);
			session_wake();
		}
		syscall(SYS_futex, request, FUTEX_WAIT, control.done, &wait,
			NULL, 0);
	}
	return arg;
}

/* No signal of the VMM's is for this thread. */
static void start(void)
{
	sigset_t all, old;
	pthread_attr_t attr;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 1ul << 18);
	if (pthread_create(&control.thread, &attr, control_main, NULL))
		session_die_text("no thread could be made for what the operator wants");
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	control.started = true;
	control.pid = getpid();
}

/* A child has neither our thread nor its VMs, and may have got the lock locked. */
static void after_fork(void)
{
	if (!control.pid || control.pid == getpid())
		return;
	pthread_mutex_init(&control.lock, NULL);
	memset(control.vms, 0, sizeof(control.vms));
	control.started = false;
	control.pid = 0;
	/* Its VMs' policies stay here, as the VMs do: nobody here has them. */
	control.all = NULL;
	memset(control.kept, 0, sizeof(control.kept));
}

_Static_assert(STATUS_VMS == 64, "attach_vm() and regpin(1) name it");

bool control_add(const struct control *orders, struct handoff *handoff,
		 struct regpin_vm *vm, uint32_t number)
{
	int free = -1;

	control.orders = orders;
	control.handoff = handoff;
	for (int i = 0; i < MAX_VMS && free < 0; i++)
		/* A VMM's throw-away VMs, by which it probes, take none for long. */
		if (!control.vms[i].vm || !fds_vm_lives(control.vms[i].vm))
			free = i;
	if (free < 0)
		return false;
	if (control.vms[free].vm)
		state_show(control.vms[free].vm, NULL);
	control.vms[free].vm = vm;
	*vm_older(vm) = control.all;
	control.all = vm;
	control.vms[free].number = number;
	handoff->vms[free].vm = number;
	state_show(vm, &handoff->vms[free].state);
	control.vms[free].window_end = 0;
	if (!control.started) {
		control.done = atomic_load(&orders->request);
		start();
	}
	return true;
}

void control_lock(void)
{
	after_fork();
	pthread_mutex_lock(&control.lock);
}

void control_unlock(void)
{
	pthread_mutex_unlock(&control.lock);
}
