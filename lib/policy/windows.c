// SPDX-License-Identifier: LGPL-2.1-or-later
/* Windows of MSRs, each of which fits into one range of KVM's filter. */
#include "windows.h"

const uint32_t filter_windows[FILTER_NR_WINDOWS] = {
	0x00000000, 0x40000000, 0x4b564d00, 0xc0000000, 0xc0010000,
};

int filter_window_of(uint32_t index)
{
	for (int i = 0; i < FILTER_NR_WINDOWS; i++)
		if (index - filter_windows[i] < FILTER_WINDOW)
			return i;
	return -1;
}
