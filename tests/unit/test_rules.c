// SPDX-License-Identifier: GPL-2.0-only
/* The effective mode of each rule, and the operator's mode of one rule. */
#include "agent/launch_state.h"
#include "lib/policy/blob.h"
#include "lib/policy/rule_notes.h"
#include "policy/effective.h"
#include "policy/rule_where.h"
#include "rule_scene.h"

/* Checks the modes of all rules, in the order of the text. */
static void expect_modes(int fd, const char *const *modes)
{
	const char *at = got;

	say(fd, "rules format=json\n");
	hear(fd);
	for (; *modes; modes++) {
		char text[96];

		snprintf(text, sizeof(text), "\"effective\":\"%s\"", *modes);
		at = strstr(at, "\"effective\":");
		assert_non_null(at);
		assert_memory_equal(at, text, strlen(text));
		at++;
	}
	assert_null(strstr(at, "\"effective\":"));
}

#define MODES(fd, ...)	expect_modes(fd, (const char *const[]){ __VA_ARGS__, NULL })

static void effective(void **state)
{
	static const struct {
		uint8_t action;
		uint16_t flags;
		bool left_out;
		enum policy_mode own, mode;
		enum effective_mode is;
		enum effective_by by;
		const char *why;
	} rows[] = {
		{ REGPIN_GP, 0, false, MODE_ENFORCE, MODE_POLICY,
		  EFFECTIVE_ENFORCED, BY_POLICY, "" },
		{ REGPIN_GP, 0, false, MODE_REPORT, MODE_ENFORCE,
		  EFFECTIVE_ENFORCED, BY_OPERATOR, "the operator's mode is enforce" },
		{ REGPIN_GP, RULE_BY_OPERATOR, false, MODE_REPORT, MODE_POLICY,
		  EFFECTIVE_ENFORCED, BY_OPERATOR_RULE, "the operator's mode of this rule is enforce" },
		{ REGPIN_GP, RULE_FLAGS, false, MODE_ENFORCE, MODE_POLICY,
		  EFFECTIVE_DETECTED, BY_HOST, "no CR filter" },
		{ REGPIN_GP, RULE_OPTIONAL, true, MODE_ENFORCE, MODE_POLICY,
		  EFFECTIVE_LEFT_OUT, BY_HOST, "no CR filter" },
		{ REGPIN_REPORT, RULE_OPTIONAL, true, MODE_REPORT, MODE_POLICY,
		  EFFECTIVE_LEFT_OUT, BY_HOST, "no CR filter" },
		{ REGPIN_REPORT, RULE_FLAGS, false, MODE_REPORT, MODE_POLICY,
		  EFFECTIVE_REPORTED, BY_POLICY, "the policy's mode is report" },
		{ REGPIN_REPORT, 0, false, MODE_ENFORCE, MODE_REPORT,
		  EFFECTIVE_REPORTED, BY_OPERATOR, "the operator's mode is report" },
		{ REGPIN_REPORT, RULE_BY_MODE, false, MODE_ENFORCE, MODE_REPORT,
		  EFFECTIVE_REPORTED, BY_RULE, "its own mode is report" },
		{ REGPIN_REPORT, RULE_BY_MODE | RULE_BY_OPERATOR, false, MODE_ENFORCE, MODE_POLICY,
		  EFFECTIVE_REPORTED, BY_OPERATOR_RULE, "the operator's mode of this rule is report" },
		{ REGPIN_REPORT, RULE_NOTES, false, MODE_ENFORCE, MODE_REPORT,
		  EFFECTIVE_REPORTED, BY_ACTION, "its action is report" },
	};
	char why[128];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rule rule = { .action = rows[i].action, .flags = rows[i].flags };
		struct effective is = effective_of(&rule, rows[i].left_out, rows[i].own,
						   rows[i].mode);

		assert_int_equal(is.mode, rows[i].is);
		assert_int_equal(is.by, rows[i].by);
		assert_string_equal(effective_why(why, sizeof(why), is, "no CR filter"),
				    rows[i].why);
	}
}

