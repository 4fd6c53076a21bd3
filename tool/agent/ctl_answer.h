/* SPDX-License-Identifier: GPL-2.0-only */
/* What each request is answered with. */
#ifndef REGPIN_TOOL_CTL_ANSWER_H
#define REGPIN_TOOL_CTL_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl_state.h"

/*
 * Does what @conn asks for, or what there is now room for. Returns true if that was
 * anything.
 */
bool ctl_answer(struct ctl *ctl, struct ctl_conn *conn, uint64_t now);

#endif
