/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What KVM answers under a given MSR filter: written from
 * Documentation/virt/kvm/api.rst, "KVM_X86_SET_MSR_FILTER", not from our own
 * filter's code, and compared with a real KVM by the live tests.
 */
#ifndef REGPIN_LIB_MODEL_H
#define REGPIN_LIB_MODEL_H

#include <stdbool.h>
#include <stdint.h>

struct kvm_msr_filter;

/* Would KVM_X86_SET_MSR_FILTER take this? Returns 0, -EINVAL or -EFAULT. */
int model_filter_check(const struct kvm_msr_filter *filter);

/* Is the guest's access allowed? @access is ACCESS_READ or ACCESS_WRITE. */
bool model_filter_allows(const struct kvm_msr_filter *filter, uint32_t index,
			 unsigned int access);

#endif
