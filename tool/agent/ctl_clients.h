/* SPDX-License-Identifier: GPL-2.0-only */
/* Closing the connections of `regpin ctl`, with what belongs to them. */
#ifndef REGPIN_TOOL_CTL_CLIENTS_H
#define REGPIN_TOOL_CTL_CLIENTS_H

#include "ctl_state.h"

/* Closes a connection and frees its proposal. */
void ctl_drop_client(struct ctl_conn *conn);

/* Closes all connections. */
void ctl_drop_clients(struct ctl *ctl);

#endif
