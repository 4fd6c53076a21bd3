// SPDX-License-Identifier: GPL-2.0-only
/*
 * An access takes the same way as a guest's: KVM's filters decide whether it is forwarded,
 * by model.c and by the CR filter's masks; then regpin_vcpu_exit() judges it
 * and updates the vCPU's phase. There is no time: no deadline ever passes, and registers are
 * polled where the trace has `look`.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/judge/judge.h"
#include "lib/kvm/regs.h"
#include "lib/kvm/uapi.h"
#include "lib/policy/registers.h"
#include "lib/vm/violation.h"
#include "lib/vm/vm.h"
#include "sim.h"
#include "sim_cpu.h"
#include "sim_cpuid.h"
#include "sim_exit.h"
#include "sim_msr.h"


static void keep(struct sim_result *result, const struct regpin_event *event)
{
	if (result->nr < SIM_EVENTS)
		result->events[result->nr++] = *event;
	else
		result->lost = true;
}

/* Does @event decide the outcome of the access more than the events before it? */
static bool decides(const struct sim_result *result,
		    const struct regpin_event *event)
{
	const struct regpin_event *known = &result->violation;

	if (event->type != REGPIN_EVENT_VIOLATION)
		return event->type == REGPIN_EVENT_DETECTED &&
		       (!result->violated ||
			(known->type == REGPIN_EVENT_DETECTED &&
			 event->action > known->action));
	return !result->violated || known->type != REGPIN_EVENT_VIOLATION ||
	       event->action > known->action;
}

/* KVM may still refuse an access that a rule reports: then there are two events. */
static void on_event(void *context, const struct regpin_event *event)
{
	struct sim_result *result = context;

	if (event->type == REGPIN_EVENT_ATTACHED)
		return;
	result->armed |= event->type == REGPIN_EVENT_ARMED;
	result->answered |= event->type == REGPIN_EVENT_ANSWERED;
	if (!decides(result, event)) {
		keep(result, event);
		return;
	}
	if (result->violated)
		keep(result, &result->violation);
	result->violation = *event;
	result->violated = true;
}

/*
 * Only one vCPU runs at a time, so no other one ever has to be kicked. But floor.c reads the
 * registers of other vCPUs only if there is this callback.
 */
static void no_kick(void *context, struct regpin_vcpu *vcpu)
{
	(void)context;
	(void)vcpu;
}

int sim_open(struct sim *sim, const struct regpin_policy *policy,
	     const struct host *host)
{
	struct regpin_vm_options options = {
		.size = sizeof(options), .event = on_event, .kick = no_kick,
		.context = &sim->result,
	};
	int err;

	memset(sim, 0, sizeof(*sim));
	sim->policy = policy;
	sim_kvm_use(&sim->kvm);
	err = vm_attach(policy, host, SIM_VM_FD, &options, &sim->vm);
	if (err)
		sim_close(sim);
	return err;
}

static void free_vcpu(struct sim_vcpu *vcpu)
{
	if (!vcpu)
		return;
	if (vcpu->regpin)
		regpin_vcpu_detach(vcpu->regpin);
	free(vcpu->msrs);
	free(vcpu);
}

void sim_close(struct sim *sim)
{
	sim_kvm_use(&sim->kvm);
	for (unsigned int i = 0; i < sim->kvm.nr; i++)
		free_vcpu(sim->kvm.vcpus[i]);
	if (sim->vm)
		regpin_vm_detach(sim->vm);
	sim_kvm_use(NULL);
	memset(&sim->kvm, 0, sizeof(sim->kvm));
	sim->vm = NULL;
}

_Static_assert(TRACE_MAX_VCPU < SIM_VCPUS, "each has a place");

/* The vCPU of that number, which is created when it is first named. */
static struct sim_vcpu *get_vcpu(struct sim *sim, uint32_t n)
{
	struct sim_vcpu *vcpu = sim->kvm.vcpus[n];

	if (vcpu)
		return vcpu;
	vcpu = calloc(1, sizeof(*vcpu));
	if (!vcpu)
		return NULL;
	sim_reset(vcpu);
	vcpu->known = 0;
	sim->kvm.vcpus[n] = vcpu;
	if (n >= sim->kvm.nr)
		sim->kvm.nr = n + 1;
	if (regpin_vcpu_attach(sim->vm, SIM_VCPU_FD + (int)n, n, &vcpu->run,
			       &vcpu->regpin) || sim_set_cpuid(sim, vcpu)) {
		sim->kvm.vcpus[n] = NULL;
		free_vcpu(vcpu);
		return NULL;
	}
	return vcpu;
}

