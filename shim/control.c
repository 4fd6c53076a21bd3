// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The control thread: it sleeps on a futex, carries out the operator's commands, which the
 * agent writes to shared memory, one at a time, and updates the status that `regpin ctl`
 * prints. It is started with the process's first VM.
 */
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "control.h"
#include "handoff.h"
#include "lib/policy/policy.h"
#include "lib/vm/embed.h"
#include "observed.h"
#include "reach.h"
#include "session.h"
#include "status.h"
#include "swap.h"
#include "vm_list.h"

#define STATUS_MS	200	/* how old the status may be, in ms */

static struct {
	const struct control *orders;	/* read-only: only the agent writes it */
	struct handoff *handoff;
	pthread_mutex_t lock;
	pthread_t thread;
	bool started;
	uint32_t join;		/* session_join_number() with @thread: a child has no such thread */
	struct vm_list list;
	uint32_t done;		/* number of the last command that was carried out */
} control = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int wait_for_vcpus(struct regpin_vm *vm)
{
	return vm_list_wait(vm, LOOK_MS);
}

static int begin_window(struct vm_slot *slot, uint32_t ms, bool once)
{
	/* A window without an end would stay open forever if the agent dies. */
	if (!ms)
		return -EINVAL;
	slot->window_end = vm_list_now_ms() + ms;
	regpin_vm_window(slot->vm, once);
	return wait_for_vcpus(slot->vm);
}

static int answer_vcpu(struct regpin_vm *vm, uint32_t id, uint32_t action)
{
	struct regpin_vcpu *vcpu = regpin_vm_vcpu(vm, id);

	return vcpu ? regpin_vcpu_answer(vcpu, action) : -ENOENT;
}

static int arm_vm(struct vm_slot *slot)
{
	int ret = regpin_vm_arm(slot->vm);

	slot->window_end = 0;
	return ret ? ret : wait_for_vcpus(slot->vm);
}

/**
 * struct command - a copy of a command in struct control, which may change meanwhile
 * @command: enum control_command
 * @vm: number of the VM, or CONTROL_ALL_VMS
 * @vcpu: id of the vCPU
 * @arg: see enum control_command
 * @once: the window ends when one kernel has finished its set-up
 */
struct command {
	uint32_t command, vm, vcpu, arg;
	bool once;
};

/* Carries out the command for one VM. */
static int run_command(struct vm_slot *slot, const struct command *c)
{
	switch (c->command) {
	case CONTROL_ARM:
		return arm_vm(slot);
	case CONTROL_DISARM:
		slot->window_end = 0;
		regpin_vm_disarm(slot->vm);
		return wait_for_vcpus(slot->vm);
	case CONTROL_WINDOW:
		return begin_window(slot, c->arg, c->once);
	case CONTROL_WINDOW_END:
		return regpin_vm_windowed(slot->vm) ? arm_vm(slot) : -EINVAL;
	case CONTROL_ANSWER:
		return answer_vcpu(slot->vm, c->vcpu, c->arg);
	default:
		return -EINVAL;
	}
}

/* Carries out the command for the VMs that it names. */
static int run_for_vms(const struct command *c)
{
	int ret = -ENOENT;

	/* The agent no longer waits for the command, and has cleared it. */
	if (c->command == CONTROL_NONE)
		return -ECANCELED;
	if (c->command == CONTROL_POLICY)
		return swap_policy(&control.list, control.orders, c->arg,
				   &control.handoff->answer);
	for (unsigned int i = 0; i < STATUS_VMS; i++) {
		struct vm_slot *slot = &control.list.slots[i];

		if (slot->vm && (c->vm == CONTROL_ALL_VMS || c->vm == slot->number))
			ret = run_command(slot, c);
	}
	return ret;
}

