// SPDX-License-Identifier: GPL-2.0-only
/* regpin ctl list: the sockets in a directory, and the status of their agents' VMs. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/exit_codes.h"
#include "base/json.h"
#include "base/printable.h"
#include "ctl_client.h"
#include "ctl_list.h"
#include "ctl_socket.h"
#include "event/event_parts.h"

#define LIST_MS	1000	/* for each agent: a stopped one does not answer */

/* Keys of `status format=words` that are numbers, in the order of the JSON. */
static const char *const numbers[] = {
	"vcpus", "vcpus_armed", "vcpus_held", "violations", "reports", "detected",
	"rules_enforced", "rules_detected", "rules_report",
};

#define NR_NUMBERS	(sizeof(numbers) / sizeof(numbers[0]))

/**
 * struct row - a VM
 * @name: its name
 * @state: whether its agent answers
 * @words: the agent's answer, KEY=VALUE ..; "": there is none
 */
struct row {
	char name[CTL_NAME_MAX];
	const char *state;
	char words[EVENT_LINE_MAX];
};

static struct row row;

static int is_socket(const struct dirent *entry)
{
	char name[CTL_NAME_MAX];

	return ctl_file_name(entry->d_name, name);
}

static void take_words(const char *line)
{
	snprintf(row.words, sizeof(row.words), "%s", line);
}

static void take_dropped(const char *count)
{
}

/* An agent of an older version refuses this request: then the row has only name and state. */
static void ask(struct ctl_client *client)
{
	static const char request[] = "status format=words\n";

	client_send(client, request, strlen(request));
	if (client_answer(client, LIST_MS, take_words, take_dropped) != CTL_OK)
		row.words[0] = 0;
}

static void fill(const char *dir)
{
	static struct ctl_client client;

	row.words[0] = 0;
	switch (client_open(&client, dir, row.name, LIST_MS)) {
	case 0:
		row.state = "alive";
		ask(&client);
		client_close(&client);
		break;
	case -ECONNREFUSED:
		row.state = "dead";
		break;
	case -EACCES:
		row.state = "denied";
		break;
	case -ETIMEDOUT:
		row.state = "silent";
		break;
	default:
		row.state = "unknown";
		break;
	}
}

/* Copies the value of @key to @buf; "-" if it is not known. `policy_file` is the last key. */
static const char *value(const char *key, char *buf, size_t size)
{
	size_t len = strlen(key);
	const char *at = row.words;

	while (at && (strncmp(at, key, len) != 0 || at[len] != '=')) {
		at = strncmp(at, "policy_file=", 12) == 0 ? NULL : strchr(at, ' ');
		at += at != NULL;
	}
	if (!at)
		snprintf(buf, size, "-");
	else if (strcmp(key, "policy_file") == 0)
		snprintf(buf, size, "%s", at + len + 1);
	else
		snprintf(buf, size, "%.*s", (int)strcspn(at + len + 1, " "),
			 at + len + 1);
	return buf;
}

static void print_head(void)
{
	printf("%-16s %-7s %-8s %6s %6s %6s %8s %8s %8s  %-30s %s\n", "NAME",
	       "STATE", "MODE", "VCPUS", "ARMED", "HELD", "STOPPED", "PASSED",
	       "DETECTED", "RULES", "POLICY");
}

static void print_row(void)
{
	static const unsigned int widths[] = { 6, 6, 6, 8, 8, 8 };
	char buf[32], rules[3][24], all[96], policy[POLICY_MAX_SOURCE];

	printf("%-16s %-7s %-8s", row.name, row.state,
	       value("mode", buf, sizeof(buf)));
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++)
		printf(" %*s", (int)widths[i],
		       value(numbers[i], buf, sizeof(buf)));
	snprintf(all, sizeof(all), "%s enforced, %s detected, %s report",
		 value("rules_enforced", rules[0], sizeof(rules[0])),
		 value("rules_detected", rules[1], sizeof(rules[1])),
		 value("rules_report", rules[2], sizeof(rules[2])));
	printf("  %-30s %s\n", *row.words ? all : "-",
	       value("policy_file", policy, sizeof(policy)));
}

static void put_row(struct json *json)
{
	char buf[POLICY_MAX_SOURCE];

	json_object_begin(json, NULL);
	json_string(json, "name", row.name);
	json_string(json, "agent", row.state);
	if (*row.words) {
		json_string(json, "policy_file", value("policy_file", buf, sizeof(buf)));
		json_string(json, "mode", value("mode", buf, sizeof(buf)));
		for (size_t i = 0; i < NR_NUMBERS; i++)
			json_u64(json, numbers[i],
				 strtoull(value(numbers[i], buf, sizeof(buf)),
					  NULL, 10));
	}
	json_object_end(json);
}

/* Prints a row for each VM; as text if @json is NULL. */
static void put_all(const char *dir, struct dirent **entries, int nr,
		    struct json *json)
{
	bool first = true;

	for (int i = 0; i < nr; i++) {
		bool is = ctl_file_name(entries[i]->d_name, row.name);

		free(entries[i]);
		if (!is)
			continue;
		fill(dir);
		if (strcmp(row.state, "dead") == 0 &&
		    ctl_sweep(dir, row.name))
			continue;
		if (first && !json)
			print_head();
		first = false;
		if (json)
			put_row(json);
		else
			print_row();
	}
}

int ctl_list(const char *dir, bool given, bool json)
{
	struct dirent **entries = NULL;
	struct json out;
	int nr = scandir(dir, &entries, is_socket, alphasort);

	/* The default directory is made by the first start; before that there are no VMs. */
	if (nr < 0 && (given || errno != ENOENT)) {
		fprintf(stderr, "regpin ctl: the directory %s can't be read: %s%s\n",
			printable(dir), strerror(errno), errno == ENOENT ?
			"; it is made by the first 'regpin run --ctl' that names it" : "");
		return EXIT_HOST;
	}
	if (json) {
		json_begin(&out, stdout);
		json_object_begin(&out, NULL);
		json_u64(&out, "version", JSON_VERSION);
		json_string(&out, "directory", dir);
		json_array_begin(&out, "vms");
	}
	put_all(dir, entries, nr, json ? &out : NULL);
	free(entries);
	if (json) {
		json_array_end(&out);
		json_object_end(&out);
		json_end(&out);
	}
	return EXIT_OK;
}
