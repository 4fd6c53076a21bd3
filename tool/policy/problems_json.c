// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>

#include "problems.h"
#include "problems_json.h"

void json_problems(struct json *json, struct problems *problems)
{
	problems_sort(problems);
	json_array_begin(json, "problems");
	for (unsigned int i = 0; i < problems->nr; i++) {
		const struct problem *problem = &problems->list[i];

		json_object_begin(json, NULL);
		json_string(json, "problem",
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
}

void json_wrong_policy(const char *path, struct problems *problems)
{
	struct json json;

	json_begin(&json, stdout);
	json_object_begin(&json, NULL);
	json_u64(&json, "version", JSON_VERSION);
	json_string(&json, "policy_file", path);
	json_bool(&json, "ok", false);
	json_problems(&json, problems);
	json_object_end(&json);
	json_end(&json);
}