/* A rule that the host leaves out is in the table and in all numbers. */
static void table(void **state)
{
	int fd = client();

	in_force(fd, NEW, "");
	MODES(fd, "enforced", "enforced", "reported", "reported", "enforced");
	say(fd, "rules\n");
	hear(fd);
	assert_int_equal(lines("data WHERE "), 1);
	assert_int_equal(lines("data new.yaml:4:5     enforced "), 1);
	assert_non_null(strstr(got, " sticky on EFER (SCE NXE)\n"));
	assert_non_null(strstr(got, " deny on STAR: its own mode is report\n"));
	assert_non_null(strstr(got, " deny on CSTAR: its action is report\n"));
	fake_launch.host.cr_filter = false;
	assert_true(command(fd, "mode to=enforce\n"));
	MODES(fd, "enforced", "detected", "reported", "reported", "enforced");
	assert_non_null(strstr(got, "\"decided_by\":\"host\",\"why\":"));
	assert_non_null(strstr(got, "{\"version\":1,\"rule\":\"sticky\",\"where\":\"new.yaml:6:5\",\"register\":\"CR0\",\"bits\":[\"WP\"],\"rule_action\":\"gp\""));
	in_force(fd, "version: 1\ndetect: {every: none}\nrules:\n"
		     "  - {register: EFER, sticky: [NXE]}\n"
		     "  - {register: CR0, sticky: [WP], optional: true}\n", "");
	MODES(fd, "enforced", "left_out");
	say(fd, "status\n");
	hear(fd);
	assert_non_null(strstr(got, "(2 rules: 1 enforced, 0 detected, 0 report only, 1 left out)"));
	say(fd, "status format=json\n");
	hear(fd);
	assert_non_null(strstr(got, "\"rules_left_out\":1,\"rule_modes\":0,"));
	say(fd, "rules format=words\n");
	hear(fd);
	assert_int_equal(lines("error syntax "), 1);
	close(fd);
}

/* A rule that holds for some guests only is not shown as if it held for all. */
static void some_guests(void **state)
{
	int fd = client();

	in_force(fd, "version: 1\nrules:\n  - register: EFER\n    sticky: [NXE]\n"
		     "    when: {vendor: intel, family: 6}\n"
		     "  - register: STAR\n    deny: write\n", "");
	say(fd, "rules format=json\n");
	hear(fd);
	assert_int_equal(lines("data {\"version\":1,\"rule\":\"sticky\",\"where\":\"new.yaml:4:5\",\"register\":\"EFER\",\"bits\":[\"NXE\"],\"when\":\"vendor GenuineIntel, family 0x6\","), 1);
	assert_null(strstr(strstr(got, "\"when\"") + 1, "\"when\""));
	say(fd, "rules\n");
	hear(fd);
	assert_non_null(strstr(got, " sticky on EFER (NXE) (when vendor GenuineIntel, family 0x6)\n"));
	close(fd);
}

