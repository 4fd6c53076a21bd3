/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* EFER as it was last seen or rightly written. */
#ifndef REGPIN_LIB_EFER_H
#define REGPIN_LIB_EFER_H

#include "types.h"

/* EFER is @efer from now on, and rightly so. */
void efer_note(struct regpin_vcpu *vcpu, uint64_t efer);

/*
 * Are bits of it gone, now that it is @efer, that only an INIT can have taken? Those of
 * rules, if each write since was seen; and of an EFER of which nothing is left, where a
 * kernel has come up with it.
 */
bool efer_lost(const struct regpin_vcpu *vcpu, uint64_t efer);

#endif
