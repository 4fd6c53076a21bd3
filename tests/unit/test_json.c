// SPDX-License-Identifier: GPL-2.0-only
/* json.c: commas, escapes, and that a value is one line. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/number.h"

static char *text;
static size_t size;

static void begin(struct json *json)
{
	json_begin(json, open_memstream(&text, &size));
	assert_non_null(json->file);
}

static void expect(struct json *json, const char *expected)
{
	assert_int_equal(json_end(json), 0);
	fclose(json->file);
	assert_string_equal(text, expected);
	free(text);
}

static void nesting(void **state)
{
	struct json json;

	(void)state;
	begin(&json);
	json_object_begin(&json, NULL);
	json_u64(&json, "a", ~0ull);
	json_array_begin(&json, "b");
	json_array_end(&json);
	json_array_begin(&json, "c");
	json_bool(&json, NULL, true);
	json_object_begin(&json, NULL);
	json_object_end(&json);
	json_object_begin(&json, NULL);
	json_hex(&json, "d", 0xc0000080);
	json_bool(&json, "e", false);
	json_object_end(&json);
	json_array_end(&json);
	json_string(&json, "f", NULL);
	json_object_end(&json);
	expect(&json,
	       "{\"a\":18446744073709551615,\"b\":[],\"c\":[true,{},"
	       "{\"d\":\"0xc0000080\",\"e\":false}],\"f\":null}\n");
}

/* A line in a buffer: it fits with its NUL, or nothing is written. */
static void buffers(void **state)
{
	static const char expected[] = "{\"a\":0,\"b\":\"0x0\",\"c\":\"x\\ny\"}\n";
	char buf[sizeof(expected) + 1];

	(void)state;
	for (size_t room = 1; room <= sizeof(buf); room++) {
		struct json json;

		memset(buf, '#', sizeof(buf));
		json_buf_begin(&json, buf, room);
		json_u64(&json, "a", 0);
		json_hex(&json, "b", 0);
		json_string(&json, "c", "x\ny");
		if (room < sizeof(expected)) {
			assert_int_equal(json_buf_end(&json), 0);
			assert_string_equal(buf, "");
		} else {
			assert_int_equal(json_buf_end(&json), sizeof(expected) - 1);
			assert_string_equal(buf, expected);
		}
		if (room < sizeof(buf))
			assert_int_equal(buf[room], '#');
	}
}

static void numbers(void **state)
{
	(void)state;
	for (unsigned int n = 0; n < 64; n++) {
		for (int more = -1; more <= 1; more++) {
			uint64_t value = (1ull << n) + (uint64_t)more;
			char buf[NUMBER_MAX + 1], printed[NUMBER_MAX + 1];

			*put_decimal(buf, value) = 0;
			snprintf(printed, sizeof(printed), "%" PRIu64, value);
			assert_string_equal(buf, printed);
			*put_hex(buf, value) = 0;
			snprintf(printed, sizeof(printed), "%" PRIx64, value);
			assert_string_equal(buf, printed);
		}
	}
}

static void escapes(void **state)
{
	static const struct {
		const char *from, *to;
	} rows[] = {
		{ "", "\"\"\n" },
		{ "\"\\/", "\"\\\"\\\\/\"\n" },
		{ "a\nb\tc\x1b\x7f", "\"a\\nb\\tc\\u001b\\u007f\"\n" },
		{ "\xc3\xb6\xe2\x80\xa6\xf0\x9f\x98\x80",
		  "\"\xc3\xb6\xe2\x80\xa6\xf0\x9f\x98\x80\"\n" },
		{ "\xe2\x80\xa8\xc2\x85", "\"\\u2028\\u0085\"\n" },
		/* not UTF-8: a single byte, cut, too long, a surrogate, too large */
		{ "\xff|\xc3", "\"\\ufffd|\\ufffd\"\n" },
		{ "\xc0\xaf", "\"\\ufffd\\ufffd\"\n" },
		{ "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"\n" },
		{ "\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct json json;

		begin(&json);
		json_string(&json, NULL, rows[i].from);
		expect(&json, rows[i].to);
	}
}

static void full_disk(void **state)
{
	struct json json;
	FILE *file = fopen("/dev/full", "w");

	(void)state;
	if (!file)
		skip();
	json_begin(&json, file);
	json_u64(&json, NULL, 1);
	assert_int_equal(json_end(&json), -1);
	fclose(file);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nesting),
		cmocka_unit_test(escapes),
		cmocka_unit_test(buffers), cmocka_unit_test(numbers),
		cmocka_unit_test(full_disk),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
