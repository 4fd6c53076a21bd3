/* SPDX-License-Identifier: GPL-2.0-only */
/* Answers to requests. */
#ifndef REGPIN_TOOL_CTL_ANSWER_H
#define REGPIN_TOOL_CTL_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl_state.h"

/*
 * Carries out requests of @conn, and adds lines of answers while there is room for them.
 * Returns true if anything was done.
 */
bool ctl_answer(struct ctl *ctl, struct ctl_conn *conn, uint64_t now);

#endif
