// SPDX-License-Identifier: GPL-2.0-only
/*
 * Structs that begin with their size, from callers that are older or newer than the library.
 * Each is at the end of a block of its own, so that ASan sees a read beyond its size.
 */
#include "cm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/vm/options.h"

/* The struct that the library knows; its first release had only @size and @a. */
struct known {
	uint32_t size, a, b, c;
};

#define LEAST	8u

/* Reads a struct of @size bytes, in which each byte but the size's is @fill up to @used. */
static int read_sized(struct known *to, uint32_t size, size_t used, int fill)
{
	size_t room = size < sizeof(size) ? sizeof(size) :
		      size > 2 * SIZED_MAX ? 2 * SIZED_MAX : size;
	unsigned char *from = calloc(1, room);
	int ret;

	assert_non_null(from);
	if (used > sizeof(size))
		memset(from + sizeof(size), fill, used - sizeof(size));
	memcpy(from, &size, sizeof(size));
	memset(to, 0x5a, sizeof(*to));
	ret = sized_read(to, sizeof(*to), LEAST, from);
	free(from);
	return ret;
}

static void test_same(void **state)
{
	struct known to;

	assert_int_equal(read_sized(&to, sizeof(to), sizeof(to), 1), 0);
	assert_int_equal(to.size, sizeof(to));
	assert_int_equal(to.a, 0x01010101);
	assert_int_equal(to.c, 0x01010101);
}

static void test_older(void **state)
{
	struct known to;

	for (uint32_t size = LEAST; size < sizeof(to); size++) {
		assert_int_equal(read_sized(&to, size, size, 1), 0);
		assert_int_equal(to.a, 0x01010101);
		for (size_t i = size; i < sizeof(to); i++)
			assert_int_equal(((unsigned char *)&to)[i], 0);
	}
}

static void test_newer(void **state)
{
	static const uint32_t sizes[] = { 17, 24, 1000, SIZED_MAX };
	struct known to;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		assert_int_equal(read_sized(&to, sizes[i], sizeof(to), 1), 0);
		assert_int_equal(to.size, sizes[i]);
		assert_int_equal(to.c, 0x01010101);
		/* The first unknown byte, and all of them. */
		assert_int_equal(read_sized(&to, sizes[i], sizeof(to) + 1, 0x80),
				 -E2BIG);
		assert_int_equal(read_sized(&to, sizes[i], sizes[i], 1), -E2BIG);
	}
}

static void test_wrong(void **state)
{
	static const uint32_t sizes[] = { SIZED_MAX + 1, 1u << 31, UINT32_MAX };
	struct known to, before;

	memset(&before, 0x5a, sizeof(before));
	for (uint32_t size = 0; size < LEAST; size++) {
		assert_int_equal(read_sized(&to, size, size, 1), -EINVAL);
		assert_memory_equal(&to, &before, sizeof(to));
	}
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		assert_int_equal(read_sized(&to, sizes[i], 0, 0), -E2BIG);
		assert_memory_equal(&to, &before, sizeof(to));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_older),
		cmocka_unit_test(test_newer),
		cmocka_unit_test(test_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
