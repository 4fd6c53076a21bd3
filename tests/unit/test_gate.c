// SPDX-License-Identifier: GPL-2.0-only
/* The gate's table: each cell in each moment, and the reason. */
#include "cm.h"

#include "lib/vm/gate.h"
#include "regpin/event.h"

#define NONE	GATE_NO_CAUSE
#define OPENS	(GATE_FORGET | GATE_LOOK)
#define CLOSES	(GATE_NEW_LIFE | GATE_LOOK)

/* Bits for struct gate_moment. A policy has one arming, so at most one of the first two is set. */
enum { REQUEST = 1, OPERATOR = 2, FIRST = 4, NR_MOMENTS = 8 };

/* The expected step of each moment: of these cells, the first that fits. */
static const struct cell {
	uint8_t gate, event, moment, to, act, cause;
	const char *why;
} cells[] = {
	{ GATE_OPEN, GATE_ARM, 0, GATE_OPEN, GATE_LOOK, NONE,
	  "`ctl arm` twice forgets nothing" },
	{ GATE_CLOSED, GATE_ARM, 0, GATE_OPEN, OPENS, REGPIN_BY_OPERATOR,
	  "`ctl arm`" },
	{ GATE_WINDOW, GATE_ARM, 0, GATE_OPEN, OPENS, REGPIN_BY_WINDOW,
	  "the window's time is over" },
	{ GATE_OPEN, GATE_REQUEST, 0, GATE_OPEN, 0, NONE,
	  "a second request makes no vCPU look" },
	{ GATE_CLOSED, GATE_REQUEST, REQUEST, GATE_OPEN, OPENS,
	  REGPIN_BY_REQUEST, "the guest requests its pins" },
	{ GATE_CLOSED, GATE_REQUEST, 0, GATE_CLOSED, 0, NONE,
	  "the operator arms, not the guest" },
	{ GATE_WINDOW, GATE_REQUEST, 0, GATE_WINDOW, 0, NONE,
	  "a guest does not end the operator's window" },
	{ GATE_OPEN, GATE_LOADED, 0, GATE_OPEN, 0, NONE, "the gate was open" },
	{ GATE_CLOSED, GATE_LOADED, REQUEST | FIRST, GATE_OPEN, OPENS,
	  REGPIN_BY_LOAD, "a guest that had requested its pins was migrated here" },
	{ GATE_CLOSED, GATE_LOADED, 0, GATE_CLOSED, 0, NONE,
	  "a snapshot does not undo the operator's command" },
	{ GATE_WINDOW, GATE_LOADED, 0, GATE_WINDOW, 0, NONE,
	  "a snapshot does not end a window" },
	{ GATE_OPEN, GATE_KERNEL_DONE, 0, GATE_OPEN, 0, NONE,
	  "the operator has armed meanwhile" },
	{ GATE_CLOSED, GATE_KERNEL_DONE, 0, GATE_CLOSED, 0, NONE,
	  "the operator has disarmed meanwhile" },
	{ GATE_WINDOW, GATE_KERNEL_DONE, 0, GATE_OPEN, OPENS, REGPIN_BY_WINDOW,
	  "`window --once`" },
	{ GATE_OPEN, GATE_BEGIN_WINDOW, 0, GATE_WINDOW, CLOSES,
	  REGPIN_BY_WINDOW, "`ctl window`" },
	{ GATE_CLOSED, GATE_BEGIN_WINDOW, 0, GATE_WINDOW, CLOSES,
	  REGPIN_BY_WINDOW, "a window that will end armed" },
	{ GATE_WINDOW, GATE_BEGIN_WINDOW, 0, GATE_WINDOW, CLOSES,
	  REGPIN_BY_WINDOW, "the new window replaces the old one" },
	{ GATE_OPEN, GATE_DISARM, 0, GATE_CLOSED, CLOSES, REGPIN_BY_OPERATOR,
	  "`ctl disarm`" },
	{ GATE_CLOSED, GATE_DISARM, 0, GATE_CLOSED, CLOSES, REGPIN_BY_OPERATOR,
	  "`ctl disarm` twice" },
	{ GATE_WINDOW, GATE_DISARM, 0, GATE_CLOSED, CLOSES, REGPIN_BY_OPERATOR,
	  "`ctl disarm` in a window: it no longer ends by itself" },
	{ GATE_OPEN, GATE_LAST_GONE, REQUEST, GATE_CLOSED, 0, NONE,
	  "after a reset the guest must request again" },
	{ GATE_OPEN, GATE_LAST_GONE, OPERATOR, GATE_CLOSED, 0, NONE,
	  "after a reset the operator must arm again" },
	{ GATE_OPEN, GATE_LAST_GONE, 0, GATE_OPEN, 0, NONE,
	  "after a reset the next kernel arms" },
	{ GATE_CLOSED, GATE_LAST_GONE, 0, GATE_CLOSED, 0, NONE,
	  "a disarmed VM is reset" },
	{ GATE_WINDOW, GATE_LAST_GONE, 0, GATE_WINDOW, 0, NONE,
	  "a VM is reset in its window, which continues" },
};

static const struct cell *find(unsigned int gate, unsigned int event,
			       unsigned int moment)
{
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
		if (cells[i].gate == gate && cells[i].event == event &&
		    (cells[i].moment & moment) == cells[i].moment)
			return &cells[i];
	fail_msg("no cell for gate %u, event %u", gate, event);
	return NULL;
}

static void test_cells(void **context)
{
	for (unsigned int i = 0; i < NR_GATES * NR_GATE_EVENTS * NR_MOMENTS;
	     i++) {
		unsigned int gate = i / NR_MOMENTS / NR_GATE_EVENTS;
		unsigned int event = i / NR_MOMENTS % NR_GATE_EVENTS;
		unsigned int bits = i % NR_MOMENTS;
		const struct gate_moment moment = { bits & REQUEST,
						    bits & OPERATOR,
						    bits & FIRST };
		const struct cell *cell = find(gate, event, bits);
		struct gate_step step = gate_next(gate, event, &moment);

		assert_non_null(step.why);
		if (step.to != cell->to || step.act != cell->act ||
		    step.cause != cell->cause)
			fail_msg("gate %u, event %u, moment %u: %s: %u, %u, %u",
				 gate, event, bits, cell->why, step.to,
				 step.act, step.cause);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
