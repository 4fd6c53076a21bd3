// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of a vCPU, derived from regpin-policy(5) and from what happens, without
 * asking regpin. The one exception is the reference for the floor, which regpin reads
 * at times of its own choice.
 */
#include "believe.h"
#include "lib/kvm/regs.h"
#include "lib/policy/registers.h"
#include "lib/vm/types.h"

#define PAT_RESET	0x0007040600070406ull

bool believe_get(struct life *life, uint32_t vcpu, uint32_t index,
		 uint64_t *value)
{
	return !tiny_get_msr(&life->vcpus[vcpu], index, value);
}

static uint64_t known_msr(struct life *life, const struct step *step,
			  uint32_t index, bool before)
{
	uint64_t value = 0;

	if (before && index == step->index && step->known)
		return step->before;
	believe_get(life, step->vcpu, index, &value);
	return value;
}

/*
 * The vCPU's syscall set-up is done: its values become those that others need and that
 * it must keep.
 */
static void finish(struct life *life, const struct step *step, bool before)
{
	struct moment *now = &life->now[step->vcpu];

	if (now->done)
		return;
	now->done = true;
	for (int i = 0; i < NR_REPLAY; i++) {
		uint64_t value = known_msr(life, step, replay_registers[i],
					   before);

		life->once[step->vcpu][i] = value;
		if (life->settled)
			continue;
		life->common[i] = value;
		life->common_known[i] = replay_registers[i] != MSR_PAT ||
					value != PAT_RESET;
	}
	life->settled = true;
}

/*
 * Is the set-up of the vCPU complete, by what it has written or by what its registers hold?
 */
static bool is_through(struct life *life, const struct step *step)
{
	uint32_t n = step->vcpu;

	if (!known_msr(life, step, MSR_LSTAR, true))
		return false;
	return life->masked[n] || known_msr(life, step, MSR_SFMASK, true);
}

/*
 * Applies the event that armed the vCPU before the access: that access is then judged as
 * one of an armed vCPU.
 */
void moment_before(struct life *life, const struct step *step)
{
	for (unsigned int i = 0; i < step->nr_events; i++) {
		const struct regpin_event *e = &step->events[i];

		if (e->type != REGPIN_EVENT_ARMED ||
		    e->detail == REGPIN_BY_SYSCALL_ENTRY)
			continue;
		life->now[e->vcpu].armed = true;
		if (is_through(life, step))
			finish(life, step, true);
	}
}

void moment_take(struct life *life, struct step *step)
{
	int slot = replay_slot(step->index);

	moment_before(life, step);
	step->moment = life->now[step->vcpu];
	step->moment.beside = life->now[!step->vcpu].armed;
	step->moment.settled = life->settled;
	step->moment.paging = life->mode == TINY_LONG;
	step->moment.floor = life->vm.regpin->values.first_protections.efer;
	if (slot < 0)
		return;
	step->moment.common = life->common[slot];
	step->moment.no_common = !life->common_known[slot];
	step->moment.once = life->once[step->vcpu][slot];
}

/* Do the events show that the write was performed? */
static bool performed(const struct step *step)
{
	for (unsigned int i = 0; i < step->nr_events; i++)
		if (step->events[i].type == REGPIN_EVENT_VIOLATION &&
		    step->events[i].action >= REGPIN_DROP)
			return false;
	return step->op == TRACE_WRMSR && !step->fate &&
	       step->refusal == TRACE_TAKEN;
}

/*
 * A set-up consists of two writes, in any order. After both, a write of LSTAR begins the
 * set-up of another kernel, while the registers still hold the first kernel's values.
 */
static void note_write(struct life *life, const struct step *step)
{
	uint32_t n = step->vcpu;

	if (life->now[n].done)
		return;
	if (step->index == MSR_SFMASK) {
		life->masked[n] = true;
	} else if (step->index == MSR_LSTAR) {
		if (step->after && life->entered[n] && life->masked[n]) {
			life->masked[n] = false;
			life->strange = true;
		}
		life->entered[n] = step->after;
	}
}

/* regpin-policy(5): arming, and when a syscall set-up is done. */
void moment_after(struct life *life, const struct step *step)
{
	struct moment *now = &life->now[step->vcpu];
	int pat = replay_slot(MSR_PAT);

	if (!performed(step))
		return;
	if (step->index == MSR_PAT && life->settled &&
	    !life->common_known[pat] && step->after != PAT_RESET) {
		life->common[pat] = step->after;
		life->common_known[pat] = true;
	}
	for (unsigned int i = 0; i < step->nr_events; i++)
		if (step->events[i].type == REGPIN_EVENT_ARMED)
			now->armed = true;
	note_write(life, step);
	if (!now->armed || !known_msr(life, step, MSR_LSTAR, false))
		return;
	if (step->index == MSR_SFMASK ||
	    (step->index == MSR_LSTAR && life->masked[step->vcpu]))
		finish(life, step, false);
}
