// SPDX-License-Identifier: GPL-2.0-only
/* Settings of a policy: the request, the floor, times, reactions. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/nr.h"
#include "lib/policy/policy_check.h"
#include "lib/policy/windows.h"
#include "policy_reader.h"
#include "policy_settings.h"
#include "yaml_word.h"


/*
 * The map of the policy's key @name, or NULL if there is none. @example shows its form.
 * *@known, if @known is not NULL, is set to false if the map has a key that is not one of
 * @words.
 */
static const struct yaml_node *map_read(const struct reader *reader,
					const struct yaml_node *root,
					const char *name,
					const struct word *words, size_t nr,
					const char *example, bool *known)
{
	const struct yaml_node *key = yaml_key(root, name);
	char where[32];
	bool ok;

	if (!key || key->value->type == YAML_BAD)
		return NULL;
	if (key->value->type != YAML_MAP || !key->value->child) {
		problem_at(reader->problems, key->value,
			   "'%s' is a map: write %s", name, example);
		return NULL;
	}
	snprintf(where, sizeof(where), "in '%s'", name);
	ok = keys_check(reader, key->value, words, nr, where,
			"does not belong here");
	if (known)
		*known = ok;
	return key->value;
}

/* Reads a time, or `none`, which is 0. Does not change @ms if it is wrong. */
static void time_read(const struct reader *reader,
		      const struct yaml_node *key, uint32_t *ms)
{
	const struct yaml_node *node = key->value;
	const char *fault;
	uint32_t value;

	if (node->type == YAML_BAD)
		return;
	if (node->type != YAML_SCALAR || !node->text[0]) {
		problem_at(reader->problems, node,
			   "%s must be one time, for example 10ms, 2s, 5m or 1h, or none",
			   key->text);
		return;
	}
	if (strcmp(node->text, "none") == 0) {
		*ms = 0;
		return;
	}
	fault = duration_read(node->text, &value);
	if (!fault && !value)
		fault = DURATION_ZERO ": write none for never";
	if (fault)
		problem_at(reader->problems, node, "%s %s: %s%s", key->text,
			   show(node->text).text, fault,
			   number_like(node->text) ? "" : "; or write none");
	else
		*ms = value;
}

/* Reads one of @words. Does not change @action if it is wrong. */
static void reaction_read(const struct reader *reader,
			  const struct yaml_node *key,
			  const struct word *words, size_t nr, uint8_t *action)
{
	int value = word_value(key->value, key->text, words, nr,
			       reader->problems);

	if (value >= 0)
		*action = (uint8_t)value;
}

/* Reads a time and the action after it, one of @words. */
static void timed_read(const struct reader *reader,
		       const struct yaml_node *time, uint32_t *ms,
		       const struct yaml_node *reaction,
		       const struct word *words, size_t nr, uint8_t *action)
{
	if (time)
		time_read(reader, time, ms);
	if (reaction)
		reaction_read(reader, reaction, words, nr, action);
	if (time && reaction && !*ms)
		problem_at(reader->problems, reaction,
			   "'%s' has no effect with '%s: none': leave it out",
			   reaction->text, time->text);
}

static void floor_read(const struct reader *reader,
		       const struct yaml_node *root)
{
	static const struct word keys[] = { { "deadline", 0 }, { "action", 0 } };
	static const struct word words[] = {
		{ "pause", REGPIN_PAUSE },
		{ "stop", REGPIN_STOP },
		{ "report", REGPIN_REPORT },
	};
	struct settings *settings = &reader->policy->settings;
	const struct yaml_node *map;

	map = map_read(reader, root, "floor", keys, NR(keys),
		       "{deadline: 2s, action: pause}", NULL);
	if (map)
		timed_read(reader, yaml_key(map, "deadline"),
			   &settings->deadline_ms, yaml_key(map, "action"),
			   words, NR(words), &settings->deadline_action);
}

