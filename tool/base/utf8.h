/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef REGPIN_TOOL_UTF8_H
#define REGPIN_TOOL_UTF8_H

#include <stddef.h>
#include <stdint.h>

/*
 * Decodes the character at @text, of @size > 0 bytes. Returns its length, or 0 if it is not
 * UTF-8 (overlong, a surrogate, or cut off).
 */
size_t utf8_decode(const char *text, size_t size, uint32_t *character);

#endif
