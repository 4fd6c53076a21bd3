// SPDX-License-Identifier: GPL-2.0-only
/* The limit of lines: an event that happens for the first time is never suppressed. */
#include "cm.h"

#include "../limit_oracle.h"

static uint64_t seed = 0x11317;

static struct regpin_event violation(uint32_t rule, uint32_t vcpu, uint64_t bits)
{
	struct regpin_event event = oracle_make(0, REGPIN_EVENT_VIOLATION,
						rule, (uint64_t)vcpu << 8);

	event.vcpu = vcpu;
	event.write = true;
	if (bits)
		event.bits = bits;
	return event;
}

static unsigned int passed(struct regpin_event event, unsigned int times)
{
	unsigned int n = 0;

	while (times--)
		n += oracle_event(event);
	return n;
}

/* A few lines each second, then their sum, which contains all that matters of them. */
static void a_second(void **context)
{
	struct regpin_policy *policy = oracle_policy(8);
	struct regpin_event event;
	struct limit_sum sum;
	bool many;

	oracle_begin(policy, 10, 5000);
	oracle_take(0, false);
	assert_int_equal(passed(violation(0, 0, 1), 10), 10);
	assert_false(limit_take(&oracle.limit, 0, false, &sum, &many));
	event = violation(0, 0, 1);
	event.new_value = 0x1234;
	assert_int_equal(passed(event, 7), 0);
	event.new_value = 0x5678;
	assert_int_equal(passed(event, 1), 0);
	/* Another vCPU is another cause. */
	assert_int_equal(passed(violation(0, 1, 1), 11), 10);
	assert_int_equal(limit_due(&oracle.limit), 1000);
	assert_true(limit_take(&oracle.limit, 1000, false, &sum, &many));
	if (sum.event.vcpu) /* in any order */
		assert_true(limit_take(&oracle.limit, 1000, false, &sum, &many));
	assert_int_equal(sum.count, 8);
	assert_int_equal(sum.first, 11);
	assert_int_equal(sum.event.time, 18);
	assert_int_equal(sum.event.new_value, 0x5678);
	assert_int_equal(sum.event.vcpu, 0);
	assert_int_equal(sum.event.bits, 1);
	free(policy);
}

/* After ten reports of a harmless bit, a bit that matters is still reported. */
static void each_bit(void **context)
{
	struct regpin_policy *policy = oracle_policy(8);

	oracle_begin(policy, 10, 5000);
	assert_int_equal(passed(violation(0, 0, 1), 5000), 10);
	assert_int_equal(passed(violation(0, 0, 0x800), 1), 1);
	assert_int_equal(passed(violation(0, 0, 0x801), 1), 0);
	assert_int_equal(passed(violation(0, 0, 0xc00), 1), 1);
	/* All bits of CR4, one after the other, after a flood of the first. */
	assert_int_equal(passed(violation(1, 7, 1), 5000), 10);
	for (uint64_t bit = 2; bit; bit <<= 1)
		assert_int_equal(passed(violation(1, 7, bit), 3), 1);
	oracle_end();
	free(policy);
}

/* Accesses under a default cannot hide the violation of a rule on a named register. */
static void under_a_default(void **context)
{
	struct regpin_policy *policy = oracle_policy(300);
	uint64_t lines = 0;

	oracle_begin(policy, 10, 5000);
	for (unsigned int i = 0; i < 100000; i++) {
		struct regpin_event event = oracle_make(0, REGPIN_EVENT_VIOLATION,
							5, random64(&seed));

		lines += oracle_event(event);
		if (i % 1000 == 0)
			oracle_take(100, false);
	}
	/* Half of the hour's budget, and the first read and the first write. */
	assert_in_range(lines, 1000, 2502);
	for (uint32_t rule = 0; rule < 300; rule++) {
		assert_int_equal(passed(violation(rule, 3, 0), 1),
				 rule != 5);
		assert_int_equal(passed(oracle_make(0, REGPIN_EVENT_DETECTED,
						    rule, 0), 1), 1);
	}
	oracle_end();
	free(policy);
}

/* The budget of an event type is spent only by events of that type. */
static void types_apart(void **context)
{
	static const unsigned int types[] = {
		REGPIN_EVENT_ARMED, REGPIN_EVENT_RESET, REGPIN_EVENT_FAILED,
		REGPIN_EVENT_DISARMED, REGPIN_EVENT_DETECTED, REGPIN_EVENT_INIT,
		REGPIN_EVENT_DEADLINE, REGPIN_EVENT_ANSWERED,
		REGPIN_EVENT_SHUTDOWN, REGPIN_EVENT_VMM_WRITE,
	};
	struct regpin_policy *policy = oracle_policy(300);
	unsigned int alone[10] = { 0 }, flooded[10] = { 0 };

	for (int flood = 0; flood < 2; flood++) {
		uint64_t events = 0x5eed;

		oracle_begin(policy, 10, 5000);
		for (unsigned int i = 0; i < 4000; i++) {
			for (unsigned int n = 0; flood && n < 50; n++)
				oracle_event(oracle_make(
					0, REGPIN_EVENT_VIOLATION,
					(uint32_t)random64(&seed) % 300,
					random64(&seed)));
			for (unsigned int t = 0; t < 10; t++)
				(flood ? flooded : alone)[t] += oracle_event(
					oracle_make(0, types[t], 0,
						    random64(&events)));
			if (i % 40 == 0)
				oracle_take(300, false);
		}
		oracle_end();
	}
	for (int t = 0; t < 10; t++) {
		assert_true(alone[t] >= 200);
		assert_int_equal(alone[t], flooded[t]);
	}
	free(policy);
}

