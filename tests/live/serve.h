/* SPDX-License-Identifier: GPL-2.0-only */
/* An agent that only hands over the files, for tests of the shim without `regpin run`. */
#ifndef REGPIN_TESTS_LIVE_SERVE_H
#define REGPIN_TESTS_LIVE_SERVE_H

#include "handoff.h"

/**
 * struct served - what it hands over
 * @files: the blob, struct control, struct handoff; -1: none
 * @version: the version that it sends
 * @word: its answer to a process that asks
 */
struct served {
	int files[HANDOFF_FILES];
	uint32_t version;
	enum handoff_word word;
};

/*
 * Fills @files with a valid struct control and struct handoff, and sets @version and
 * @word.
 */
void serve_prepare(struct served *served, int blob);

/* Begins to listen, sets HANDOFF_ENV, and returns the socket. */
int serve_listen(void);

/* Serves all connections, forever. */
_Noreturn void serve(int socket, const struct served *served);

#endif
