// SPDX-License-Identifier: GPL-2.0-only
/*
 * `without` on the largest texts that the parser takes. An agent that reads such a policy
 * serves no other client meanwhile, so the work must be linear: comparisons are counted, not
 * timed. The effect on usual policies is in extends.sh.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cm.h"
#include "policy/policy_removal.h"
#include "policy/policy_without.h"

#define REGISTERS	4000u

static unsigned long comparisons;

int __real_strcmp(const char *a, const char *b);
int __wrap_strcmp(const char *a, const char *b);

int __wrap_strcmp(const char *a, const char *b)
{
	comparisons++;
	return __real_strcmp(a, b);
}

static struct problems *problems;

static int set_up(void **state)
{
	problems = problems_new();
	return !problems;
}

static int tear_down(void **state)
{
	problems_free(problems);
	return 0;
}

/* Writes "[r0, r1, ..]" with @nr registers. */
static void put_registers(FILE *file, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		fprintf(file, "%sr%u", i ? ", " : "[", i);
	fprintf(file, "]");
}

/* A tree with @nr registers between @head and @tail. */
static struct yaml_node *tree(const char *head, unsigned int nr, const char *tail)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	struct yaml_node *root;

	assert_non_null(file);
	fprintf(file, "version: 1\n%s", head);
	put_registers(file, nr);
	fprintf(file, "%s\n", tail);
	fclose(file);
	root = yaml_parse(text, size, 0, problems);
	free(text);
	assert_non_null(root);
	return root;
}

static unsigned int nodes(const struct yaml_node *node)
{
	unsigned int nr = 0;

	for (; node; node = node->next)
		nr += 1 + nodes(node->value) + nodes(node->child);
	return nr;
}

static const struct yaml_node *rules(const struct yaml_node *base)
{
	return yaml_key(base, "rules")->value;
}

static bool has_problem(const char *text)
{
	for (unsigned int i = 0; i < problems->nr; i++)
		if (strstr(problems->list[i].text, text))
			return true;
	return false;
}

/* Each register of one long rule is removed. */
static void test_long_list(void **state)
{
	struct yaml_node *base = tree("rules:\n- {register: ", REGISTERS, ", never: 0}");
	struct yaml_node *own = tree("without:\n- {register: ", REGISTERS, "}");

	comparisons = 0;
	without_apply(own, base, problems);
	assert_int_equal(problems->nr, 0);
	assert_null(rules(base)->child);
	/* One search among 4000 takes 12; sorting takes as many, twice. */
	assert_in_range(comparisons, REGISTERS, 60 * REGISTERS);
	yaml_free(base);
	yaml_free(own);
}

/* A rule for many registers, each of which keeps a condition. */
static void test_divided(void **state)
{
	struct yaml_node *base = tree("rules:\n- {register: ", 1000, ", never: 0, sticky: [1, 2]}");
	struct yaml_node *own = tree("without:\n- {register: ", 1000, ", rules: never}");
	unsigned int i = 0;

	without_apply(own, base, problems);
	assert_int_equal(problems->nr, 0);
	assert_int_equal(rules(base)->nr, 1000);
	for (const struct yaml_node *rule = rules(base)->child; rule; rule = rule->next) {
		char name[16];

		snprintf(name, sizeof(name), "r%u", i++);
		assert_string_equal(yaml_key(rule, "register")->value->text, name);
		assert_null(yaml_key(rule, "never"));
		assert_int_equal(yaml_key(rule, "sticky")->value->nr, 2);
	}
	assert_int_equal(i, 1000);
	yaml_free(base);
	yaml_free(own);
}

/* As many rules with as many bits each would be 2 million nodes. */
static void test_divided_too_much(void **state)
{
	char bits[2 * 1000 + 64] = ", never: 0, sticky: [1";
	struct yaml_node *base, *own = tree("without:\n- {register: ", 1000, ", rules: never}");
	unsigned int before;

	for (unsigned int i = 0; i < 999; i++)
		strcat(bits, ",1");
	strcat(bits, "]}");
	base = tree("rules:\n- {register: ", 1000, bits);
	before = nodes(base);
	without_apply(own, base, problems);
	assert_true(has_problem("'without' splits rules on several registers into too many rules"));
	assert_in_range(nodes(base), before, before + REMOVAL_COPIES_MAX);
	yaml_free(base);
	yaml_free(own);
}

/* Rules and elements on one register, of which the second element finds nothing. */
static void test_one_register(void **state)
{
	static const char base_text[] =
		"rules:\n- {register: EFER, never: 0}\n- {register: EFER, sticky: 1, never: 2}\n";
	static const char own_text[] =
		"without:\n- {register: EFER, rules: never}\n- {register: EFER, rules: never}\n"
		"- {register: EFER, rules: [never, sticky]}\n";
	struct yaml_node *base = yaml_parse(base_text, strlen(base_text), 0, problems);
	struct yaml_node *own = yaml_parse(own_text, strlen(own_text), 0, problems);

	without_apply(own, base, problems);
	assert_null(rules(base)->child);
	assert_int_equal(problems->nr, 1);
	assert_int_equal(problems->list[0].line, 3);
	yaml_free(base);
	yaml_free(own);
}

/* A message names what was meant: what the base has, as it is written there. */
static void test_proposals(void **state)
{
	static const struct {
		const char *element, *message;
	} cases[] = {
		{ "EFRE", "no such rule on 'EFRE'; did you mean 'EFER'?" },
		{ "IA32_EFER", "no such rule on 'IA32_EFER'; did you mean 'EFER'?" },
		{ "SYSENTER_ESP", "no such rule on 'SYSENTER_ESP'; did you mean 'MSR_SYSENTER_ESP'?" },
		{ "EFER, rules: once", "no such rule on 'EFER': its rules on this register have the conditions sticky, never" },
		{ "EFER, rules: stikcy", "'stikcy' is not a condition of a rule; did you mean 'sticky'?" },
		{ "PAT", "write the register and the condition as they stand there" },
	};
	static const char base_text[] =
		"rules:\n- {register: EFER, never: 0}\n- {register: [STAR, EFER], sticky: 1}\n"
		"- {register: MSR_SYSENTER_ESP, frozen: all}\n";

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct yaml_node *base = yaml_parse(base_text, strlen(base_text), 0, problems);
		struct yaml_node *own;
		char text[128];

		snprintf(text, sizeof(text), "without:\n- {register: %s}\n", cases[i].element);
		own = yaml_parse(text, strlen(text), 0, problems);
		without_apply(own, base, problems);
		assert_int_equal(problems->nr, i + 1);
		if (!strstr(problems->list[i].text, cases[i].message))
			fail_msg("%s: %s", cases[i].element, problems->list[i].text);
		yaml_free(base);
		yaml_free(own);
	}
}

#define without_test(f)	cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		without_test(test_long_list), without_test(test_divided),
		without_test(test_divided_too_much), without_test(test_one_register),
		without_test(test_proposals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
