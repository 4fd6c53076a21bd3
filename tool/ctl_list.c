// SPDX-License-Identifier: GPL-2.0-only
/* regpin ctl list: the sockets in a directory, and whether somebody is there. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "ctl_client.h"
#include "ctl_list.h"
#include "ctl_socket.h"
#include "json.h"

#define LIST_MS	1000	/* for each agent: one that is stopped says nothing */

static int is_socket(const struct dirent *entry)
{
	char name[CTL_NAME_MAX];

	return ctl_file_name(entry->d_name, name);
}

static const char *state_of(const char *dir, const char *name)
{
	static struct ctl_client client;

	switch (client_open(&client, dir, name, LIST_MS)) {
	case 0:
		client_close(&client);
		return "alive";
	case -ECONNREFUSED:
		return "dead";
	case -EACCES:
		return "denied";
	case -ETIMEDOUT:
		return "silent";
	default:
		return "unknown";
	}
}

static void put_entry(struct json *json, const char *name, const char *state)
{
	if (!json) {
		printf("%-24s %s\n", name, state);
		return;
	}
	json_object_begin(json, NULL);
	json_string(json, "name", name);
	json_string(json, "state", state);
	json_object_end(json);
}

static void put_all(const char *dir, struct dirent **entries, int nr,
		    struct json *json)
{
	for (int i = 0; i < nr; i++) {
		char name[CTL_NAME_MAX];

		if (ctl_file_name(entries[i]->d_name, name))
			put_entry(json, name, state_of(dir, name));
		free(entries[i]);
	}
}

int ctl_list(const char *dir, bool json)
{
	struct dirent **entries = NULL;
	struct json out;
	int nr = scandir(dir, &entries, is_socket, alphasort);

	/* Where nothing was ever started there is nothing. */
	if (nr < 0 && errno != ENOENT) {
		fprintf(stderr, "regpin ctl: %s can't be read: %s\n", dir,
			strerror(errno));
		return EXIT_HOST;
	}
	if (json) {
		json_begin(&out, stdout);
		json_object_begin(&out, NULL);
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
