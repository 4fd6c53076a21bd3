// SPDX-License-Identifier: GPL-2.0-only
/* The purpose of a policy: the first sentence of the comment with which it begins. */
#include "cm.h"

#include <stdlib.h>
#include <string.h>

#include "policy/policy_purpose.h"

static void sentences(void **state)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "version: 1\n# Not this.\n", "" },
		{ "# One. Two.\nversion: 1\n", "One." },
		{ "# One\n#two.\nversion: 1\n", "One two." },
		{ "\n\n#   From 5.10 on\n# and later\n", "From 5.10 on and later" },
		{ "# SPDX-License-Identifier: MIT\n# Purpose.\n", "Purpose." },
		{ "# SPDX-License-Identifier: MIT\nversion: 1\n", "" },
		{ "#\n#\n# Late.\n", "Late." },
		{ "# One\n#\n# Two.\n", "One" },
		{ "# One\n\n# Two.\n", "One" },
		{ "# One\r\n# two.\r\nversion: 1\r\n", "One two." },
		{ "# no end", "no end" },
		{ "#", "" },
		{ "#\r", "" },
		{ "# SPDX-", "SPDX-" },
	};
	char to[64];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(policy_purpose(to, sizeof(to), rows[i][0], strlen(rows[i][0])),
				    rows[i][1]);
	/* A NUL ends the comment, and the text need not end with one. */
	assert_string_equal(policy_purpose(to, sizeof(to), "# a\n# b\0c\n", 10), "a");
	assert_string_equal(policy_purpose(to, sizeof(to), "# One. Two", 5), "One");
}

/* Each size cuts a long sentence, and never within a character. */
static void long_sentences(void **state)
{
	static const char text[] = "# \303\244\303\244\303\244\303\244 \303\244\303\244\n# \303\244\303\244\303\244. Two\n";
	static const char whole[] = "\303\244\303\244\303\244\303\244 \303\244\303\244 \303\244\303\244\303\244.";

	for (size_t size = 8; size < 40; size++) {
		char *to = malloc(size);
		size_t len;

		policy_purpose(to, size, text, strlen(text));
		len = strlen(to);
		if (size > strlen(whole) + 1) {
			assert_string_equal(to, whole);
		} else {
			assert_true(len >= 3 && len < size);
			assert_string_equal(to + len - 3, "...");
			assert_memory_equal(to, whole, len - 3);
			assert_int_not_equal((unsigned char)whole[len - 3] & 0xc0, 0x80);
		}
		free(to);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sentences),
		cmocka_unit_test(long_sentences),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
