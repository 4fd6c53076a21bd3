/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The windows of MSRs that KVM's filter can hold whole. */
#ifndef REGPIN_LIB_WINDOWS_H
#define REGPIN_LIB_WINDOWS_H

#include <linux/kvm.h>
#include <stdint.h>

/*
 * All MSRs that there are lie in five windows of 12,288, which is also the most
 * that one of KVM's bitmaps holds. Reads and writes apart, that is ten ranges.
 */
#define FILTER_WINDOW		(KVM_MSR_FILTER_MAX_BITMAP_SIZE * 8)
#define FILTER_NR_WINDOWS	5
extern const uint32_t filter_windows[FILTER_NR_WINDOWS];

/* The window that holds @index, or -1. */
int filter_window_of(uint32_t index);

#endif
