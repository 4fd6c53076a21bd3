/* SPDX-License-Identifier: GPL-2.0-only */
/* The journal's fields for each type of event. */
#ifndef REGPIN_TOOL_JOURNAL_TABLE_H
#define REGPIN_TOOL_JOURNAL_TABLE_H

/**
 * struct journal_type - a type of event
 * @event: its name in the line
 * @id: MESSAGE_ID, by which the catalog explains the event; empty for an unknown event
 * @sentence: what MESSAGE begins with
 */
struct journal_type {
	const char *event;
	const char *id, *sentence;
};

/* The type with the name @event; there is one for unknown names, too. */
const struct journal_type *journal_type(const char *event);

#endif
