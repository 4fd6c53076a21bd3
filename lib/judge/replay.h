/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Performing a deflected WRMSR for the guest. KVM does not do it, and
 * KVM_SET_MSRS writes as the host, for whom guest-only checks are skipped. So
 * each register that can be replayed has a validator of what the guest itself
 * could have written, and the live tests compare both, result by result.
 */
#ifndef REGPIN_LIB_REPLAY_H
#define REGPIN_LIB_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/policy/guest.h"




/* What a guest's write of @new_value leaves in the register: some bits ignore it. */
uint64_t replay_effective(const struct guest *guest, uint32_t index,
			  uint64_t old_value, uint64_t new_value);

/* Is it an MSR at all, for guests on this KVM? */
bool replay_known(const struct guest *guest, uint32_t index);

/* Could the guest itself read the register? KVM_GET_MSRS reads as the host. */
bool replay_readable(const struct guest *guest, uint32_t index);

/* Does KVM keep @value as it is? If not, only KVM knows what it keeps. */
bool replay_kept(uint32_t index, uint64_t value);

/*
 * Could the guest itself have written @new_value, as far as KVM_SET_MSRS would
 * not refuse it anyway? @paging is the guest's CR0.PG.
 */
bool replay_valid(const struct guest *guest, uint32_t index, bool paging,
		  uint64_t old_value, uint64_t new_value);

/* Does replay_valid() for this write depend on CR0.PG? */
bool replay_needs_paging(uint32_t index, uint64_t old_value,
			 uint64_t new_value);

/* And on whether the guest has LMCE? */
bool replay_needs_lmce(uint32_t index, uint64_t new_value);

#endif