/* One vCPU's accesses to many MSRs have one cause; the sum lists the MSRs. */
static void a_list(void **context)
{
	struct regpin_policy *policy = oracle_policy(8);
	struct regpin_event event;
	struct limit_sum sum;
	bool many;

	for (uint32_t nr = 3; nr < 100; nr++) {
		oracle_begin(policy, 1, 5000);
		for (uint32_t i = 0; i < 2 * nr; i++) {
			event = violation(5, 0, 0);
			event.index = 0x1000 + i % nr;
			assert_int_equal(passed(event, 1), i == 0);
		}
		assert_true(limit_take(&oracle.limit, 1000, false, &sum, &many));
		assert_int_equal(sum.count, 2 * nr - 1);
		assert_int_equal(sum.nr_indices, nr < 64 ? nr : 64);
		assert_int_equal(sum.more_indices, nr > 64);
		assert_int_equal(sum.indices[0], 0x1001);
		assert_int_equal(sum.indices[1], 0x1002);
		assert_false(limit_take(&oracle.limit, 1000, false, &sum, &many));
	}
	free(policy);
}

static void an_hour(void **context)
{
	struct regpin_policy *policy = oracle_policy(8);
	struct limit_sum sum;
	unsigned int lines = 0;
	bool many;

	oracle_begin(policy, 10, 5000);
	/* One rule gets half of the budget, and no more until the hour is over. */
	for (unsigned int s = 0; s < 3600; s++) {
		lines += passed(violation(0, 0, 1), 20);
		oracle_take(1000 - (s == 3599), false);
	}
	assert_int_equal(lines + oracle.sums, 2501);
	assert_int_equal(limit_due(&oracle.limit), 3600000);
	/* Another rule gets half of the rest. */
	lines = passed(violation(2, 0, 0), 9);
	assert_int_equal(lines, 9);
	/* In the next hour the sums of the last second and of the last hour come first. */
	for (int i = 0; i < 2; i++) {
		assert_true(limit_take(&oracle.limit, 3600000, false, &sum, &many));
		assert_int_equal(sum.event.rule, 0);
		assert_int_equal(sum.event.bits, 1);
	}
	assert_false(limit_take(&oracle.limit, 3600000, false, &sum, &many));
	oracle.now = 3600000;
	assert_int_equal(passed(violation(0, 0, 1), 20), 10);
	free(policy);
}

/* Without the limit every event is written, and nothing is kept. */
static void no_limit(void **context)
{
	struct regpin_policy *policy = oracle_policy(8);

	oracle_begin(policy, 0, 5000);
	assert_int_equal(passed(violation(0, 0, 1), 20000), 20000);
	assert_int_equal(limit_left(&oracle.limit), 0);
	assert_true(limit_due(&oracle.limit) == UINT64_MAX);
	oracle_begin(policy, 10, 0);
	for (int s = 0; s < 1000; s++) {
		assert_int_equal(passed(violation(0, 0, 1), 11), 10);
		oracle_take(1000, false);
	}
	free(policy);
}

/* There are more VMs than slots: all events are counted, and the memory is bounded. */
static void many_vms(void **context)
{
	struct regpin_policy *policy = oracle_policy(8);
	static struct limit limit;
	uint64_t in = 0, out = 0;
	struct limit_sum sum;
	bool many, met = false;

	limit_init(&limit, 1, 5000);
	for (uint32_t i = 0; i < 100000; i++) {
		struct regpin_event event = oracle_make(
			0, (unsigned int)(random64(&seed) % ORACLE_TYPES),
			i % 8, random64(&seed));

		event.vm = (uint32_t)random64(&seed) % (i % 50 ? 66 : ~0u);
		event.policy = (uint32_t)random64(&seed) % 4;
		event.vcpu = i % 3 ? 0 : (uint32_t)random64(&seed);
		event.detail = (uint32_t)random64(&seed);
		in++;
		out += limit_pass(&limit, &event, policy, i) != LIMIT_NONE;
		assert_true(limit.nr_rows <= LIMIT_ROWS);
	}
	while (limit_take(&limit, 100000, true, &sum, &many)) {
		out += sum.count;
		met |= many;
	}
	assert_int_equal(in, out);
	assert_true(met);
	assert_int_equal(limit_left(&limit), 0);
	limit_free(&limit);
	assert_int_equal(limit.nr_rows, 0);
	free(policy);
}

