// SPDX-License-Identifier: GPL-2.0-only
/* regpin policies: the policies that commands find by name. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/json.h"
#include "base/options.h"
#include "base/printable.h"
#include "base/words.h"
#include "cmd.h"
#include "cmd_help.h"
#include "policy/policy_file.h"
#include "policy/policy_find.h"
#include "policy/policy_purpose.h"
#include "policy/policy_written.h"
#include "policy/problems.h"

/**
 * struct named - a policy
 * @name: its name
 * @file: its path
 * @hash: its hash; "" if it can't be read
 * @placed: @why begins with a line and a column
 * @why: why it can't be used, with the place in the text if it can be read; "" if it can
 * @purpose: the first sentence of its comment, or ""
 */
struct named {
	const char *name;
	char file[POLICY_MAX_SOURCE];
	char hash[POLICY_HASH_MAX];
	bool placed;
	char why[sizeof(((struct problem *)0)->text) + 24];
	char purpose[256];
};

static void set_why(struct named *named, const struct problems *problems)
{
	for (unsigned int i = 0; i < problems->nr; i++) {
		const struct problem *problem = &problems->list[i];

		if (problem->warning)
			continue;
		named->placed = problem->line;
		if (problem->line)
			snprintf(named->why, sizeof(named->why), "%" PRIu32 ":%" PRIu32 ": %s",
				 problem->line, problem->column, problem->text);
		else
			snprintf(named->why, sizeof(named->why), "%s", problem->text);
		return;
	}
}

static void set_file(struct named *named)
{
	int fd = policy_open(named->name, named->file);

	if (fd >= 0)
		close(fd);
}

/* Returns 0, or -ENOMEM. A policy that can't be used is no error. */
static int read_one(struct named *named, struct regpin_policy *policy,
		    struct problems *problems)
{
	struct policy_written written = { .text = NULL };
	int err;

	set_file(named);
	err = policy_text_keep(named->name, &written, problems);
	if (!err) {
		memcpy(named->hash, written.hash, sizeof(named->hash));
		policy_purpose(named->purpose, sizeof(named->purpose), written.text,
			       written.size);
		err = policy_in_mode(&written, MODE_POLICY, NULL, policy, problems);
		problems_sort(problems);
	}
	if (err && err != -ENOMEM)
		set_why(named, problems);
	policy_forget(&written);
	return err == -ENOMEM ? err : 0;
}

static int read_all(const struct policy_names *names, struct named *list)
{
	struct regpin_policy *policy = malloc(sizeof(*policy));
	struct problems *problems = problems_new();
	int err = policy && problems ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < names->nr; i++) {
		list[i].name = names->list[i];
		err = read_one(&list[i], policy, problems);
	}
	problems_free(problems);
	free(policy);
	return err;
}

static int width_of(const struct named *list, size_t nr, bool file)
{
	size_t width = 4;

	for (size_t i = 0; i < nr; i++) {
		size_t len = strlen(file ? printable(list[i].file) : list[i].name);

		width = len > width ? len : width;
	}
	return (int)width;
}

static void print_table(const struct named *list, size_t nr)
{
	int name = width_of(list, nr, false), file = width_of(list, nr, true);
	char folders[POLICY_FOLDERS_TEXT];

	if (!nr) {
		fprintf(stderr, "regpin policies: there is no policy in %s\n",
			policy_folders(folders));
		return;
	}
	printf("%-*s %-12s %-*s %s\n", name, "NAME", "HASH", file, "FILE", "PURPOSE");
	for (size_t i = 0; i < nr; i++)
		printf("%-*s %-12.12s %-*s %s\n", name, list[i].name,
		       *list[i].hash ? list[i].hash : "-", file, printable(list[i].file),
		       *list[i].purpose ? printable(list[i].purpose) : "-");
	fflush(stdout);
	for (size_t i = 0; i < nr; i++) {
		bool is_read = *list[i].hash;

		/* Without the text, the reason names the file. */
		if (*list[i].why)
			fprintf(stderr, "regpin policies: %s: %s%s%s; 'regpin check %s' prints all errors\n",
				list[i].name, is_read ? printable(list[i].file) : "",
				!is_read ? "" : list[i].placed ? ":" : ": ", printable(list[i].why), list[i].name);
	}
}

static void put_folder(void *json, const char *folder)
{
	json_string(json, NULL, folder);
}

static void print_json(const struct named *list, size_t nr)
{
	struct json json;

	json_begin(&json, stdout);
	json_object_begin(&json, NULL);
	json_u64(&json, "version", JSON_VERSION);
	json_array_begin(&json, "directories");
	policy_folders_each(put_folder, &json);
	json_array_end(&json);
	json_array_begin(&json, "named_policies");
	for (size_t i = 0; i < nr; i++) {
		json_object_begin(&json, NULL);
		json_string(&json, "policy_name", list[i].name);
		json_string(&json, "policy_file", list[i].file);
		if (*list[i].hash)
			json_string(&json, "policy_sha256", list[i].hash);
		if (*list[i].purpose)
			json_string(&json, "purpose", list[i].purpose);
		if (*list[i].why)
			json_string(&json, "why", list[i].why);
		json_object_end(&json);
	}
	json_array_end(&json);
	json_object_end(&json);
	json_end(&json);
}

static int print_policies(bool json)
{
	struct policy_names names;
	struct named *list = NULL;
	int err = policy_names_find(&names);

	if (err && err != -ENOMEM) {
		fprintf(stderr, "regpin policies: the folder %s can't be read: %s\n",
			printable(names.folder), strerror(-err));
	} else {
		list = err ? NULL : calloc(names.nr + 1, sizeof(*list));
		err = list ? read_all(&names, list) : -ENOMEM;
		if (err)
			fprintf(stderr, "regpin policies: out of memory\n");
		else if (json)
			print_json(list, names.nr);
		else
			print_table(list, names.nr);
	}
	free(list);
	policy_names_free(&names);
	return err ? EXIT_FILE : EXIT_OK;
}

static int policies_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	bool json = false;
	int c;

	optind = 0;
	while ((c = option_next("policies", argc, argv, "h", options)) != -1) {
		if (c == 'j') {
			json = true;
		} else if (c == 'h') {
			fputs(help_policies, stdout);
			return EXIT_OK;
		} else {
			return EXIT_USAGE;
		}
	}
	if (optind < argc)
		return usage_error("policies", "unexpected argument %s: 'regpin explain NAME' prints what a policy does",
				   show(argv[optind]).text);
	return print_policies(json);
}

const struct cmd cmd_policies = {
	.name = "policies",
	.main = policies_main,
	.help = "print the policies that have a name",
};
