// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life cycle's table: what each cell must be, and the reason; no cell is undefined,
 * no row is dead; and the table is equivalent to seven flags, see phase_flags.h.
 */
#include "cm.h"
#include "lib/vm/phase.h"
#include "phase_cells.h"
#include "phase_flags.h"

#include <stdio.h>


#define NR_MOMENTS		128

#define NR_CELLS	(sizeof(cells) / sizeof(cells[0]))

static struct phase_moment moment_of(unsigned int bits)
{
	return (struct phase_moment){
		.open = bits & IF_OPEN, .once = bits & IF_ONCE,
		.start = bits & IF_START, .lstar = bits & IF_LSTAR,
		.sfmask = bits & IF_SFMASK, .other = bits & IF_OTHER,
		.own_regs = bits & IF_OWN_REGS,
	};
}

/* A gate is not open while it waits for one kernel. */
static bool possible(unsigned int bits)
{
	return !(bits & IF_OPEN && bits & IF_ONCE);
}

static const char *name(unsigned int phase)
{
	static char texts[4][64];
	static unsigned int at;
	char *text = texts[at++ % 4];

	snprintf(text, sizeof(texts[0]), "%s, %s",
		 phase_pinnings[phase_pinning(phase)],
		 phase_progresses[phase_progress(phase)]);
	return text;
}

static void check_cell(const struct cell *cell, unsigned int phase,
		       unsigned int bits)
{
	unsigned int pinning = cell->pinning == AS_IS ? phase_pinning(phase) :
							cell->pinning;
	unsigned int progress = cell->progress == AS_IS ?
		phase_progress(phase) : cell->progress;
	struct phase_moment moment = moment_of(bits);
	struct phase_step step = phase_next(phase, cell->event, &moment);

	if (step.to == PHASE(pinning, progress) && step.act == cell->act)
		return;
	print_message("# %s in %s, moment %#x: %s\n# it became %s with %#x, "
		      "not %s with %#x\n", phase_happenings[cell->event],
		      name(phase), bits, cell->why, name(step.to), step.act,
		      name(PHASE(pinning, progress)), cell->act);
	fail();
}

static void test_cells(void **context)
{
	bool met[NR_PHASES][NR_HAPPENINGS] = { 0 };

	for (size_t i = 0; i < NR_CELLS; i++) {
		const struct cell *cell = &cells[i];

		assert_true(*cell->why);
		for (unsigned int phase = 0; phase < NR_PHASES; phase++) {
			if (!(cell->pinnings & P(phase_pinning(phase)) &&
			      cell->progresses & G(phase_progress(phase))))
				continue;
			met[phase][cell->event] = true;
			for (unsigned int bits = 0; bits < NR_MOMENTS; bits++)
				if (possible(bits) && (cell->moment == ANYHOW ||
						       cell->moment == bits))
					check_cell(cell, phase, bits);
		}
	}
	for (unsigned int phase = 0; phase < NR_PHASES; phase++)
		for (unsigned int e = 0; e < NR_HAPPENINGS; e++)
			if (!met[phase][e])
				fail_msg("no cell for %s in %s",
					 phase_happenings[e], name(phase));
}

/* Each cell is defined in each moment, and each row is the first match of at least one. */
static void test_is_total(void **context)
{
	unsigned int uses[256] = { 0 };

	assert_true(phase_nr_rows <= 256);
	for (unsigned int phase = 0; phase < NR_PHASES; phase++)
		for (unsigned int e = 0; e < NR_HAPPENINGS; e++)
			for (unsigned int bits = 0; bits < NR_MOMENTS; bits++) {
				struct phase_moment moment = moment_of(bits);
				unsigned int row = phase_row_of(phase, e,
								&moment);

				if (!possible(bits))
					continue;
				if (row >= phase_nr_rows)
					fail_msg("no row for %s in %s, %#x",
						 phase_happenings[e],
						 name(phase), bits);
				uses[row]++;
				assert_true(phase_next(phase, e, &moment).to <
					    NR_PHASES);
			}
	for (unsigned int row = 0; row < phase_nr_rows; row++)
		if (!uses[row])
			fail_msg("row %u is dead: %s", row, phase_rows[row].why);
}

