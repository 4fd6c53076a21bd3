// SPDX-License-Identifier: GPL-2.0-only
/* Suggestions for a mistyped word, and plurals. */
#include "cm.h"

#include <string.h>

#include "base/words.h"

static const char *const commands[] = {
	"check", "compile", "run", "probe", "explain", "sim", "regs", "ctl", "help",
	"version",
};

/* The proposal for @text, or NULL. */
static const char *meant(const char *text)
{
	struct nearest nearest;

	nearest_begin(&nearest, text);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		nearest_try(&nearest, commands[i]);
	return nearest.best;
}

static void near(void **state)
{
	static const struct {
		const char *text, *meant;
	} rows[] = {
		{ "chek", "check" }, { "hceck", "check" }, { "checks", "check" },
		{ "CHECK", "check" }, { "prob", "probe" }, { "explian", "explain" },
		{ "simm", "sim" }, { "clt", "ctl" }, { "verison", "version" },
		{ "halp", "help" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_non_null(meant(rows[i].text));
		assert_string_equal(meant(rows[i].text), rows[i].meant);
	}
}

static void far(void **state)
{
	static const char *const texts[] = {
		"", "x", "status", "explode", "qemu-system-x86_64", "learn",
		"a-word-that-is-longer-than-what-is-compared",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_null(meant(texts[i]));
}

/* Exchanged letters are likelier than wrong ones. */
static void nearest_exchanged(void **state)
{
	struct nearest nearest;

	nearest_begin(&nearest, "SMPE");
	nearest_try(&nearest, "SMXE");
	nearest_try(&nearest, "SMEP");
	nearest_try(&nearest, "SMAP");
	assert_string_equal(nearest.best, "SMEP");
	nearest_begin(&nearest, "pw");
	nearest_try(&nearest, "PE");
	nearest_try(&nearest, "WP");
	nearest_try(&nearest, "PG");
	assert_string_equal(nearest.best, "WP");
}

/* Of two words the nearer one is proposed, and of equally near ones the first. */
static void nearest_one(void **state)
{
	struct nearest nearest;

	nearest_begin(&nearest, "events");
	nearest_try(&nearest, "event-limit");
	assert_null(nearest.best);
	nearest_try(&nearest, "event");
	assert_string_equal(nearest.best, "event");
	nearest_try(&nearest, "evants");
	assert_string_equal(nearest.best, "event");
	nearest_try(&nearest, "events");
	assert_string_equal(nearest.best, "events");
	assert_int_equal(nearest.distance, 0);
	assert_string_equal(nearest_hint(&nearest).text, "; did you mean 'events'?");
}

static void plurals(void **state)
{
	assert_string_equal(plural(0), "s");
	assert_string_equal(plural(1), "");
	assert_string_equal(plural(2), "s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(near),
		cmocka_unit_test(far),
		cmocka_unit_test(nearest_one),
		cmocka_unit_test(nearest_exchanged),
		cmocka_unit_test(plurals),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
