/* SPDX-License-Identifier: GPL-2.0-only */
/* cmocka.h needs these headers to be included first. */
#ifndef REGPIN_TESTS_UNIT_CM_H
#define REGPIN_TESTS_UNIT_CM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
