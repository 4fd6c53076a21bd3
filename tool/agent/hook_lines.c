// SPDX-License-Identifier: GPL-2.0-only
/*
 * The number and the bytes of the lines are one word, so that a standby that takes over finds
 * whole lines only, at whatever moment the agent died.
 */
#include <string.h>

#include "hook_lines.h"

#define NR_SHIFT	32	/* of the number of lines in @fill */

uint64_t hook_lines(const struct hook_page *page)
{
	return atomic_load(&page->fill) >> NR_SHIFT;
}

size_t hook_bytes(const struct hook_page *page)
{
	return (uint32_t)atomic_load(&page->fill);
}

void hook_add(struct hook *hook, const char *line, size_t len)
{
	struct hook_page *page = hook->page;
	size_t used;

	if (!page)
		return;
	used = hook_bytes(page);
	if (hook_lines(page) >= HOOK_LINES + hook->closing ||
	    used + len > sizeof(page->lines)) {
		atomic_fetch_add(&page->more, 1);
		return;
	}
	memcpy(page->lines + used, line, len);
	atomic_fetch_add(&page->fill, (1ull << NR_SHIFT) + len);
}

void hook_forget_lines(struct hook_page *page)
{
	atomic_store(&page->fill, 0);
	atomic_store(&page->more, 0);
}
