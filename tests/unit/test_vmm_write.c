// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of the VMM's writes: it is total and has no dead row, each cell is as it
 * must be, and it is equivalent to the three flags that lib/vcpu.c had before.
 */
#include "cm.h"

#include "lib/vm/vmm_write.h"

#define S(state)	(1u << (state))
#define EACH		(S(NR_VMM_WRITES) - 1)
#define NR_MOMENTS	64

static struct vmm_moment moment_of(unsigned int bits)
{
	return (struct vmm_moment){
		.past = bits & IF_PAST, .reset = bits & IF_RESET,
		.was_on = bits & IF_WAS_ON, .is_on = bits & IF_IS_ON,
		.pinned = bits & IF_PINNED, .changed = bits & IF_CHANGED,
	};
}

static const struct cell {
	uint8_t event, states, moment, to, act;
	const char *why;
} cells[] = {
	{ VMM_WRITTEN, S(VMM_NONE) | S(VMM_WROTE), 0, VMM_WROTE, VMM_LOAD,
	  "QEMU's first writes to a vCPU that it has just created" },
	{ VMM_WRITTEN, S(VMM_LOADS) | S(VMM_OFF) | S(VMM_LOADS_OFF), 0, VMM_SAME,
	  VMM_LOAD, "the MSRs after the control registers of a loaded state" },
	{ VMM_WRITTEN, EACH, IF_PAST | IF_RESET | IF_WAS_ON, VMM_WROTE,
	  VMM_NOTHING, "system_reset: the vCPU is new, and nothing loaded counts" },
	{ VMM_WRITTEN, S(VMM_NONE) | S(VMM_WROTE) | S(VMM_OFF),
	  IF_PAST | IF_WAS_ON | IF_PINNED | IF_CHANGED, VMM_OFF, VMM_NOTHING,
	  "KVM_SET_SREGS of a reset, before KVM_SET_MSRS" },
	{ VMM_WRITTEN, S(VMM_NONE) | S(VMM_WROTE) | S(VMM_OFF),
	  IF_PAST | IF_WAS_ON | IF_CHANGED, VMM_OFF, VMM_NOTHING,
	  "the same for a vCPU whose pins a window has lifted" },
	{ VMM_WRITTEN, S(VMM_OFF) | S(VMM_LOADS_OFF), IF_PAST | IF_CHANGED,
	  VMM_SAME, VMM_NOTHING, "one more part of the same reset" },
	{ VMM_WRITTEN, S(VMM_OFF), IF_PAST | IF_PINNED | IF_CHANGED, VMM_SAME,
	  VMM_NOTHING, "the same with pins, which are not compared with a reset" },
	{ VMM_WRITTEN, S(VMM_NONE) | S(VMM_WROTE) | S(VMM_OFF),
	  IF_PAST | IF_WAS_ON | IF_IS_ON | IF_PINNED | IF_CHANGED, VMM_WROTE,
	  VMM_COMPARE, "a debugger writes an MSR" },
	{ VMM_WRITTEN, S(VMM_NONE) | S(VMM_WROTE),
	  IF_PAST | IF_PINNED | IF_CHANGED, VMM_WROTE, VMM_COMPARE,
	  "the same in firmware that is pinned from the start" },
	{ VMM_WRITTEN, S(VMM_NONE) | S(VMM_WROTE) | S(VMM_OFF),
	  IF_PAST | IF_IS_ON | IF_CHANGED, VMM_WROTE, VMM_LOAD,
	  "loadvm on a VM that had run, and was reset" },
	{ VMM_WRITTEN, S(VMM_NONE) | S(VMM_WROTE),
	  IF_PAST | IF_WAS_ON | IF_IS_ON, VMM_WROTE, VMM_NOTHING,
	  "QEMU writes back what it has read, which the guest can cause" },
	{ VMM_WRITTEN, S(VMM_LOADS) | S(VMM_LOADS_OFF),
	  IF_PAST | IF_WAS_ON | IF_IS_ON | IF_PINNED | IF_CHANGED, VMM_LOADS,
	  VMM_LOAD, "one more part of the state that has pinned it: no violation" },
	{ VMM_WRITTEN, S(VMM_LOADS) | S(VMM_LOADS_OFF),
	  IF_PAST | IF_WAS_ON | IF_PINNED | IF_CHANGED, VMM_LOADS_OFF, VMM_LOAD,
	  "a part of that state without paging" },
	{ VMM_WRITTEN, S(VMM_LOADS) | S(VMM_LOADS_OFF), IF_PAST | IF_PINNED,
	  VMM_SAME, VMM_LOAD, "a state without paging so far" },
	{ VMM_WRITTEN, S(VMM_LOADS) | S(VMM_LOADS_OFF), IF_PAST | IF_WAS_ON,
	  VMM_LOADS_OFF, VMM_NOTHING, "while the gate is closed, the state is not pinned" },
	{ VMM_WRITTEN, S(VMM_LOADS) | S(VMM_LOADS_OFF),
	  IF_PAST | IF_WAS_ON | IF_IS_ON | IF_CHANGED, VMM_LOADS, VMM_LOAD,
	  "the next part of the state does not pin it" },
	{ VMM_WRITTEN, S(VMM_LOADS) | S(VMM_LOADS_OFF),
	  IF_PAST | IF_WAS_ON | IF_IS_ON, VMM_LOADS, VMM_NOTHING,
	  "the same part again does not pin it" },
	{ VMM_UNSEEN, S(VMM_NONE) | S(VMM_WROTE), 0, VMM_WROTE, VMM_NOTHING,
	  "a policy without rules on registers" },
	{ VMM_UNSEEN, S(VMM_LOADS) | S(VMM_OFF) | S(VMM_LOADS_OFF), 0, VMM_SAME,
	  VMM_NOTHING, "such a policy that came during a load" },
	{ VMM_LOADED, S(VMM_NONE) | S(VMM_WROTE) | S(VMM_LOADS), 0, VMM_LOADS,
	  VMM_NOTHING, "a saved guest, not a new one" },
	{ VMM_LOADED, S(VMM_OFF) | S(VMM_LOADS_OFF), 0, VMM_LOADS_OFF,
	  VMM_NOTHING, "a saved guest whose paging went off before" },
	{ VMM_RUNS, S(VMM_OFF) | S(VMM_LOADS_OFF), IF_PINNED, VMM_NONE, VMM_INIT,
	  "the VMM emulates the APIC, and has delivered an INIT" },
	{ VMM_RUNS, S(VMM_OFF) | S(VMM_LOADS_OFF), 0, VMM_NONE, VMM_NOTHING,
	  "an INIT takes nothing from an unpinned vCPU" },
	{ VMM_RUNS, S(VMM_NONE) | S(VMM_WROTE) | S(VMM_LOADS), IF_PINNED,
	  VMM_NONE, VMM_NOTHING, "the load is over" },
};

