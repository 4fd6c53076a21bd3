/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages of `run` before it becomes the VMM. If stderr is for events, each line that it
 * prints there is an event `message`: no reader of events gets plain text from it.
 */
#ifndef REGPIN_TOOL_LAUNCH_MESSAGES_H
#define REGPIN_TOOL_LAUNCH_MESSAGES_H

#include "event/event_parts.h"
#include "launch_state.h"
#include "sink.h"

/* Bytes of one message. Each of them can become six in JSON. */
#define LAUNCH_TEXT_MAX	(EVENT_BODY_MAX / 6 - 128)

/*
 * Sets @launch->events_only. If that is true, all that this process prints on stderr from now
 * on becomes events. Returns 0 or an exit code.
 */
int launch_messages_begin(struct launch *launch, const struct sink *sink);

/* The VM's name: that of --name, or the process id. */
void launch_vm_name(const struct launch *launch, char name[CTL_NAME_MAX]);

#endif