/*
 * Finds what the next poll will detect after a write that this KVM can't forward to regpin.
 * Judges as detect.c does.
 */
static void foresee(struct sim *sim, struct sim_vcpu *vcpu, unsigned int kind,
		    uint64_t old, uint64_t new)
{
	struct judged judged = {
		.policy = sim->vm->policies.now,
		.state = { .armed = true },
		.access = {
			.kind = (uint8_t)kind, .write = true, .old_value = old,
			.new_value = new,
		},
	};

	if (!atomic_load(&sim->vm->polled) ||
	    !phase_pinned(vcpu->regpin->life.phase))
		return;
	judge(judged.policy, &judged.state, &judged.access, &judged.verdict);
	if (!judged.verdict.rule)
		return;
	sim->result.polled = true;
	violation_make(vcpu->regpin, &judged, REGPIN_EVENT_DETECTED, new, 0,
		       &sim->result.would);
	sim->result.would.value = new;
}

static void do_cr(struct sim *sim, struct sim_vcpu *vcpu,
		  const struct trace_line *line)
{
	unsigned int nr = line->kind - REGPIN_CR0;
	const struct kvm_x86_cr_filter_reg *filter = &sim->kvm.crs.regs[nr];
	struct regpin_cr_write *w = regpin_cr_write(&vcpu->run);
	struct sim_result *result = &sim->result;
	uint64_t old = vcpu->crs[nr], value = line->value;
	uint64_t filtered = (old & ~value & filter->clear_mask) |
			    (~old & value & filter->set_mask);

	if (filtered) {
		vcpu->run.exit_reason = KVM_EXIT_X86_CR_WRITE;
		*w = (struct regpin_cr_write){ .error = 1, .reg = nr };
		w->old_value = old;
		w->value = value;
		w->filtered = filtered;
		sim_come_and_go(vcpu);
		result->outcome = sim_judged(sim, vcpu, w->error);
		value = w->value;
	}
	if (result->outcome < OUTCOME_DROP)
		result->no_cpu = sim_cpu_refuses(sim, vcpu, line->kind, value);
	if (result->no_cpu)
		result->outcome = OUTCOME_GP;
	if (result->outcome < OUTCOME_DROP)
		sim_set_cr(vcpu, line->kind, value);
	if (!filtered && !result->no_cpu)
		foresee(sim, vcpu, line->kind, old, value);
	result->value = vcpu->crs[nr];
	result->has_value = true;
}

/* With the CR filter KVM forwards an INIT when a SIPI has started the vCPU again. */
static void do_init(struct sim *sim, struct sim_vcpu *vcpu)
{
	struct regpin_cr_write *w = regpin_cr_write(&vcpu->run);
	uint64_t *efer = &vcpu->replayed[replay_slot(MSR_EFER)];
	uint64_t cr0 = vcpu->crs[0], cr4 = vcpu->crs[1], had = *efer;

	sim_set_cr(vcpu, REGPIN_CR0, 0x60000010);
	sim_set_cr(vcpu, REGPIN_CR4, 0);
	*efer = 0;
	vcpu->known |= SIM_KNOWS_EFER;
	if (!(sim->kvm.crs.flags & KVM_X86_CR_FILTER_EXIT_INIT))
		return;
	vcpu->run.exit_reason = KVM_EXIT_X86_CR_WRITE;
	*w = (struct regpin_cr_write){ .cause = KVM_X86_CR_CAUSE_INIT };
	w->init.cr0 = cr0;
	w->init.cr4 = cr4;
	w->init.efer = had;
	sim_come_and_go(vcpu);
	sim->result.outcome = sim_judged(sim, vcpu, false);
}

static void do_hypercall(struct sim *sim, struct sim_vcpu *vcpu)
{
	struct kvm_run *run = &vcpu->run;

	sim->result.outcome = OUTCOME_NONE;
	if (!(sim->kvm.forwards & 1 << 13))
		return;
	run->exit_reason = KVM_EXIT_HYPERCALL;
	run->hypercall.nr = HC_LOCK_CR_UPDATE;
	sim_come_and_go(vcpu);
	if (!run->hypercall.ret)
		sim->result.outcome = OUTCOME_OK;
}

/* Performs a write of the VMM. */
static int do_set(struct sim *sim, struct sim_vcpu *vcpu,
		  const struct trace_line *line)
{
	bool ok = true;

	regpin_vcpu_before_write(vcpu->regpin);
	if (line->kind == REGPIN_MSR)
		ok = sim_set_msr(vcpu, line->index, line->value);
	else
		sim_set_cr(vcpu, line->kind, line->value);
	regpin_vcpu_after_write(vcpu->regpin);
	return ok ? 0 : -ENOMEM;
}