/* The policy's mode, the operator's and a rule's: the narrower one counts. */
static void one_rule(void **state)
{
	static struct regpin_policy opened;
	int fd = client();

	in_force(fd, NEW, "");
	assert_true(command(fd, "mode to=report rule=new.yaml:4:5\n"));
	assert_int_equal(lines("data rule: new.yaml:4:5: enforced -> reported, by the operator's mode of this rule\n"), 1);
	assert_int_equal(lines("data loosens: EFER SCE NXE: clearing: gp -> report\n"), 1);
	assert_int_equal(lines("data loosens: "), 1);
	MODES(fd, "reported", "enforced", "reported", "reported", "enforced");
	assert_non_null(strstr(got, "\"decided_by\":\"operator-rule\",\"why\":\"the operator's mode of this rule is report\",\"operator_mode\":\"report\""));
	assert_int_equal(blob_open(fake_control.blob, fake_control.blob_size, &opened), 0);
	assert_int_equal(opened.nr_rules, 5);
	say(fd, "status\n");
	hear(fd);
	assert_non_null(strstr(got, "mode enforce (5 rules: 2 enforced, 0 detected, 3 report only, 0 left out; the operator's mode of 1 rule)"));
	say(fd, "events last=1\n");
	hear(fd);
	assert_non_null(strstr(got, "\"command\":\"mode\",\"to\":\"report\",\"rule\":\"sticky\",\"where\":\"new.yaml:4:5\",\"policy_file\":\"new.yaml\",\"loosens\":1,"));
	/* The narrower mode wins in both directions, and against the rule's own. */
	assert_true(command(fd, "mode to=enforce rule=9\n"));
	assert_true(command(fd, "mode to=report\n"));
	MODES(fd, "reported", "reported", "enforced", "reported", "enforced");
	assert_true(command(fd, "mode to=enforce\n"));
	MODES(fd, "reported", "enforced", "enforced", "reported", "enforced");
	/* Taking one back leaves the other. */
	assert_true(command(fd, "mode to=policy rule=4:5\n"));
	assert_int_equal(lines("data rule: new.yaml:4:5: reported -> enforced, as the operator's mode of this rule ends\n"), 1);
	MODES(fd, "enforced", "enforced", "enforced", "reported", "enforced");
	assert_int_equal(fake_launch.rule_modes.nr, 1);
	/* `policy` ends all of them. */
	assert_true(command(fd, "mode to=policy\n"));
	assert_int_equal(lines("data rules: the operator's mode of 1 rule ends\n"), 1);
	MODES(fd, "enforced", "enforced", "reported", "reported", "enforced");
	/* So does another text. */
	assert_true(command(fd, "mode to=report rule=4\n"));
	in_force(fd, NEW "  - {register: 0x8c, deny: write}\n", "");
	MODES(fd, "enforced", "enforced", "reported", "reported", "enforced", "enforced");
	close(fd);
}

static void refused(void **state)
{
	static const struct {
		const char *request, *answer;
	} rows[] = {
		{ "mode to=report rule=new.yaml:5:5\n",
		  "error no-such the policy in force has no rule at 'new.yaml:5:5': the nearest rules are at new.yaml:4:5, new.yaml:6:5, new.yaml:9:5\n" },
		{ "mode to=report rule=other.yaml:4:5\n",
		  "error no-such the policy in force has no rule at 'other.yaml:4:5': the nearest rules are at new.yaml:4:5, " },
		{ "mode to=report rule=EFER\n", "error no-such 'EFER' is not a place: write LINE" },
		{ "mode to=report rule=4:5:\n", "error no-such " },
		{ "mode to=report rule=99999999999:1\n", "error no-such " },
		{ "mode to=enforce rule=12\n",
		  "error rejected " },
		{ "mode to=report rule=15\n", "error rejected " },
		{ "mode to=enforce rule=6\n", "error rejected " },
		{ "mode to=report rule=\n", "error syntax " },
		{ "mode rule=4 to=report\n", "error " },
	};
	int fd = client();

	fake_launch.host.cr_filter = false;
	in_force(fd, NEW, "");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_false(command(fd, rows[i].request));
		assert_int_equal(lines(rows[i].answer), 1);
		assert_int_equal(fake_launch.rule_modes.nr, 0);
	}
	assert_false(command(fd, "mode to=enforce rule=6\n"));
	assert_non_null(strstr(got, "data refused: the rule can't be enforced: it would be detected: "));
	assert_false(command(fd, "mode to=enforce rule=12\n"));
	assert_non_null(strstr(got, "data refused: the rule can't be enforced: it would be reported: its action is report\n"));
	assert_false(command(fd, "mode to=report rule=15\n"));
	assert_non_null(strstr(got, "data refused: the rule can't be reported: it would be enforced: 'value' is never violated\n"));
	close(fd);
}

