/* SPDX-License-Identifier: GPL-2.0-only */
/* Problems of a policy, as JSON. */
#ifndef REGPIN_TOOL_PROBLEMS_JSON_H
#define REGPIN_TOOL_PROBLEMS_JSON_H

#include "base/json.h"
#include "problems.h"

/* "problems", an array in the order of their places, and "more". */
void json_problems(struct json *json, struct problems *problems);

/* Prints the whole output of a command whose policy @path is wrong. */
void json_wrong_policy(const char *path, struct problems *problems);

#endif
