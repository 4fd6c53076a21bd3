/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The last EFER that was read or that the policy allowed, by which an INIT is detected. */
#ifndef REGPIN_LIB_EFER_H
#define REGPIN_LIB_EFER_H

#include "types.h"

/* Notes that EFER is @efer, and that no rule forbids it. */
void efer_note(struct regpin_vcpu *vcpu, uint64_t efer);

/*
 * EFER is now @efer. Have bits been cleared that only an INIT can clear? These are the
 * bits that rules pin, if every write since was judged; and all bits, if EFER is 0 although
 * the vCPU's kernel has finished its set-up.
 */
bool efer_lost(const struct regpin_vcpu *vcpu, uint64_t efer);

#endif
