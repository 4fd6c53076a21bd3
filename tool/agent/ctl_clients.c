// SPDX-License-Identifier: GPL-2.0-only
/* Closing the connections of `regpin ctl`, with what belongs to them. */
#include "ctl_clients.h"
#include "ctl_proposal.h"

void ctl_drop_client(struct ctl_conn *conn)
{
	proposal_free(conn->proposal);
	conn->proposal = NULL;
	conn_close(conn);
}

void ctl_drop_clients(struct ctl *ctl)
{
	for (unsigned int i = 0; i < CTL_CLIENTS; i++)
		if (ctl->conns[i].state != CONN_FREE)
			ctl_drop_client(&ctl->conns[i]);
}