/*
 * A policy is swapped during a flood: the rules of the new one have a budget of their
 * own.
 */
static void a_swap(void **context)
{
	struct regpin_policy *policy = oracle_policy(8);
	struct regpin_event old = violation(0, 0, 1), new = violation(0, 0, 1);

	new.policy = 1;
	oracle_begin(policy, 2, 5000);
	assert_int_equal(passed(old, 100), 2);
	assert_int_equal(passed(new, 1), 1);
	/*
	 * Late events of the old policy do not get a new budget, and do not use the new
	 * policy's.
	 */
	assert_int_equal(passed(old, 1), 0);
	new.bits = old.bits = 0x800;
	assert_int_equal(passed(old, 1), 1);
	assert_int_equal(passed(new, 1), 1);
	oracle_take(0, true);
	limit_free(&oracle.limit);
	free(policy);
}

/*
 * Only a sum arrives for events that were lost in the ring; its first event is written,
 * too.
 */
static void lost(void **context)
{
	struct regpin_policy *policy = oracle_policy(8);
	struct limit_sum sum = { 0 }, copy;
	bool many;

	oracle_begin(policy, 10, 10);
	for (unsigned int i = 0; i < 50; i++) {
		struct regpin_event event = violation(0, i % 2, 1);

		event.time = 100 + i;
		limit_sum_add(&sum, &event, false);
	}
	copy = sum;
	assert_true(limit_pass_sum(&oracle.limit, &copy, policy, 0));
	for (int i = 0; i < 5; i++) {
		copy = sum;
		assert_true(limit_pass_sum(&oracle.limit, &copy, policy, 0));
	}
	copy = sum;
	assert_false(limit_pass_sum(&oracle.limit, &copy, policy, 0));
	assert_int_equal(limit_left(&oracle.limit), 50);
	copy = sum;
	copy.event.bits |= 0x800;
	assert_true(limit_pass_sum(&oracle.limit, &copy, policy, 0));
	assert_true(limit_take(&oracle.limit, 0, true, &sum, &many));
	assert_int_equal(sum.count, 50);
	assert_true(sum.many_vcpus);
	limit_free(&oracle.limit);
	free(policy);
}

/* Random floods that last hours, of few rules or many, on one vCPU or on hundreds. */
static void a_flood(struct regpin_policy *policy, unsigned int max,
		    unsigned int total)
{
	unsigned int steps = 20 + (unsigned int)random64(&seed) % 60;
	uint32_t few = 1 + (uint32_t)random64(&seed) % 8;
	uint64_t pace = 1 + random64(&seed) % 3 * random64(&seed) % 600000;

	oracle_begin(policy, max, total);
	while (steps--) {
		unsigned int n = (unsigned int)random64(&seed) % 600;
		unsigned int type = (unsigned int)random64(&seed) % 4 ?
			REGPIN_EVENT_VIOLATION :
			(unsigned int)(random64(&seed) % ORACLE_TYPES);
		uint32_t rule = (uint32_t)random64(&seed) % policy->nr_rules;
		bool one = random64(&seed) % 2;

		while (n--) {
			struct regpin_event event = oracle_make(
				(uint32_t)random64(&seed) % ORACLE_VMS, type,
				one ? rule % few : (uint32_t)random64(&seed) %
				policy->nr_rules, random64(&seed));

			if (one)
				event.vcpu %= few;
			oracle_event(event);
		}
		oracle_take(random64(&seed) % pace,
			    random64(&seed) % 50 == 0);
	}
	oracle_end();
}

static void floods(void **context)
{
	uint64_t firsts = 0, sums = 0, most = 0;

	for (int i = 0; i < 120; i++) {
		uint32_t rules = 8 + (uint32_t)random64(&seed) %
				 (i % 3 ? 20 : ORACLE_RULES - 8);
		struct regpin_policy *policy = oracle_policy(rules);

		a_flood(policy, (unsigned int)random64(&seed) % 12,
			(unsigned int)random64(&seed) % 3 ? 100 : 5000);
		firsts += oracle.firsts;
		sums += oracle.sums;
		most = oracle.most > most ? oracle.most : most;
		free(policy);
	}
	print_message("# %lu first ones, %lu sums, at most %lu repeats in an hour\n",
		      firsts, sums, most);
	assert_true(firsts > 10000 && sums > 1000 && most > 100);
	limit_free(&oracle.limit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_second),
		cmocka_unit_test(each_bit),
		cmocka_unit_test(under_a_default),
		cmocka_unit_test(types_apart),
		cmocka_unit_test(a_list),
		cmocka_unit_test(an_hour),
		cmocka_unit_test(no_limit),
		cmocka_unit_test(many_vms),
		cmocka_unit_test(a_swap),
		cmocka_unit_test(lost),
		cmocka_unit_test(floods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
