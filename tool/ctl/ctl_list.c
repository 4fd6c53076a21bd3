// SPDX-License-Identifier: GPL-2.0-only
/* The table of all VMs. */
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/json.h"
#include "base/nr.h"
#include "base/printable.h"
#include "ctl_hint.h"
#include "ctl_list.h"
#include "ctl_rows.h"
#include "ctl_socket.h"
#include "lib/policy/policy.h"

#define LIST_MS	1000	/* for all agents: a stopped one does not answer */

/* Keys of `status format=words` that are numbers, in the order of the JSON. */
static const char *const numbers[] = {
	"vcpus", "vcpus_armed", "vcpus_held", "violations_stopped", "violations_passed",
	"violations_detected",
	"rules_enforced", "rules_detected", "rules_report", "rules_left_out",
	"rule_modes", "windows", "window_ms",
};

/* The user's name, or the number of a user without a name. */
static const char *user_name(uid_t uid, char buf[64])
{
	const struct passwd *user = getpwuid(uid);

	if (user)
		snprintf(buf, 64, "%s", user->pw_name);
	else
		snprintf(buf, 64, "%u", (unsigned int)uid);
	return buf;
}

static unsigned long number_of(const struct ctl_row *row, const char *key)
{
	char buf[32];

	return strtoul(ctl_row_value(row, key, buf, sizeof(buf)), NULL, 10);
}

/* "enforce", "enforce, 3 detected", ..: the mode, with the rules that are exceptions. */
static const char *mode_text(const struct ctl_row *row, char *buf, size_t size)
{
	static const struct {
		const char *key, *word;
	} exceptions[] = {
		{ "rules_detected", "detected" }, { "rules_report", "report only" },
		{ "rules_left_out", "left out" },
	};
	size_t len;

	ctl_row_value(row, "mode", buf, size);
	for (size_t i = 0; strcmp(buf, "-") != 0 && i < NR(exceptions); i++) {
		unsigned long nr = number_of(row, exceptions[i].key);

		/* In mode report all of them do. */
		if (!nr || (i == 1 && strncmp(buf, "report", 6) == 0))
			continue;
		len = strlen(buf);
		snprintf(buf + len, size - len, ", %lu %s", nr, exceptions[i].word);
	}
	return buf;
}

static const char *window_text(const struct ctl_row *row, char *buf, size_t size)
{
	if (!row->asked->words)
		snprintf(buf, size, "-");
	else if (!number_of(row, "windows"))
		snprintf(buf, size, "closed");
	else if (!number_of(row, "window_ms"))
		snprintf(buf, size, "open");
	else
		snprintf(buf, size, "%lus", (number_of(row, "window_ms") + 999) / 1000);
	return buf;
}

static const char *armed_text(const struct ctl_row *row, char *buf, size_t size)
{
	char armed[24], all[24];

	if (row->asked->words)
		snprintf(buf, size, "%s/%s", ctl_row_value(row, "vcpus_armed", armed, sizeof(armed)),
			 ctl_row_value(row, "vcpus", all, sizeof(all)));
	else
		snprintf(buf, size, "-");
	return buf;
}

/* The width of the column MODE: its texts are short, unless rules are exceptions. */
static int mode_width(const struct ctl_rows *rows)
{
	char mode[128];
	int width = 22;

	for (size_t i = 0; i < rows->nr; i++) {
		int len = (int)strlen(mode_text(&rows->rows[i], mode, sizeof(mode)));

		width = len > width ? len : width;
	}
	return width;
}

static void print_head(bool users, int width)
{
	printf("%-16s ", "NAME");
	if (users)
		printf("%-12s ", "USER");
	printf("%-7s %-*s %7s %5s %7s %8s %8s %8s %-12s %s\n", "STATE", width, "MODE",
	       "ARMED", "HELD", "WINDOW", "STOPPED", "PASSED", "DETECTED", "HASH", "POLICY");
}

static void print_row(const struct ctl_row *row, bool users, int width)
{
	char mode[128], armed[64], window[32], hash[16], user[64], policy[POLICY_MAX_SOURCE];
	static const struct {
		const char *key;
		int width;
	} columns[] = {
		{ "violations_stopped", 8 }, { "violations_passed", 8 },
		{ "violations_detected", 8 },
	};
	char buf[24];

	printf("%-16s ", row->asked->name);
	if (users)
		printf("%-12s ", user_name(row->folder->owner, user));
	printf("%-7s %-*s %7s %5s %7s", ctl_row_state(row), width,
	       mode_text(row, mode, sizeof(mode)), armed_text(row, armed, sizeof(armed)),
	       ctl_row_value(row, "vcpus_held", buf, sizeof(buf)),
	       window_text(row, window, sizeof(window)));
	for (size_t i = 0; i < NR(columns); i++)
		printf(" %*s", columns[i].width,
		       ctl_row_value(row, columns[i].key, buf, sizeof(buf)));
	printf(" %-12s %s\n", ctl_row_value(row, "policy_hash", hash, sizeof(hash)),
	       ctl_row_value(row, "policy_file", policy, sizeof(policy)));
}

