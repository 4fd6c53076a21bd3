// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A vCPU under a policy: attach and detach, CPUID, the VMM's writes. exit.c has the
 * exits.
 */
#include <errno.h>
#include <string.h>

#include "accept.h"
#include "core.h"
#include "floor.h"
#include "in_force.h"
#include "lib/judge/judge.h"
#include "lib/kvm/pages.h"
#include "lib/kvm/regs.h"
#include "lib/policy/guest.h"
#include "lib/policy/policy.h"
#include "lib/policy/registers.h"
#include "lifecycle.h"
#include "phase.h"
#include "types.h"
#include "violation.h"

/*
 * Clears features that KVM does not offer: KVM refuses their registers, whatever CPUID
 * offers. Older KVMs check CPUID alone, so there such a guest gets a #GP that KVM would
 * not have raised.
 */
static void limit_guest(const struct regpin_vcpu *vcpu, struct guest *guest)
{
	const struct guest *offers = &vcpu->vm->host.offers;

	guest->tsc_aux &= offers->tsc_aux;
	guest->feature_control &= offers->feature_control;
}

int regpin_vcpu_attach(struct regpin_vm *vm, int vcpu_fd, __u32 id,
		       struct kvm_run *run, struct regpin_vcpu **ret)
{
	struct regpin_vcpu *vcpu = pages_alloc(sizeof(*vcpu));

	if (!vcpu)
		return -ENOMEM;
	vcpu->vm = vm;
	vcpu->io.fd = vcpu_fd;
	vcpu->id = id;
	vcpu->io.run = run;
	vcpu->writes.state = VMM_WROTE;
	vcpu->hold.ticket = REGPIN_ACTION_MAX;
	vcpu->life.vm_life = atomic_load(&vm->gate.life);
	vcpu->detect.audited_swaps = atomic_load(&vm->policies.swaps);
	vcpu_alert(vcpu);
	vcpu->guest.linear_bits = vm->host.linear_bits;
	guest_from_cpuid(&vcpu->guest, NULL);
	limit_guest(vcpu, &vcpu->guest);
	vm_add_vcpu(vm, vcpu);
	*ret = vcpu;
	return 0;
}

void regpin_vcpu_detach(struct regpin_vcpu *vcpu)
{
	struct regpin_vm *vm = vcpu ? vcpu->vm : NULL;

	if (!vcpu)
		return;
	vm_get_policy(vm);
	lifecycle_drop_vcpu(vcpu);
	vm_del_vcpu(vcpu);
	vm_put_policy(vm);
	pages_free(vcpu, sizeof(*vcpu));
}

/*
 * Does KVM keep all bits of a register, or only the low half? That depends on KVM's vendor
 * module and on the guest's CPUID, so a write shows it. If the old value cannot be
 * restored, stops the VM.
 */
static void probe_width(struct regpin_vcpu *vcpu, uint32_t index,
			uint64_t *bits)
{
	const uint64_t probe = 0xffffffff80000000ull;
	uint64_t old = 0, seen = 0;
	int err;

	if (vcpu_get_msr(&vcpu->io, index, &old) ||
	    vcpu_set_msr(&vcpu->io, index, probe))
		return;
	if (!vcpu_get_msr(&vcpu->io, index, &seen))
		*bits = seen == probe ? ~0ull : 0xffffffffull;
	err = vcpu_set_msr(&vcpu->io, index, old);
	if (err)
		vm_stop_for_register(vcpu, REGPIN_MSR, index, err);
}

int regpin_vcpu_set_cpuid(struct regpin_vcpu *vcpu,
			  const struct kvm_cpuid2 *cpuid)
{
	struct guest guest = vcpu->guest;
	uint32_t accepted;
	int err;

	guest_from_cpuid(&guest, cpuid);
	limit_guest(vcpu, &guest);
	err = in_force_set_guest(vcpu->vm, vcpu, &guest, &accepted);
	if (err)
		return err;
	/* Even if no rule needs it now: a later policy may, while the guest runs. */
	probe_width(vcpu, MSR_SYSENTER_EIP, &vcpu->guest.sysenter);
	probe_width(vcpu, MSR_SYSENTER_CS, &vcpu->guest.sysenter_cs);
	if (vcpu->guest.svm)
		err = vm_allow_or_refuse(vcpu->vm, vcpu, accepted,
					 REGPIN_REFUSED_SVM);
	if (!err && vcpu->guest.vmx)
		err = vm_allow_or_refuse(vcpu->vm, vcpu, accepted,
					 REGPIN_REFUSED_VMX);
	if (!err && vcpu->guest.fred)
		err = vm_allow_or_refuse(vcpu->vm, vcpu, accepted,
					 REGPIN_REFUSED_FRED);
	return err;
}

/*
 * Does the vCPU have a state that a write by the VMM could end? That includes the
 * progress of an unarmed vCPU's set-up, which a reset must clear.
 */
