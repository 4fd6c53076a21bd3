// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clears CR0.PG in the only way that works: from a 32-bit code segment, at an address that
 * is mapped to itself. Without paging, the code writes to a read-only page by its physical
 * address, and returns.
 */
#include <asm/processor-flags.h>
#include <asm/rwonce.h>
#include "access.h"
#include "entry.h"
#include "landing.h"
#include "low.h"
#include "low_code.h"
#include "unpaged.h"

void attack_unpaged(const struct attack *attack, struct attempt *a)
{
	struct low_params *params = low_prepare();
	u64 before = precious;

	a->old = a->seen = read_register(REG_CR0);
	a->new = wanted(attack, a->old);
	a->mark = NOT_SEEN;
	/* With CR4.PCIDE set, PG can't be cleared, and a policy may not allow clearing PCIDE. */
	if (!params || read_register(REG_CR4) & X86_CR4_PCIDE)
		return;
	params->cr0 = a->new;
	params->back = (unsigned long)unpaged_back;
	a->rip = low_address(low_pg_off);
	landing = (struct landing){
		.at = a->rip, .resume = (unsigned long)unpaged_back,
	};
	unpaged_step(low_address(low_unpaged), params->cr3);
	a->fault = landing.fault;
	landing = (struct landing){};
	if (READ_ONCE(precious) != before) {
		a->mark = SEEN;
		a->seen = a->new;
	}
}