/* Each phase can be reached from the start. */
static void test_each_phase_is_reached(void **context)
{
	bool reached[NR_PHASES] = { [PHASE_OFF] = true };
	unsigned int before, now = 1;

	do {
		before = now;
		for (unsigned int i = 0; i < NR_PHASES * NR_HAPPENINGS * NR_MOMENTS;
		     i++) {
			unsigned int phase = i / NR_MOMENTS / NR_HAPPENINGS;
			unsigned int event = i / NR_MOMENTS % NR_HAPPENINGS;
			struct phase_moment moment = moment_of(i % NR_MOMENTS);
			struct phase_step step = phase_next(phase, event, &moment);

			if (!reached[phase] || !possible(i % NR_MOMENTS) ||
			    reached[step.to])
				continue;
			reached[step.to] = true;
			now++;
		}
	} while (now != before);
	for (unsigned int phase = 0; phase < NR_PHASES; phase++)
		if (!reached[phase])
			fail_msg("nothing leads to %s", name(phase));
}

/* The table and the flags describe the same machine. */
static void test_agrees_with_flags(void **context)
{
	for (unsigned int phase = 0; phase < NR_PHASES; phase++) {
		struct flags at = flags_of(phase);

		assert_int_equal(flags_phase(&at), phase);
		assert_int_equal(phase_pinned(phase), at.armed);
		assert_int_equal(phase_counts(phase), at.armed || at.kept);
		assert_int_equal(phase_stale(phase), at.fresh);
		assert_int_equal(phase_again(phase), at.reborn);
		assert_int_equal(phase_sets_up(phase), at.armed &&
				 !at.setup_done && !at.fresh);
		for (unsigned int i = 0; i < NR_HAPPENINGS * NR_MOMENTS; i++) {
			struct phase_moment moment = moment_of(i % NR_MOMENTS);
			unsigned int event = i / NR_MOMENTS, act;
			struct phase_step step = phase_next(phase, event, &moment);
			struct flags flags = at;

			if (!possible(i % NR_MOMENTS))
				continue;
			act = flags_next(&flags, event, &moment);
			if (flags_phase(&flags) != step.to || act != step.act)
				fail_msg("%s in %s, moment %#x: %s with %#x, "
					 "flags %s with %#x",
					 phase_happenings[event], name(phase),
					 i % NR_MOMENTS, name(step.to), step.act,
					 name(flags_phase(&flags)), act);
		}
	}
}

/* The facts that the caller may omit change nothing. */
static void test_asks_for_enough(void **context)
{
	for (unsigned int i = 0; i < NR_PHASES * NR_MOMENTS; i++) {
		unsigned int phase = i / NR_MOMENTS;
		struct phase_moment moment = moment_of(i % NR_MOMENTS), other = moment;
		struct phase_step a, b;

		other.own_regs = !moment.own_regs;
		a = phase_next(phase, FOUND, &moment);
		b = phase_next(phase, FOUND, &other);
		if (!phase_asks_own_regs(phase))
			assert_true(a.to == b.to && a.act == b.act);
		other = moment;
		other.sfmask = !moment.sfmask;
		a = phase_next(phase, CHECKED, &moment);
		b = phase_next(phase, CHECKED, &other);
		if (phase_asks_sfmask(phase))
			assert_true(a.to != b.to);
		else
			assert_true(a.to == b.to && a.act == b.act);
	}
}

/*
 * Holds for all cells: only ACT_PIN pins, only some events unpin, and READY is entered
 * only with values that were remembered.
 */
static void test_pins(void **context)
{
	for (unsigned int i = 0; i < NR_PHASES * NR_HAPPENINGS * NR_MOMENTS; i++) {
		unsigned int phase = i / NR_MOMENTS / NR_HAPPENINGS;
		unsigned int event = i / NR_MOMENTS % NR_HAPPENINGS;
		struct phase_moment moment = moment_of(i % NR_MOMENTS);
		struct phase_step step = phase_next(phase, event, &moment);
		bool was = phase_pinned(phase), is = phase_pinned(step.to);

		if (is && !was)
			assert_int_equal(event, PINS_HOLD);
		if (was && !is)
			assert_true(event == INIT_SEEN || event == RESET_SEEN ||
				    event == PINS_VOID || event == VCPU_GONE);
		if (was && !is)
			assert_true(step.act & (ACT_KEEP | ACT_LEAVE));
		if (step.to == PHASE_READY && phase != PHASE_READY)
			assert_int_equal(step.act, ACT_REMEMBER);
		if (phase_counts(phase) && !phase_counts(step.to))
			assert_true(step.act & ACT_LEAVE);
		if (step.act & ACT_PIN)
			assert_false(step.act & ACT_LEAVE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_is_total),
		cmocka_unit_test(test_each_phase_is_reached),
		cmocka_unit_test(test_agrees_with_flags),
		cmocka_unit_test(test_asks_for_enough),
		cmocka_unit_test(test_pins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