static bool has_users(const struct ctl_rows *rows)
{
	for (size_t i = 1; i < rows->nr; i++)
		if (rows->rows[i].folder->owner != rows->rows[0].folder->owner)
			return true;
	return false;
}

static void print_rows(const char *title, const struct ctl_rows *rows, const char *option)
{
	bool users = has_users(rows);
	int width = mode_width(rows);
	char buf[1024];

	print_head(users, width);
	for (size_t i = 0; i < rows->nr; i++)
		print_row(&rows->rows[i], users, width);
	fflush(stdout);
	for (size_t i = 0; i < rows->nr; i++)
		if (ctl_row_advice(&rows->rows[i], option, buf, sizeof(buf)))
			fprintf(stderr, "regpin %s: %s: %s\n", title,
				rows->rows[i].asked->name, buf);
}

static void put_row(struct json *json, const struct ctl_row *row, const char *option)
{
	char buf[POLICY_MAX_SOURCE + 512];

	json_object_begin(json, NULL);
	json_string(json, "name", row->asked->name);
	json_string(json, "agent", ctl_row_state(row));
	json_string(json, "directory", row->folder->path);
	json_string(json, "user", user_name(row->folder->owner, buf));
	if (row->asked->words) {
		json_string(json, "policy_file", ctl_row_value(row, "policy_file", buf, sizeof(buf)));
		json_string(json, "policy_hash", ctl_row_value(row, "policy_hash", buf, sizeof(buf)));
		json_string(json, "mode", ctl_row_value(row, "mode", buf, sizeof(buf)));
		for (size_t i = 0; i < NR(numbers); i++)
			json_u64(json, numbers[i], number_of(row, numbers[i]));
	}
	if (row->asked->state == CTL_DEAD && row->pid)
		json_u64(json, "vmm_pid", (uint64_t)row->pid);
	if (ctl_row_advice(row, option, buf, sizeof(buf)))
		json_string(json, "advice", buf);
	json_object_end(json);
}

static void put_rows(const struct ctl_rows *rows, const struct ctl_folders *folders,
		     const char *option)
{
	struct json json;

	json_begin(&json, stdout);
	json_object_begin(&json, NULL);
	json_u64(&json, "version", JSON_VERSION);
	json_string(&json, "directory", folders->nr ? folders->list[0].path : "/run/regpin");
	json_array_begin(&json, "directories");
	for (unsigned int i = 0; i < folders->nr; i++)
		json_string(&json, NULL, folders->list[i].path);
	json_array_end(&json);
	json_array_begin(&json, "vms");
	for (size_t i = 0; i < rows->nr; i++)
		put_row(&json, &rows->rows[i], option);
	json_array_end(&json);
	json_object_end(&json);
	json_end(&json);
}

/* Reports that the VMs can't be listed. Part of them would look like all. */
static int fail(const char *title, int err)
{
	const char *fault = ctl_files_fault(err);

	fprintf(stderr, "regpin %s: the VMs can't be listed: %s\n", title,
		fault ? fault : strerror(-err));
	return EXIT_HOST;
}

/* Opens @dir, or all folders that there may be. Returns an exit code after a message. */
static int open_folders(const char *title, const char *dir, struct ctl_folders *folders)
{
	char buf[PATH_MAX];
	int err = 0;

	if (!dir) {
		/* The folders are made by the first start; before that there are no VMs. */
		if (ctl_default_dir(buf))
			err = ctl_folders_add(folders, ctl_default_dir(buf));
		if (!ctl_files_fault(err))
			err = ctl_folders_add_all(folders, "/run");
		return err ? fail(title, err) : EXIT_OK;
	}
	err = ctl_folders_add(folders, dir);
	if (!err)
		return EXIT_OK;
	if (ctl_files_fault(err))
		return fail(title, err);
	fprintf(stderr, "regpin %s: the directory %s can't be read: %s%s\n", title,
		printable(dir), strerror(-err), err == -ENOENT ?
		"; it is made by the first 'regpin run --ctl' that names it" : "");
	return EXIT_HOST;
}

int ctl_list(const char *title, const char *dir, bool json)
{
	struct ctl_folders folders = { .nr = 0 };
	int status = open_folders(title, dir, &folders);
	const struct ctl_hint hint = ctl_hint(dir);
	struct ctl_rows rows;
	int err = status ? 0 : ctl_rows_fill(&rows, &folders, LIST_MS);

	if (err) {
		status = fail(title, err);
	} else if (!status) {
		if (json)
			put_rows(&rows, &folders, hint.text);
		else if (rows.nr)
			print_rows(title, &rows, hint.text);
		else
			fprintf(stderr, "regpin %s: no VM runs under regpin%s%s, as far as this user can see\n",
				title, dir ? " in " : "", dir ? printable(dir) : "");
		if (rows.cut)
			fprintf(stderr, "regpin %s: a folder has more than %u sockets, and the others are left out: --ctl DIR lists one folder\n",
				title, CTL_FOLDER_MAX);
		ctl_rows_free(&rows);
	}
	ctl_folders_close(&folders);
	return status;
}
