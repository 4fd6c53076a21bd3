/* SPDX-License-Identifier: GPL-2.0-only */
/* The input of `regpin sim`, line by line. */
#ifndef REGPIN_TOOL_SIM_INPUT_H
#define REGPIN_TOOL_SIM_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INPUT_SIZE	(1u << 20)

/**
 * struct input - the trace or the log that is read
 * @name: its name for messages
 * @fd: the open file
 * @error: errno of a read that failed
 * @over: the end of the file was reached
 * @cut: the line that was taken last was cut, and continues
 * @at: the next byte in @buf that has not been taken
 * @end: the end of the bytes in @buf
 * @line: number of the line that was taken last
 * @buf: bytes that have been read
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
 * Takes the next line; the last one may have no line break. A line that is longer than
 * TRACE_MAX_LINE is cut somewhere after that length. Returns the length, or 0 at the end.
 */
size_t input_take(struct input *input, char **line);

#endif
