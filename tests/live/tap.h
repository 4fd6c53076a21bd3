/* SPDX-License-Identifier: GPL-2.0-only */
/* The Test Anything Protocol, as far as meson reads it. */
#ifndef REGPIN_TESTS_LIVE_TAP_H
#define REGPIN_TESTS_LIVE_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Weak, so that all files of a program count together. */
__attribute__((weak)) unsigned int tap_count, tap_failures;

/* One test point; the text is what holds if @cond is true. */
#define ok(cond, ...) \
	tap_ok(cond, __FILE__, __LINE__, __VA_ARGS__)

static bool __attribute__((format(printf, 4, 5), unused))
tap_ok(bool cond, const char *file, int line, const char *format, ...)
{
	va_list args;

	printf("%sok %u - ", cond ? "" : "not ", ++tap_count);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	if (!cond) {
		tap_failures++;
		printf("# at %s:%d\n", file, line);
	}
	fflush(stdout);
	return cond;
}

static inline void tap_skip(const char *what, const char *reason)
{
	printf("ok %u - %s # SKIP %s\n", ++tap_count, what, reason);
}

static inline _Noreturn void tap_skip_all(const char *reason)
{
	printf("1..0 # SKIP %s\n", reason);
	exit(0);
}

static inline int tap_done(void)
{
	printf("1..%u\n", tap_count);
	return tap_failures ? 1 : 0;
}

#endif
