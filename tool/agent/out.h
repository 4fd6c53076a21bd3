/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the agent's lines go: a file, a FIFO, stderr, the system's log. Nothing
 * here waits: what a slow reader does not take stays in a buffer, and then is
 * counted as lost.
 */
#ifndef REGPIN_TOOL_OUT_H
#define REGPIN_TOOL_OUT_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OUT_SIZE	(256ul * 1024)
#define OUT_LINE_MAX	8192u

/**
 * struct out - a place for lines
 * @fd: what is written to, or -1
 * @fifo: O_PATH of a FIFO by name, to find a new reader; else -1
 * @shared: @fd's flags are other people's, so it may be blocking
 * @socket: @fd is a socket
 * @ends: @fd is a pipe, a socket or a terminal: its reader may wait for its end
 * @log: lines go to the system's log, each in a datagram; @fd may be -1 until then
 * @mid: the reader has the first part of the buffer's first line
 * @torn: a line was cut by an error, the next begins with a line break
 * @len: bytes in @buf
 * @lost: lines that were given up
 * @buf: whole lines, but for the first one if @mid
 */
struct out {
	int fd, fifo;
	bool shared, socket, ends, log, mid, torn;
	size_t len;
	uint64_t lost;
	char buf[OUT_SIZE];
};

/* Opens the file at @path for appending; it is made (0600) if need be. A FIFO
 * need not have a reader yet. Returns 0 or a negative errno: -ELOOP for a
 * symbolic link, which who may write in that directory could lead anywhere. */
int out_open(struct out *out, const char *path);

/* The same for an fd of this process, which stays open and untouched. */
void out_open_fd(struct out *out, int fd);

/* Is there room for a line of OUT_LINE_MAX bytes and for some messages? */
bool out_has_room(const struct out *out);

/* Adds one line, @line ends with '\n'. Without room it is lost, and counted. */
void out_line(struct out *out, const char *line, size_t len);

/*
 * Writes what can be written now. Returns 0, or the negative errno of an error
 * for which lines were lost.
 */
int out_flush(struct out *out);

/* Fills @pfd to wait for room. Returns the longest time to wait in ms, or -1. */
int out_poll(const struct out *out, struct pollfd *pfd);

/*
 * Lets go of @fd, and from now on lines go to the system's log (syslog's socket,
 * which journald has, too). Those in the buffer go there as well.
 */
void out_to_log(struct out *out);

/* Lets go of @fd: from now on lines are lost, and counted. */
void out_close(struct out *out);

/* Gives up what is in the buffer. */
void out_give_up(struct out *out);

/* Forgets them as well, and counts none: another process may have written them. */
void out_discard(struct out *out);

#endif
