/* SPDX-License-Identifier: GPL-2.0-only */
/* Sends one line to the other agents of this host's directory. */
#ifndef REGPIN_TOOL_MOVES_SEND_H
#define REGPIN_TOOL_MOVES_SEND_H

#include <sys/types.h>

#include "ctl/ctl_socket.h"

/*
 * Sends @line to all other agents in the directory of @own, and reads their answers, in a
 * process of its own that ends soon. Returns its id, or -1.
 */
pid_t moves_send(const struct ctl_socket *own, const char *line);

#endif