/* Carries out the agent's command, if there is a new one. Returns true if so. */
static bool poll_command(void)
{
	const struct control *shared = control.orders;
	uint32_t request = atomic_load(&shared->request);
	struct command c = { .command = atomic_load(&shared->command), .vm = shared->vm,
			     .vcpu = shared->vcpu, .arg = shared->arg,
			     .once = shared->once };

	if (request == control.done)
		return false;
	vm_list_drop_closed(&control.list, control.handoff);
	control.handoff->answer.result = run_for_vms(&c);
	control.done = request;
	return true;
}

static void end_windows(void)
{
	uint64_t now = vm_list_now_ms();

	for (unsigned int i = 0; i < STATUS_VMS; i++) {
		struct vm_slot *slot = &control.list.slots[i];

		if (!slot->window_end || now < slot->window_end)
			continue;
		if (regpin_vm_windowed(slot->vm))
			arm_vm(slot);
		slot->window_end = 0;
	}
}

static void update_vcpu_status(struct vcpu_status *status, uint32_t number,
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

static void update_status(void)
{
	uint32_t nr = 0;

	for (unsigned int i = 0; i < STATUS_VMS; i++) {
		const struct vm_slot *slot = &control.list.slots[i];
		struct vm_status *status = &control.handoff->vms[i];
		struct regpin_vm *vm = slot->vm;
		struct regpin_vcpu *vcpu;

		if (!vm)
			continue;
		status->vm = slot->number;
		atomic_store(&status->policy, vm_whole_policy(vm)->number);
		atomic_store(&status->flags, status_of_vm(vm));
		/* vCPUs are detached only under control_lock(), which the caller holds. */
		for (vcpu = vm_first_vcpu(vm); vcpu && nr < STATUS_VCPUS;
		     vcpu = vcpu_next(vcpu))
			update_vcpu_status(&control.handoff->vcpus[nr++],
					   slot->number, vcpu);
	}
	for (; nr < STATUS_VCPUS && control.handoff->vcpus[nr].flags; nr++)
		atomic_store(&control.handoff->vcpus[nr].flags, 0);
}

static void *control_main(void *arg)
{
	const struct timespec wait = { 0, STATUS_MS * 1000000L };
	const _Atomic uint32_t *request = &control.orders->request;

	for (;;) {
		bool ran;

		pthread_mutex_lock(&control.lock);
		ran = poll_command();
		end_windows();
		reach_check(control.list.all);
		update_status();
		observed_check(control.orders, vm_list_now_ms());
		pthread_mutex_unlock(&control.lock);
		/* The answer comes after the status that shows what the command did. */
		if (ran) {
			atomic_store(&control.handoff->answer.done,
				     control.done);
			session_wake();
		}
		syscall(SYS_futex, request, FUTEX_WAIT, control.done, &wait,
			NULL, 0);
	}
	return arg;
}

/* Starts the control thread, with all signals blocked: they are for the VMM's threads. */
static void start_thread(void)
{
	sigset_t all, old;
	pthread_attr_t attr;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 1ul << 18);
	if (pthread_create(&control.thread, &attr, control_main, NULL))
		session_die_text("the thread for the operator's commands could not be created; raise the limit of processes (RLIMIT_NPROC)");
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	control.started = true;
	control.join = session_join_number();
}

/*
 * In a child: it has neither the control thread nor the parent's VMs, and its copy of the
 * lock may be locked.
 */
static void after_fork(void)
{
	if (!control.join || control.join == session_join_number())
		return;
	pthread_mutex_init(&control.lock, NULL);
	memset(&control.list, 0, sizeof(control.list));
	control.started = false;
	control.join = 0;
	swap_reset();
}

_Static_assert(STATUS_VMS == 64, "attach_vm() and regpin(1) name it");

bool control_add_vm(const struct control *orders, struct handoff *handoff,
		    struct regpin_vm *vm, uint32_t number)
{
	control.orders = orders;
	control.handoff = handoff;
	if (vm_list_add(&control.list, handoff, vm, number) < 0)
		return false;
	if (!control.started) {
		control.done = atomic_load(&orders->request);
		start_thread();
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
