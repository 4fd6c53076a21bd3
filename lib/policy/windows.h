/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Windows of MSRs, each of which fits into one range of KVM's filter. */
#ifndef REGPIN_LIB_WINDOWS_H
#define REGPIN_LIB_WINDOWS_H

#include <linux/kvm.h>
#include <stdint.h>

/*
 * All MSRs that CPUs and hypervisors have lie in five windows of 12,288 MSRs, the most
 * that one bitmap of KVM's filter holds. Reads and writes need a range each: ten ranges.
 */
#define FILTER_WINDOW		(KVM_MSR_FILTER_MAX_BITMAP_SIZE * 8)
#define FILTER_NR_WINDOWS	5
extern const uint32_t filter_windows[FILTER_NR_WINDOWS];

/* The window that holds @index, or -1. */
int filter_window_of(uint32_t index);

#endif
