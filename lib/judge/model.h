/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A model of KVM's MSR filter. It is written from Documentation/virt/kvm/api.rst,
 * "KVM_X86_SET_MSR_FILTER", and not from msr_filter.c, so that the two can be compared;
 * the live tests compare it with a real KVM.
 */
#ifndef REGPIN_LIB_MODEL_H
#define REGPIN_LIB_MODEL_H

#include <stdbool.h>
#include <stdint.h>

struct kvm_msr_filter;

/* The result of KVM_X86_SET_MSR_FILTER for @filter: 0, -EINVAL or -EFAULT. */
int model_filter_check(const struct kvm_msr_filter *filter);

/* Does @filter allow the guest's access? @access is ACCESS_READ or ACCESS_WRITE. */
bool model_filter_allows(const struct kvm_msr_filter *filter, uint32_t index,
			 unsigned int access);

#endif
