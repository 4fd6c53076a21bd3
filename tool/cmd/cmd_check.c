// SPDX-License-Identifier: GPL-2.0-only
/* regpin check: errors and warnings about a policy. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/exit_codes.h"
#include "base/json.h"
#include "base/options.h"
#include "base/printable.h"
#include "cmd.h"
#include "cmd_help.h"
#include "policy/policy_file.h"
#include "policy/problems.h"
#include "policy/problems_json.h"
#include "policy/store_start.h"

/**
 * struct checked - the result for one policy
 * @policy: the policy
 * @hash: of its text, empty if it can't be read
 * @problems: errors and warnings about it
 * @change: a base that has changed since the policy was last started
 * @werror: warnings reject it
 */
struct checked {
	struct regpin_policy policy;
	char hash[POLICY_HASH_MAX];
	struct problems problems;
	struct base_change change;
	bool werror;
};

/* Counts the listed errors or warnings; there may be more, which are not listed. */
static uint64_t listed(const struct problems *problems, bool warning)
{
	uint64_t nr = 0;

	for (unsigned int i = 0; i < problems->nr; i++)
		nr += problems->list[i].warning == warning;
	return nr;
}

static void json_change(struct json *json, const struct base_change *change)
{
	json_object_begin(json, "base_changed");
	json_string(json, "base", change->name);
	json_string(json, "path", change->path);
	json_string(json, "old_hash", change->old_hash);
	json_string(json, "new_hash", change->new_hash);
	if (change->counted) {
		json_u64(json, "loosens", change->counts[DIFF_LOOSENS]);
		json_u64(json, "tightens", change->counts[DIFF_TIGHTENS]);
		json_u64(json, "changes", change->counts[DIFF_CHANGES]);
	}
	json_object_end(json);
}

static void print_json(struct json *json, const char *path, int status,
		       struct checked *checked)
{
	struct problems *problems = &checked->problems;

	json_object_begin(json, NULL);
	json_string(json, "policy_file", path);
	json_bool(json, "ok", status == EXIT_OK);
	json_bool(json, "readable", status != EXIT_FILE);
	if (checked->hash[0])
		json_string(json, "policy_sha256", checked->hash);
	if (!problems->errors)
		json_u64(json, "rules", checked->policy.nr_rules);
	json_u64(json, "errors", listed(problems, false));
	json_u64(json, "warnings", listed(problems, true));
	json_problems(json, problems);
	if (checked->change.name[0])
		json_change(json, &checked->change);
	json_object_end(json);
}

/* A base that has changed is no fault of the policy, and does not count for the exit status. */
static void find_change(const char *path, struct checked *checked)
{
	struct policy_written written = { .text = NULL };
	struct problems *problems = calloc(1, sizeof(*problems));
	char file[STORE_START_NAME];

	/* Standard input can be read only once. */
	if (problems && strcmp(path, "-") != 0 && !policy_text_keep(path, &written, problems)) {
		store_start_name(file, path, &written);
		store_start_compare(NULL, file, &written, &checked->change);
	}
	policy_forget(&written);
	free(problems);
}

static int check_one(const char *path, struct checked *checked)
{
	int err = policy_text_file_hash(path, checked->hash, &checked->policy,
					&checked->problems);

	checked->change.name[0] = 0;
	if (!err)
		find_change(path, checked);
	if (POLICY_UNREADABLE(err))
		return EXIT_FILE;
	return err || (checked->werror && checked->problems.nr) ?
		       EXIT_REJECTED : EXIT_OK;
}

static void print_text(const char *path, struct checked *checked)
{
	char text[BASE_CHANGE_TEXT];

	problems_print(&checked->problems, path, stderr);
	if (checked->change.name[0])
		fprintf(stderr, "%s: note: %s\n", printable(path),
			base_change_text(text, &checked->change));
}

/*
 * Checks all policies at @paths. Returns the highest exit code: that of a policy that can't be
 * read is the highest.
 */
static int check_all(char **paths, struct json *json, struct checked *checked)
{
	int ret = EXIT_OK;

	for (; *paths; paths++) {
		int status = check_one(*paths, checked);

		if (status > ret)
			ret = status;
		if (json)
			print_json(json, *paths, status, checked);
		else
			print_text(*paths, checked);
	}
	return ret;
}

static int check_json(char **paths, struct checked *checked)
{
	struct json json;
	int ret;

	json_begin(&json, stdout);
	json_object_begin(&json, NULL);
	json_u64(&json, "version", JSON_VERSION);
	json_array_begin(&json, "policies");
	ret = check_all(paths, &json, checked);
	json_array_end(&json);
	json_bool(&json, "ok", ret == EXIT_OK);
	json_object_end(&json);
	/* main() reports a failed write to standard output. */
	json_end(&json);
	return ret;
}

/* Is standard input named twice? It can be read only once. */
static bool stdin_twice(char **paths)
{
	unsigned int nr = 0;

	for (; *paths; paths++)
		nr += strcmp(*paths, "-") == 0;
	return nr > 1;
}

static int cmd_check_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "werror", no_argument, NULL, 'w' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct checked *checked;
	bool json = false, werror = false;
	int c, ret;

	optind = 0;
	while ((c = option_next("check", argc, argv, "h", options)) != -1) {
		switch (c) {
		case 'j':
			json = true;
			break;
		case 'w':
			werror = true;
			break;
		case 'h':
			fputs(help_check, stdout);
			return EXIT_OK;
		default:
			return EXIT_USAGE;
		}
	}
	if (optind == argc || stdin_twice(argv + optind))
		return usage_error("check", "%s", optind == argc ?
				   "name at least one policy" :
				   "'-', standard input, can be read only once");
	checked = malloc(sizeof(*checked));
	if (!checked) {
		fputs("regpin check: out of memory\n", stderr);
		return EXIT_FILE;
	}
	checked->werror = werror;
	ret = json ? check_json(argv + optind, checked) :
		     check_all(argv + optind, NULL, checked);
	free(checked);
	return ret;
}

const struct cmd cmd_check = {
	"check", cmd_check_main, "print what is wrong with a policy",
};
