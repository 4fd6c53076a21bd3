/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Replay: performing a filtered WRMSR for the guest. KVM does not perform it, and
 * KVM_SET_MSRS writes as the host, for which KVM skips the checks that are only for
 * guests. So each register that can be replayed has a validator of what the guest itself
 * could have written, and the live tests compare each result with KVM's.
 */
#ifndef REGPIN_LIB_REPLAY_H
#define REGPIN_LIB_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/policy/guest.h"
#include "lib/policy/registers.h"

/*
 * Does the register exist for every guest, and hold any value that is written to it as it
 * is, as far as the functions below can know? True of the syscall MSRs, which guests write
 * most: for these, no other function needs to be called.
 */
static inline bool replay_is_plain(uint32_t index)
{
	return index - MSR_STAR <= MSR_SFMASK - MSR_STAR;
}

/* The register's value after the guest's write of @new_value: some bits ignore it. */
uint64_t replay_effective(const struct guest *guest, uint32_t index,
			  uint64_t old_value, uint64_t new_value);

/* Does this KVM have MSR @index for this guest? */
bool replay_known(const struct guest *guest, uint32_t index);

/* Could the guest itself read the register? KVM_GET_MSRS reads as the host instead. */
bool replay_readable(const struct guest *guest, uint32_t index);

/* Does the register hold @value after a write of @value? If not, only KVM knows the value. */
bool replay_kept(uint32_t index, uint64_t value);

/*
 * Could the guest itself have written @new_value? Checks only what KVM_SET_MSRS does not
 * check for the host. @paging is the guest's CR0.PG.
 */
bool replay_valid(const struct guest *guest, uint32_t index, bool paging,
		  uint64_t old_value, uint64_t new_value);

/* Does replay_valid() for this write depend on CR0.PG? */
bool replay_needs_paging(uint32_t index, uint64_t old_value,
			 uint64_t new_value);

/* Does replay_valid() for this write depend on @guest->lmce, which the caller must fill in? */
bool replay_needs_lmce(uint32_t index, uint64_t new_value);

#endif