static void where(void **state)
{
	struct rule rules[] = {
		{ .line = 3, .column = 5 }, { .line = 3, .column = 5, .index = 1 },
		{ .line = 3, .column = 20 }, { .line = 7, .column = 5 },
		{ .line = 1u << PLACE_TEXT_SHIFT | 7, .column = 5 },
	};
	static struct regpin_policy policy = { .source = "/etc/a b.yaml" };
	struct rule_row rows[5] = { 0 };
	struct rule_table table = { .nr = 5, .rows = rows };
	struct rule_place place;
	char text[RULE_WHERE_TEXT];

	for (int i = 0; i < 5; i++)
		rows[i].rule = rules[i];
	snprintf(policy.bases[0], sizeof(policy.bases[0]), "base.yaml");
#define FIND(where)	rule_where_find(&table, &policy, where, &place, text)
	assert_int_equal(FIND("3"), -ENOTUNIQ);
	assert_string_equal(text, "'3' names several rules: /etc/a b.yaml:3:5, /etc/a b.yaml:3:20");
	assert_int_equal(FIND("3:20"), 0);
	assert_int_equal(place.column, 20);
	assert_int_equal(FIND("/etc/a b.yaml:3:5"), 0);
	assert_int_equal(FIND("a b.yaml:3:5"), 0);
	assert_int_equal(place.column, 5);
	assert_int_equal(FIND("b.yaml:3:5"), -ENOENT);
	assert_int_equal(FIND("7"), -ENOTUNIQ);
	assert_int_equal(FIND("base.yaml:7"), 0);
	assert_int_equal(PLACE_TEXT(place.line), 1);
	assert_int_equal(FIND("a b.yaml:7"), 0);
	assert_int_equal(place.line, 7);
	/* Places in the file that was named come first. */
	assert_int_equal(FIND("base.yaml:3"), -ENOENT);
	assert_string_equal(text, "the policy in force has no rule at 'base.yaml:3': the nearest rules are at base.yaml:7:5, /etc/a b.yaml:3:5, /etc/a b.yaml:3:20");
	table.nr = 0;
	assert_int_equal(FIND("3"), -ENOENT);
	assert_string_equal(text, "the policy in force has no rule at '3'");
#undef FIND
}

/* The mode of a rule is not applied to a policy that came into force meanwhile. */
static void changed_meanwhile(void **state)
{
	static const char other_text[] = "version: 1\nrules:\n  - register: EFER\n    sticky: [NXE]\n";
	int fd = client(), other = client();
	char head[64];

	in_force(fd, NEW, "");
	say(other, "window for=1s\n");
	snprintf(head, sizeof(head), "policy size=%zu name=o.yaml\n", strlen(other_text));
	say(fd, head);
	say(fd, other_text);
	hear(fd);
	assert_int_equal(lines("ok loosens="), 1);
	say(fd, "apply\n");
	say(other, "");
	fake_answer(0);		/* the window */
	run();
	hear(other);
	say(other, "mode to=report rule=4\n");
	fake_answer(0);		/* the policy */
	run();
	hear(fd);
	assert_string_equal(fake_launch.policy.source, "o.yaml");
	hear(other);
	assert_int_equal(lines("error changed "), 1);
	assert_int_equal(fake_launch.rule_modes.nr, 0);
	close(fd);
	close(other);
}

static void too_many(void **state)
{
	char policy[8192] = "version: 1\nrules:\n", request[64];
	int fd = client();

	for (int i = 0; i <= RULE_MODES_MAX; i++)
		snprintf(policy + strlen(policy), sizeof(policy) - strlen(policy),
			 "  - {register: %s, sticky: [%d]}\n",
			 i < 64 ? "STAR" : "EFER", i % 64);
	in_force(fd, policy, "");
	for (int i = 0; i < RULE_MODES_MAX; i++) {
		snprintf(request, sizeof(request), "mode to=report rule=%d\n", i + 3);
		if (!command(fd, request))
			fail_msg("%s: %.300s", request, got);
	}
	snprintf(request, sizeof(request), "mode to=report rule=%d\n", RULE_MODES_MAX + 3);
	assert_false(command(fd, request));
	assert_int_equal(lines("error rejected the operator has set the modes of 64 rules"), 1);
	assert_true(command(fd, "mode to=policy rule=3\n"));
	assert_true(command(fd, request));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(effective), cmocka_unit_test(where),
		TEST(table), TEST(some_guests), TEST(one_rule), TEST(refused),
		TEST(changed_meanwhile),
		TEST(too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
