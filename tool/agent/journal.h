/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): an entry is one
 * datagram, or a sealed memfd if it is too large for that. Nothing here waits.
 */
#ifndef REGPIN_TOOL_JOURNAL_H
#define REGPIN_TOOL_JOURNAL_H

#include <stddef.h>

#define JOURNAL_SOCKET	"/run/systemd/journal/socket"

/* Returns a socket that is connected to the journal at @path, or a negative errno. */
int journal_connect(const char *path);

/*
 * Sends @line, a line of events of @len bytes without its line break. Returns 0 or a
 * negative errno: -EAGAIN, -ENOBUFS or -ENOMEM if it has to be sent later.
 */
int journal_send(int fd, const char *line, size_t len);

#endif
