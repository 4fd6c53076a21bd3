// SPDX-License-Identifier: GPL-2.0-only
/* regpin check: is this a policy, and what would not work as it says? */
#include <stdio.h>
#include <stdlib.h>

#include "cmd.h"
#include "json.h"
#include "options.h"
#include "policy_text.h"

static void usage(FILE *file)
{
	fputs("usage: regpin check [--json] POLICY...\n"
	      "\n"
	      "Reads each policy and prints all that is wrong with it as\n"
	      "FILE:LINE:COLUMN: error: TEXT. Warnings do not reject a policy.\n"
	      "\n"
	      "  --json  print one JSON object instead\n"
	      "\n"
	      "Exit status: 0 if all policies are good, 1 if one is rejected.\n",
	      file);
}

/**
 * struct checked - what one policy came to
 * @policy: the policy
 * @problems: what is wrong with it
 */
struct checked {
	struct regpin_policy policy;
	struct problems problems;
};

static void print_json(struct json *json, const char *path, bool ok,
		       struct checked *checked)
{
	struct problems *problems = &checked->problems;

	problems_sort(problems);
	json_object_begin(json, NULL);
	json_string(json, "file", path);
	json_bool(json, "ok", ok);
	if (ok)
		json_u64(json, "rules", checked->policy.nr_rules);
	json_u64(json, "errors", problems->errors);
	json_array_begin(json, "problems");
	for (unsigned int i = 0; i < problems->nr; i++) {
		const struct problem *problem = &problems->list[i];

		json_object_begin(json, NULL);
		json_string(json, "severity",
			    problem->warning ? "warning" : "error");
		if (problem->line) {
			json_u64(json, "line", problem->line);
			json_u64(json, "column", problem->column);
		}
		json_string(json, "text", problem->text);
		json_object_end(json);
	}
	json_array_end(json);
	json_bool(json, "more", problems->overflow);
	json_object_end(json);
}

/* Checks all policies at @paths. Returns an exit code. */
static int check_all(char **paths, struct json *json, struct checked *checked)
{
	int ret = EXIT_OK;

	for (; *paths; paths++) {
		bool ok = !policy_text_file(*paths, &checked->policy,
					    &checked->problems);

		if (!ok)
			ret = EXIT_REJECTED;
		if (json) {
			print_json(json, *paths, ok, checked);
			continue;
		}
		problems_print(&checked->problems, *paths, stderr);
	}
	return ret;
}

static int check_json(char **paths, struct checked *checked)
{
	struct json json;
	int ret;

	json_begin(&json, stdout);
	json_object_begin(&json, NULL);
	json_array_begin(&json, "policies");
	ret = check_all(paths, &json, checked);
	json_array_end(&json);
	json_bool(&json, "ok", ret == EXIT_OK);
	json_object_end(&json);
	/* What was lost on the way is told by main(). */
	json_end(&json);
	return ret;
}

static int cmd_check_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct checked *checked;
	bool json = false;
	int c, ret;

	optind = 0;
	while ((c = option_next("check", argc, argv, "h", options)) != -1) {
		switch (c) {
		case 'j':
			json = true;
			break;
		case 'h':
			usage(stdout);
			return EXIT_OK;
		default:
			usage(stderr);
			return EXIT_USAGE;
		}
	}
	if (optind == argc) {
		fputs("regpin check: which policy?\n", stderr);
		usage(stderr);
		return EXIT_USAGE;
	}
	checked = malloc(sizeof(*checked));
	if (!checked) {
		fputs("regpin check: out of memory\n", stderr);
		return EXIT_REJECTED;
	}
	ret = json ? check_json(argv + optind, checked) :
		     check_all(argv + optind, NULL, checked);
	free(checked);
	return ret;
}

const struct cmd cmd_check = {
	"check", cmd_check_main, "say what is wrong with a policy",
};
