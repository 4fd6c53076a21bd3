/* SPDX-License-Identifier: GPL-2.0-only */
/* The shim's record of fds; and functions for the tests of a VMM under the shim. */
#ifndef REGPIN_TESTS_VMM_FDS_H
#define REGPIN_TESTS_VMM_FDS_H

#include "regpin/event.h"
#include "shim/handoff.h"
#include "tiny.h"

#define EFER_ON		0xd01ull
#define EFER_NX_OFF	0x501ull

/* The shim's memory, whose events the test reads. */
extern struct handoff *handoff;

/* The number of events of @type since the last call, and in *@last, if given, the last. */
unsigned int events_of(unsigned int type, struct regpin_event *last);

/* Sets the vCPU's syscall entry up, as a kernel does. */
void boot(struct tiny_vcpu *vcpu);

void test_fds(void);

#endif
