/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The library's status of VMs and vCPUs, as STATUS_* of handoff.h. */
#ifndef REGPIN_SHIM_STATUS_H
#define REGPIN_SHIM_STATUS_H

#include <stdint.h>

#include "regpin/regpin.h"

/* With STATUS_HELD, @held gets the event that was reported when the vCPU was held. */
uint32_t status_of_vcpu(struct regpin_vcpu *vcpu, struct regpin_event *held);
uint32_t status_of_vm(struct regpin_vm *vm);

#endif