static void detect_read(const struct reader *reader,
			const struct yaml_node *root)
{
	static const struct word keys[] = { { "every", 0 }, { "reaction", 0 } };
	static const struct word words[] = {
		{ "report", REGPIN_REPORT },
		{ "restore", REGPIN_MASK },
		{ "pause", REGPIN_PAUSE },
		{ "stop", REGPIN_STOP },
	};
	struct settings *settings = &reader->policy->settings;
	const struct yaml_node *map;

	map = map_read(reader, root, "detect", keys, NR(keys),
		       "{every: 10ms, reaction: report}", NULL);
	if (map)
		timed_read(reader, yaml_key(map, "every"),
			   &settings->detect_ms, yaml_key(map, "reaction"),
			   words, NR(words), &settings->detect_action);
}

/* Is @index in the ranges of CPUs' own MSRs, which hypervisors do not use? */
static bool of_cpus(uint32_t index)
{
	int window = filter_window_of(index);

	return window >= 0 && (filter_windows[window] < 0x40000000u ||
			       filter_windows[window] >= 0xc0000000u);
}

static void request_msr_read(const struct reader *reader,
			     const struct yaml_node *node)
{
	const char *fault;
	uint64_t index;

	if (node->type == YAML_BAD)
		return;
	if (node->type != YAML_SCALAR)
		fault = "it is one index, for example 0x4b4d5300";
	else if (node->text[0] && !number_like(node->text))
		fault = "write its index, for example 0x4b4d5300: an MSR with a name has another use";
	else
		fault = number_read(node->text, strlen(node->text), UINT32_MAX,
				    &index);
	if (!fault)
		fault = request_fault((uint32_t)index);
	if (fault) {
		problem_at(reader->problems, node, "the request's MSR: %s",
			   fault);
		return;
	}
	if (of_cpus((uint32_t)index))
		problem_warning(reader->problems, node->line, node->column,
				"the request's MSR: CPUs have MSRs around 0x%" PRIx64 ", and a guest that probes for one would arm itself: choose another index, for example 0x4b4d5300",
				index);
	reader->policy->settings.request_msr = (uint32_t)index;
}

static void request_read(const struct reader *reader,
			 const struct yaml_node *root)
{
	static const struct word keys[] = { { "msr", 0 } };
	const struct yaml_node *map, *msr;
	bool known = true;

	map = map_read(reader, root, "request", keys, NR(keys),
		       "{msr: 0x4b4d5300}", &known);
	if (!map || reader->arming_unknown)
		return;
	if (reader->policy->arming != ARM_REQUEST) {
		problem_at(reader->problems, yaml_key(root, "request"),
			   "'request' arms a guest only with 'arming: request': write that, or leave 'request' out");
		return;
	}
	msr = yaml_key(map, "msr");
	if (msr)
		request_msr_read(reader, msr->value);
	else if (known)
		problem_at(reader->problems, map,
			   "'request' needs its MSR: write {msr: 0x4b4d5300}");
}

bool settings_have_reaction(const struct yaml_node *root)
{
	const struct yaml_node *key = yaml_key(root, "detect");

	return key && key->value->type == YAML_MAP &&
	       yaml_key(key->value, "reaction");
}

bool settings_have_floor_action(const struct yaml_node *root)
{
	const struct yaml_node *key = yaml_key(root, "floor");

	return key && key->value->type == YAML_MAP &&
	       yaml_key(key->value, "action");
}

/* `mode: report`: nothing is held, stopped or restored. */
static void settings_report_only(struct settings *settings)
{
	if (settings->init_action != REGPIN_ALLOW)
		settings->init_action = REGPIN_REPORT;
	settings->deadline_action = REGPIN_REPORT;
	settings->detect_action = REGPIN_REPORT;
}

void settings_read(const struct reader *reader, const struct yaml_node *root)
{
	static const struct word init[] = {
		{ "allow", REGPIN_ALLOW },
		{ "report", REGPIN_REPORT },
		{ "pause", REGPIN_PAUSE },
		{ "stop", REGPIN_STOP },
	};
	struct settings *settings = &reader->policy->settings;
	const struct yaml_node *key;

	request_read(reader, root);
	floor_read(reader, root);
	detect_read(reader, root);
	key = yaml_key(root, "unarmed");
	if (key)
		time_read(reader, key, &settings->unarmed_ms);
	key = yaml_key(root, "init");
	if (key)
		reaction_read(reader, key, init, NR(init),
			      &settings->init_action);
	if (reader->report)
		settings_report_only(settings);
}