/* Performs accesses that only a running vCPU can make. */
static int do_running(struct sim *sim, struct sim_vcpu *vcpu,
		      const struct trace_line *line)
{
	struct sim_result *result = &sim->result;
	int entry, err = 0;

	if (line->op == TRACE_LOOK)
		regpin_vcpu_tick(vcpu->regpin);
	entry = regpin_vcpu_enter(vcpu->regpin);
	if (entry != REGPIN_ENTER) {
		result->outcome = entry == REGPIN_HELD ? OUTCOME_PAUSE :
							 OUTCOME_STOP;
		return 0;
	}
	if (line->op == TRACE_INIT)
		do_init(sim, vcpu);
	else if (line->op == TRACE_HYPERCALL)
		do_hypercall(sim, vcpu);
	else if (line->op == TRACE_CR)
		do_cr(sim, vcpu, line);
	else if (line->op == TRACE_LOOK)
		result->outcome = result->violated ?
			sim_by_action(result->violation.action) : OUTCOME_OK;
	else
		err = sim_do_msr(sim, vcpu, line);
	regpin_vcpu_leave(vcpu->regpin);
	return err;
}

/* Replaces changes of bits by the value that results from the register's present one. */
static void resolve(const struct sim_vcpu *vcpu, struct trace_line *line)
{
	uint64_t old = line->kind == REGPIN_MSR ?
		sim_get_msr(vcpu, line->index) :
		vcpu->crs[line->kind - REGPIN_CR0];

	line->value = (old & ~line->clear) | line->set;
}

static int of_vcpu(struct sim *sim, const struct trace_line *line)
{
	struct sim_vcpu *vcpu = get_vcpu(sim, line->vcpu);
	struct trace_line resolved;

	if (!vcpu)
		return -ENOMEM;
	if (line->relative) {
		resolved = *line;
		resolve(vcpu, &resolved);
		line = &resolved;
	}
	if (line->op == TRACE_SET)
		return do_set(sim, vcpu, line);
	if (line->op != TRACE_ANSWER)
		return do_running(sim, vcpu, line);
	if (regpin_vcpu_answer(vcpu->regpin, (unsigned int)line->value))
		sim->result.outcome = OUTCOME_NONE;
	return 0;
}

static void do_reset(struct sim *sim)
{
	for (unsigned int i = 0; i < sim->kvm.nr; i++) {
		struct sim_vcpu *vcpu = sim->kvm.vcpus[i];

		if (!vcpu)
			continue;
		regpin_vcpu_before_write(vcpu->regpin);
		sim_reset(vcpu);
		regpin_vcpu_after_write(vcpu->regpin);
	}
}

int sim_do(struct sim *sim, const struct trace_line *line)
{
	/* Another simulation may have been used meanwhile. */
	sim_kvm_use(&sim->kvm);
	sim->result.outcome = OUTCOME_OK;
	sim->result.has_value = sim->result.violated = false;
	sim->result.polled = sim->result.answered = false;
	sim->result.no_cpu = NULL;
	sim->result.nr = 0;
	sim->result.lost = false;
	switch (line->op) {
	case TRACE_RESET:
		do_reset(sim);
		return 0;
	case TRACE_ARM:
		return regpin_vm_arm(sim->vm);
	case TRACE_DISARM:
		regpin_vm_disarm(sim->vm);
		return 0;
	case TRACE_WINDOW:
		regpin_vm_window(sim->vm, line->once);
		return 0;
	default:
		return of_vcpu(sim, line);
	}
}

uint64_t sim_holds(const struct sim *sim, uint32_t n, unsigned int kind,
		   uint32_t index)
{
	const struct sim_vcpu *vcpu = sim->kvm.vcpus[n];
	struct sim_vcpu fresh = { 0 };

	if (!vcpu) {
		sim_reset(&fresh);
		vcpu = &fresh;
	}
	return kind == REGPIN_MSR ? sim_get_msr(vcpu, index) :
				    vcpu->crs[kind - REGPIN_CR0];
}

bool sim_is_armed(const struct sim *sim, uint32_t n)
{
	const struct sim_vcpu *vcpu = sim->kvm.vcpus[n];

	return vcpu && regpin_vcpu_status(vcpu->regpin, NULL) & REGPIN_IS_ARMED;
}

bool sim_armed_ever(const struct sim *sim)
{
	return sim->result.armed;
}

bool sim_as_expected(const struct sim *sim, const struct trace_line *line)
{
	const struct sim_result *result = &sim->result;

	if (!line->expects)
		return true;
	if (line->outcome != OUTCOME_MAX)
		return result->outcome == line->outcome;
	return result->has_value && result->value == line->result;
}
