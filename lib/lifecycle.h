/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * When the pins of a vCPU hold: arming, the end of the syscall set-up, reset.
 */
#ifndef REGPIN_LIB_LIFECYCLE_H
#define REGPIN_LIB_LIFECYCLE_H

#include "judge.h"
#include "vm.h"

/* What the judge needs to know about @vcpu for @access to an MSR. */
struct state lifecycle_state(const struct regpin_vcpu *vcpu,
			     const struct access *access);

/* The guest's write of @value to MSR @index has been performed. */
void lifecycle_written(struct regpin_vcpu *vcpu, uint32_t index,
		       uint64_t value);

/* The vCPU goes away: it doesn't keep its VM armed. */
void lifecycle_gone(struct regpin_vcpu *vcpu);

/* The VMM wrote registers: arms a vCPU that was loaded in an armed state. */
void lifecycle_look(struct regpin_vcpu *vcpu);

/* The VMM wrote registers of a vCPU that was not armed, or is being loaded. */
void lifecycle_loaded(struct regpin_vcpu *vcpu);

/* Was the VMM's write a reset? If so, disarms and returns true. */
bool lifecycle_reset(struct regpin_vcpu *vcpu, const struct snapshot *before,
		     const struct snapshot *after);

#endif
