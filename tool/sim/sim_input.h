/* SPDX-License-Identifier: GPL-2.0-only */
/* What `regpin sim` reads, line by line. */
#ifndef REGPIN_TOOL_SIM_INPUT_H
#define REGPIN_TOOL_SIM_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INPUT_SIZE	(1u << 20)

/**
 * struct input - the trace or the log, as it is read
 * @name: for messages
 * @fd: what it is read from
 * @error: errno of a read that failed
 * @over: there is no more to be read
 * @cut: the line that was taken last goes on
 * @at: what is read and not taken yet
 * @end: where that ends
 * @line: number of the line that was taken last
 * @buf: where it is
 */
struct input {
	const char *name;
	int fd, error;
	bool over, cut;
	char *at, *end;
	uint64_t line;
	char buf[INPUT_SIZE];
};

/* Opens @name, - for standard input. Returns 0, or -1 with errno set. */
int input_open(struct input *input, const char *name);
void input_close(struct input *input);

/*
 * The next line, which may be without an end if it is the last one. Of one that is
 * longer than TRACE_MAX_LINE some more than these bytes come, and the rest is dropped.
 * Returns its length, or 0 at the end.
 */
size_t input_take(struct input *input, char **line);

#endif