static bool has_state(const struct regpin_vcpu *vcpu)
{
	return vcpu->life.phase != PHASE_OFF || vcpu->end.reports_stop ||
	       vcpu->end.in_shutdown || vcpu->hold.why != HOLD_NOT;
}

void regpin_vcpu_before_write(struct regpin_vcpu *vcpu)
{
	vcpu->writes.before.valid = false;
	if (has_state(vcpu))
		vcpu_snapshot(&vcpu->io, &vcpu->writes.before);
}

/* Reports each pin that the VMM's write of one register violated. */
static void compare_register(struct regpin_vcpu *vcpu,
			     const struct regpin_policy *policy,
			     unsigned int kind, uint32_t index, uint64_t before,
			     uint64_t after)
{
	struct access access = {
		.kind = (uint8_t)kind, .write = true, .index = index,
		.old_value = before, .new_value = after,
	};
	const struct rule *rule;
	struct judge_state state;
	uint32_t at = 0;
	uint64_t bits;

	if (before == after)
		return;
	floor_judge_state(vcpu, &access, &state);
	while ((rule = judge_next(policy, &state, &access, &at, &bits))) {
		/* The VMM is never refused; what it wrote stands. */
		const struct judged judged = {
			.policy = policy, .access = access,
			.verdict = {
				.action = REGPIN_ALLOW, .rule = rule, .bits = bits,
				.value = after,
			},
		};
		struct regpin_event event;

		if (!rule_is_on_values(rule) || rule->type == RULE_REQUIRE)
			continue;
		violation_make(vcpu, &judged, REGPIN_EVENT_VMM_WRITE, after, 0,
			       &event);
		vm_send_event(vcpu->vm, vcpu, &event);
	}
}

static void compare_registers(struct regpin_vcpu *vcpu,
			      const struct snapshot *after)
{
	const struct regpin_policy *policy = vcpu->vm->policies.now;
	uint64_t efer = after->msrs[replay_slot(MSR_EFER)] & ~EFER_LMA;
	uint64_t changed = efer ^ vcpu->writes.before.msrs[replay_slot(MSR_EFER)];
	/* A register that could not be read is not compared. */
	uint32_t unread = vcpu->writes.before.unread | after->unread;

	for (int i = 0; i < NR_REPLAY; i++)
		if (!(unread & snapshot_bit(REGPIN_MSR, i)))
			compare_register(vcpu, policy, REGPIN_MSR,
					 replay_registers[i],
					 vcpu->writes.before.msrs[i],
					 after->msrs[i]);
	for (unsigned int i = 0; i < NR_CRS; i++)
		if (!(unread & snapshot_bit(REGPIN_CR0 + i, 0)))
			compare_register(vcpu, policy, REGPIN_CR0 + i, 0,
					 vcpu->writes.before.crs[i],
					 after->crs[i]);
	/*
	 * A poll must not report what the VMM has changed. But a poll must still find
	 * what the guest had changed before, even if the VMM has read and written it
	 * back.
	 */
	for (int i = 0; i < NR_CRS; i++) {
		uint64_t by_vmm = vcpu->writes.before.crs[i] ^ after->crs[i];

		vcpu->detect.seen[i] = (vcpu->detect.seen[i] & ~by_vmm) |
				(after->crs[i] & by_vmm);
	}
	vcpu->detect.efer = (vcpu->detect.efer & ~changed) | (efer & changed);
}

static bool has_changed(const struct snapshot *before,
			const struct snapshot *after)
{
	return memcmp(before->crs, after->crs, sizeof(after->crs)) != 0 ||
	       memcmp(before->msrs, after->msrs, sizeof(after->msrs)) != 0;
}

static void handle_write(struct regpin_vcpu *vcpu)
{
	const struct snapshot *before = &vcpu->writes.before;
	struct vmm_moment moment = { .past = before->valid };
	struct snapshot after = { 0 };

	if (moment.past) {
		vcpu_snapshot(&vcpu->io, &after);
		moment.reset = lifecycle_handle_reset(vcpu, before, &after);
		moment.was_on = before->crs[0] & CR0_PG;
		moment.is_on = after.crs[0] & CR0_PG;
		moment.pinned = phase_pinned(vcpu->life.phase);
		moment.changed = has_changed(before, &after);
	}
	switch (lifecycle_step_vmm(vcpu, VMM_WRITTEN, &moment)) {
	case VMM_LOAD:
		lifecycle_note_load(vcpu);
		break;
	case VMM_COMPARE:
		compare_registers(vcpu, &after);
		break;
	default:
		break;
	}
}

void regpin_vcpu_after_write(struct regpin_vcpu *vcpu)
{
	lifecycle_step_vmm(vcpu, VMM_UNSEEN, NULL);
	vcpu_alert(vcpu);
	/* Keep the policy until the end: a swap waits for vCPUs, not for other threads. */
	vm_get_policy(vcpu->vm);
	if (vcpu->vm->filters.msrs_wanted)
		handle_write(vcpu);
	vm_put_policy(vcpu->vm);
}
