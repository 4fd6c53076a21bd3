// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The guest's reads and writes of MSRs that regpin performs, by KVM_GET_MSRS and
 * KVM_SET_MSRS. These ioctls act for the host, which may do more than the guest, so the
 * guest's limits are checked here.
 */
#include <errno.h>

#include "core.h"
#include "lib/judge/replay.h"
#include "lib/kvm/regs.h"
#include "lib/policy/registers.h"
#include "lifecycle.h"
#include "perform.h"

/*
 * Does the write clear EFER.SVME, or all of IA32_FEATURE_CONTROL, while a nested guest
 * runs? If KVM_SET_MSRS did that, KVM would continue in L1 with L2's registers.
 */
static bool ends_nesting(const struct regpin_vcpu *vcpu, uint32_t index,
			 uint64_t old, uint64_t value)
{
	bool ends = (index == MSR_EFER && old & ~value & EFER_SVME) ||
		    (index == MSR_FEATURE_CONTROL && !value);

	return ends && vcpu_runs_l2(&vcpu->io, &vcpu->guest);
}

/*
 * Is the register the PAT of a nested guest that has its own? KVM_SET_MSRS and
 * KVM_GET_MSRS act on L1's PAT, so userspace cannot perform the access.
 */
static bool is_nested_pat(const struct regpin_vcpu *vcpu, uint32_t index)
{
	return index == MSR_PAT && atomic_load(&vcpu->vm->limits.own_pat) &&
	       vcpu_runs_l2(&vcpu->io, &vcpu->guest);
}

#define QUIRK_NESTED_SVM_SHARED_PAT	(1ull << 11)	/* Linux 7 */

void regpin_vm_disabled_quirks(struct regpin_vm *vm, __u64 quirks)
{
	if (quirks & QUIRK_NESTED_SVM_SHARED_PAT)
		atomic_store(&vm->limits.own_pat, true);
}

/* Read each time, because the VMM may set up machine checks at any time. */
static bool has_lmce(const struct regpin_vcpu *vcpu)
{
	uint64_t cap;

	return !vcpu_get_msr(&vcpu->io, MSR_MCG_CAP, &cap) && cap & MCG_LMCE_P;
}

/* Could the guest itself write @value? */
static bool may_write(struct regpin_vcpu *vcpu, const struct access *access,
		      uint64_t value)
{
	uint64_t old = access->old_value;
	bool paging = replay_needs_paging(access->index, old, value) &&
		      vcpu_paging(&vcpu->io);

	if (replay_needs_lmce(access->index, value))
		vcpu->guest.lmce = has_lmce(vcpu);
	return replay_valid(&vcpu->guest, access->index, paging, old, value) &&
	       !is_nested_pat(vcpu, access->index) &&
	       !ends_nesting(vcpu, access->index, old, value);
}

int perform_write(struct regpin_vcpu *vcpu, const struct access *access,
		  uint64_t value)
{
	int ret;

	if (!replay_is_plain(access->index) && !may_write(vcpu, access, value))
		return -EINVAL;
	ret = vcpu_set_msr(&vcpu->io, access->index, value);
	if (!ret)
		lifecycle_note_write(vcpu, access->index, value);
	return ret;
}

int perform_read(const struct regpin_vcpu *vcpu, struct access *access)
{
	if (!replay_readable(&vcpu->guest, access->index) ||
	    is_nested_pat(vcpu, access->index))
		return -EINVAL;
	return vcpu_get_msr(&vcpu->io, access->index, &access->old_value);
}

static bool is_protected(const struct regpin_vcpu *vcpu)
{
	uint64_t crs[NR_CRS];

	return !vcpu_get_crs(&vcpu->io, false, crs, NULL) || crs[0] & CR0_PE;
}

/*
 * Returns the value that KVM would store for @proposed. KVM makes SYSENTER_ESP and
 * SYSENTER_EIP canonical, by the guest's or the host's address width, depending on its
 * version. So a value that is not canonical, which no kernel writes, is written as a
 * trial, unless the guest's write would get #GP, or the old value is not @known.
 */
static uint64_t find_effective(struct regpin_vcpu *vcpu, uint32_t index,
			       bool known, uint64_t old, uint64_t proposed)
{
	uint64_t value = replay_effective(&vcpu->guest, index, old, proposed);
	uint64_t seen = value;
	int err;

	/* Without the old value, a trial could not be undone. */
	if (!known || replay_kept(index, value))
		return value;
	if (vcpu->vm->host.emulates_real_mode)
		vcpu->guest.linear_bits = is_protected(vcpu) ?
			vcpu->vm->host.linear_bits : 0;
	if (!replay_valid(&vcpu->guest, index, false, old, value))
		return value;
	if (vcpu_set_msr(&vcpu->io, index, value))
		return seen;
	vcpu_get_msr(&vcpu->io, index, &seen);
	/* Undo the trial. */
	err = vcpu_set_msr(&vcpu->io, index, old);
	if (err)
		vm_stop_for_register(vcpu, REGPIN_MSR, index, err);
	return seen;
}

int perform_preview(struct regpin_vcpu *vcpu, struct access *access,
		    uint64_t *old, uint64_t proposed)
{
	int err = 0;

	if (replay_is_plain(access->index)) {
		err = vcpu_get_msr(&vcpu->io, access->index, old);
		access->old_value = *old;
		access->new_value = proposed;
		return err;
	}
	/* Don't read what is not an MSR: it holds nothing, and older KVMs return an error. */
	if (replay_known(&vcpu->guest, access->index))
		err = vcpu_get_msr(&vcpu->io, access->index, old);
	access->old_value = replay_effective(&vcpu->guest, access->index, *old,
					     *old);
	access->new_value = find_effective(vcpu, access->index, !err, *old,
					   proposed);
	return err;
}
