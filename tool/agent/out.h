/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes the agent's lines to a file, a FIFO, stderr, the system's log or the journal. Nothing
 * here waits: lines that a slow reader does not take stay in a buffer, and are lost and
 * counted when that is full.
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
 * struct out - a place to which lines are written
 * @fd: the open file, or -1
 * @fifo: an O_PATH file of a named FIFO, to open it again for a new reader; otherwise -1
 * @shared: the flags of @fd are shared with other processes, so it may be blocking
 * @socket: @fd is a socket
 * @ends: @fd is a pipe, a socket or a terminal, whose reader may wait for its end
 * @journal: the path of the journal's socket, if lines are entries there; @fd is -1 while
 *	it is not open
 * @log: lines go to the system's log, each in a datagram; @fd is -1 while it is not open
 * @mid: the reader has got the first part of the buffer's first line
 * @torn: an error cut a line, so the next one begins with a line break
 * @len: bytes in @buf
 * @lost: number of lines that were lost
 * @taken: number of bytes that the reader has taken
 * @buf: whole lines; of the first one, if @mid, only the rest
 */
struct out {
	int fd, fifo;
	const char *journal;
	bool shared, socket, ends, log, mid, torn;
	size_t len;
	uint64_t lost, taken;
	char buf[OUT_SIZE];
};

/*
 * Opens the file at @path for appending, and creates it (0600) if need be. A FIFO need not
 * have a reader yet. Returns 0 or a negative errno: -ELOOP for a symbolic link, which a
 * writer of the directory could redirect.
 */
int out_open(struct out *out, const char *path);

/* Uses a copy of an fd of this process, which itself stays open and unchanged. */
void out_open_fd(struct out *out, int fd);

/*
 * Lines become entries of the journal whose socket is at @path, which must stay valid.
 * Returns 0, or a negative errno if that cannot be reached now.
 */
int out_open_journal(struct out *out, const char *path);

/*
 * Opens @path again, as out_open() does, and closes the old file. Lines that are in the
 * buffer go to the new one. Returns 0, or a negative errno: then the old file stays.
 */
int out_reopen(struct out *out, const char *path);

/* Are there lines for the journal or the log, which accepts no connection? */
bool out_is_cut_off(const struct out *out);

/* Is there room for a line of OUT_LINE_MAX bytes and for some messages? */
bool out_has_room(const struct out *out);

/* Adds one line, which ends with '\n'. If there is no room, it is lost and counted. */
void out_line(struct out *out, const char *line, size_t len);

/*
 * Writes as much as possible without waiting. Returns 0, or the negative errno of an error
 * by which lines were lost.
 */
int out_flush(struct out *out);

/* Fills @pfd to wait until more can be written. Returns the longest wait in ms, or -1. */
int out_poll(const struct out *out, struct pollfd *pfd);

/*
 * Closes @fd. From now on lines go to the system's log (syslog's socket, which journald
 * serves as well), and so do those in the buffer.
 */
void out_to_log(struct out *out);

/* Closes @fd: from now on lines are lost and counted. */
void out_close(struct out *out);

/* Empties the buffer, and counts its lines as lost. */
void out_give_up(struct out *out);

/* Empties the buffer without counting: another process may have written the lines. */
void out_discard(struct out *out);

#endif