static void test_cells(void **context)
{
	bool met[NR_VMM_WRITES][NR_VMM_EVENTS] = { 0 };

	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
		for (unsigned int s = 0; s < NR_VMM_WRITES; s++) {
			struct vmm_moment moment = moment_of(cells[i].moment);
			unsigned int to = cells[i].to == VMM_SAME ? s :
								    cells[i].to;
			struct vmm_step step;

			if (!(cells[i].states & S(s)))
				continue;
			met[s][cells[i].event] = true;
			step = vmm_next(s, cells[i].event, &moment);
			if (step.to != to || step.act != cells[i].act)
				fail_msg("%s in %s: %s: it became %s with %u",
					 vmm_events[cells[i].event],
					 vmm_writes[s], cells[i].why,
					 vmm_writes[step.to], step.act);
		}
	for (int s = 0; s < NR_VMM_WRITES; s++)
		for (int event = 0; event < NR_VMM_EVENTS; event++)
			assert_true(met[s][event]);
}

static void test_is_total(void **context)
{
	unsigned int uses[64] = { 0 };

	assert_true(vmm_nr_rows <= 64);
	for (unsigned int i = 0; i < NR_VMM_WRITES * NR_VMM_EVENTS * NR_MOMENTS;
	     i++) {
		struct vmm_moment moment = moment_of(i % NR_MOMENTS);
		unsigned int row = vmm_row_of(i / NR_MOMENTS / NR_VMM_EVENTS,
					      i / NR_MOMENTS % NR_VMM_EVENTS,
					      &moment);

		assert_true(row < vmm_nr_rows);
		uses[row]++;
	}
	for (unsigned int row = 0; row < vmm_nr_rows; row++)
		if (!uses[row])
			fail_msg("row %u is dead: %s", row, vmm_rows[row].why);
}

/* The three flags: @dirty, @loading and @resetting. */
struct flags {
	bool dirty, loading, resetting;
};

static unsigned int by_flags(struct flags *f, unsigned int event,
			     const struct vmm_moment *m)
{
	bool init = f->resetting && m->pinned;

	if (event == VMM_RUNS) {
		*f = (struct flags){ 0 };
		return init ? VMM_INIT : VMM_NOTHING;
	}
	f->dirty = true;
	f->loading |= event == VMM_LOADED;
	if (event != VMM_WRITTEN)
		return VMM_NOTHING;
	if (!m->past)
		return VMM_LOAD;
	if (m->reset) {
		f->loading = f->resetting = false;
		return VMM_NOTHING;
	}
	if (m->is_on)
		f->resetting = false;
	else if (m->was_on)
		f->resetting = true;
	if (m->pinned && f->loading)
		return VMM_LOAD;
	if (f->resetting)
		return VMM_NOTHING;
	if (m->pinned)
		return VMM_COMPARE;
	return m->changed ? VMM_LOAD : VMM_NOTHING;
}

static void test_agrees_with_flags(void **context)
{
	for (unsigned int i = 0; i < NR_VMM_WRITES * NR_VMM_EVENTS * NR_MOMENTS;
	     i++) {
		struct vmm_moment moment = moment_of(i % NR_MOMENTS);
		unsigned int event = i / NR_MOMENTS % NR_VMM_EVENTS;
		unsigned int state = i / NR_MOMENTS / NR_VMM_EVENTS, to;
		struct flags f = { state != VMM_NONE, vmm_loads(state),
				   state == VMM_OFF || state == VMM_LOADS_OFF };
		struct vmm_step step = vmm_next(state, event, &moment);

		assert_int_equal(step.act, by_flags(&f, event, &moment));
		to = !f.dirty ? VMM_NONE :
		     f.loading ? (f.resetting ? VMM_LOADS_OFF : VMM_LOADS) :
		     f.resetting ? VMM_OFF : VMM_WROTE;
		assert_int_equal(step.to, to);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_is_total),
		cmocka_unit_test(test_agrees_with_flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
