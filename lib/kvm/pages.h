/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory, where malloc() must not be called. */
#ifndef REGPIN_LIB_PAGES_H
#define REGPIN_LIB_PAGES_H

#include <stddef.h>

/* Zeroed pages, or NULL: the shim must not call malloc() where the VMM calls ioctl(). */
void *pages_alloc(size_t size);

/* Gives them back; @size as for pages_alloc(). NULL is no pages. */
void pages_free(void *pages, size_t size);

#endif
