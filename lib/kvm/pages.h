/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory for code that must not call malloc(). */
#ifndef REGPIN_LIB_PAGES_H
#define REGPIN_LIB_PAGES_H

#include <stddef.h>

/*
 * @size bytes of zeroed pages, owned by the caller until pages_free(), or NULL. The shim
 * runs inside the VMM's ioctl(), where it must not call malloc().
 */
void *pages_alloc(size_t size);

/* Frees @pages; @size as for pages_alloc(). @pages may be NULL. */
void pages_free(void *pages, size_t size);

#endif
