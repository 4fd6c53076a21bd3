// SPDX-License-Identifier: GPL-2.0-only
/* The objects and options of the commands of `regpin ctl`, and their requests. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/exit_codes.h"
#include "base/nr.h"
#include "base/options.h"
#include "base/words.h"
#include "ctl_command.h"

#define OPT(option)	(1u << CTL_OPT_##option)

/* The options as they are written, in messages and in `needs`. */
static const char *const option_names[CTL_OPT_MAX] = {
	[CTL_OPT_VM] = "--vm N",
	[CTL_OPT_VCPU] = "--vcpu N",
	[CTL_OPT_FOR] = "--for TIME",
	[CTL_OPT_LAST] = "--last N",
	[CTL_OPT_MODE] = "--mode report|enforce|policy",
	[CTL_OPT_CONFIRM] = "--confirm TIME",
	[CTL_OPT_RULE] = "--rule WHERE",
	[CTL_OPT_ONCE] = "--once",
	[CTL_OPT_END] = "--end",
	[CTL_OPT_FOLLOW] = "--follow",
	[CTL_OPT_JSON] = "--json",
	[CTL_OPT_YES] = "--yes",
	[CTL_OPT_PRINT] = "--print",
	[CTL_OPT_ROLLBACK] = "--rollback",
	[CTL_OPT_RULES] = "--rules",
};

static const struct command {
	const char *name;
	uint32_t may, must;
	const char *object;	/* the argument after the name, or NULL */
} commands[] = {
	{ "status", OPT(JSON) | OPT(RULES), 0, NULL },
	{ "events", OPT(LAST) | OPT(FOLLOW), 0, NULL },
	{ "arm", OPT(VM), 0, NULL },
	{ "disarm", OPT(VM), 0, NULL },
	{ "allow", OPT(VM), OPT(VCPU), NULL },
	{ "gp", OPT(VM), OPT(VCPU), NULL },
	{ "stop", OPT(VM), OPT(VCPU), NULL },
	{ "window", OPT(VM) | OPT(FOR) | OPT(ONCE) | OPT(END), 0, NULL },
	{ "mode", OPT(RULE), 0, "report, enforce or policy" },
	{ "policy", OPT(MODE) | OPT(YES) | OPT(CONFIRM), 0, "a FILE, --rollback or --print" },
	{ "confirm", 0, 0, NULL },
	{ "reopen", 0, 0, NULL },
	{ "help", 0, 0, NULL },
}, rollback = {
	"policy --rollback", OPT(MODE) | OPT(YES) | OPT(CONFIRM), OPT(ROLLBACK), NULL,
}, print = {
	"policy --print", 0, OPT(PRINT), NULL,
};

/* The option's name without its value. */
static struct shown option_name(unsigned int option)
{
	struct shown name;

	snprintf(name.text, sizeof(name.text), "%.*s",
		 (int)strcspn(option_names[option], " "), option_names[option]);
	return name;
}

static int unknown_command(const char *name)
{
	struct nearest nearest;

	nearest_begin(&nearest, name);
	for (size_t i = 0; i < NR(commands); i++)
		nearest_try(&nearest, commands[i].name);
	return usage_error("ctl", "there is no command %s%s", show(name).text,
			 nearest_hint(&nearest).text);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < NR(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

bool ctl_command_exists(const char *name)
{
	return find_command(name);
}

/* Checks that @name takes each given option, and has each option that it needs. */
static int check_set(const char *name, uint32_t may, uint32_t must,
		     const struct ctl_options *options)
{
	for (unsigned int i = 0; i < CTL_OPT_MAX; i++) {
		if (options->value[i] && !((may | must) >> i & 1))
			return usage_error("ctl", "'%s' does not take %s",
					   name, option_name(i).text);
		if (!options->value[i] && must >> i & 1)
			return usage_error("ctl", "'%s' needs %s", name, option_names[i]);
	}
	return -1;
}

static bool is_number(const char *text, uint64_t max)
{
	uint64_t value;

	return !number_read(text, strlen(text), max, &value);
}

/* A time that must not be 0. */
static int check_time(const struct ctl_options *options, enum ctl_option option)
{
	const char *text = options->value[option], *fault;
	uint32_t ms = 0;

	if (!text)
		return -1;
	fault = duration_read(text, &ms);
	if (!fault && !ms)
		fault = DURATION_ZERO;
	return fault ? usage_error("ctl", "%s %s: %s", option_name(option).text,
				   show(text).text, fault) : -1;
}

static int check_values(const struct ctl_options *options)
{
	const char *const *value = options->value;
	int status;

	for (unsigned int i = CTL_OPT_VM; i <= CTL_OPT_VCPU; i++)
		if (value[i] && !is_number(value[i], CTL_MAX_ID))
			return usage_error("ctl", "%s %s is not the number of a %s: 'status' prints them",
					 option_name(i).text, show(value[i]).text,
					 i == CTL_OPT_VM ? "VM" : "vCPU");
	if (value[CTL_OPT_LAST] &&
	    !is_number(value[CTL_OPT_LAST], CTL_LOG_LINES))
		return usage_error("ctl", "--last %s must be a number of lines from 0 to %u",
				 show(value[CTL_OPT_LAST]).text, CTL_LOG_LINES);
	if (value[CTL_OPT_MODE] &&
	    policy_mode_find(value[CTL_OPT_MODE]) == MODE_MAX)
		return usage_error("ctl", "--mode %s must be report, enforce or policy",
				 show(value[CTL_OPT_MODE]).text);
	status = check_time(options, CTL_OPT_FOR);
	return status < 0 ? check_time(options, CTL_OPT_CONFIRM) : status;
}

static int check_window(const struct ctl_options *options)
{
	const char *const *value = options->value;

	if (!value[CTL_OPT_FOR] && !value[CTL_OPT_END])
		return usage_error("ctl", "'window' needs --for TIME, or --end");
	if (value[CTL_OPT_END] && (value[CTL_OPT_FOR] || value[CTL_OPT_ONCE]))
		return usage_error("ctl", "--end closes a window: --for and --once open one");
	return -1;
}

/* `policy` without a FILE is another command. */
static const struct command *variant_of(const struct command *command,
					const struct ctl_options *options)
{
	if (strcmp(command->name, "policy") != 0)
		return command;
	return options->value[CTL_OPT_PRINT] ? &print :
	       options->value[CTL_OPT_ROLLBACK] ? &rollback : command;
}

int ctl_command_check(char *const *words, const struct ctl_options *options)
{
	const struct command *command = find_command(words[0]);
	char *const *objects = words + 1;
	int status;

	if (!command)
		return unknown_command(words[0]);
	command = variant_of(command, options);
	if (command->object && !*objects)
		return usage_error("ctl", "'%s' needs %s", command->name,
				 command->object);
	objects += command->object != NULL;
	if (*objects)
		return usage_error("ctl", "unexpected argument %s after '%s'",
				 show(*objects).text, command->name);
	status = check_set(command->name, command->may, command->must, options);
	if (status < 0)
		status = check_values(options);
	if (status < 0 && strcmp(words[0], "window") == 0)
		status = check_window(options);
	if (status < 0 && strcmp(words[0], "mode") == 0 &&
	    policy_mode_find(words[1]) == MODE_MAX)
		status = usage_error("ctl", "the mode %s must be report, enforce or policy",
				   show(words[1]).text);
	return status;
}

int ctl_table_check(const char *what, const char *object,
		    const struct ctl_options *options)
{
	if (object)
		return usage_error("ctl", "unexpected argument %s after '%s'",
				 show(object).text, what);
	return check_set(what, OPT(JSON), 0, options);
}

void ctl_append(char request[CTL_LINE_MAX], const char *format, ...)
{
	size_t len = strlen(request);
	va_list ap;

	va_start(ap, format);
	vsnprintf(request + len, CTL_LINE_MAX - len, format, ap);
	va_end(ap);
}

void ctl_command_request(char *const *words, const struct ctl_options *options,
			 char request[CTL_LINE_MAX])
{
	const char *const *value = options->value;
	uint32_t ms = 0;

	if (value[CTL_OPT_FOR])
		duration_read(value[CTL_OPT_FOR], &ms);
	request[0] = 0;
	ctl_append(request, "%.100s", value[CTL_OPT_END] ? "window-end" :
		   value[CTL_OPT_RULES] ? "rules" :
		   value[CTL_OPT_PRINT] ? "print" :
		   value[CTL_OPT_ROLLBACK] ? "rollback" : words[0]);
	if (words[1])
		ctl_append(request, " to=%.100s", words[1]);
	if (value[CTL_OPT_VM])
		ctl_append(request, " vm=%.20s", value[CTL_OPT_VM]);
	if (value[CTL_OPT_VCPU])
		ctl_append(request, " vcpu=%.20s", value[CTL_OPT_VCPU]);
	if (value[CTL_OPT_FOR])
		ctl_append(request, " for=%" PRIu32 "ms", ms);
	if (value[CTL_OPT_ONCE])
		ctl_append(request, " once=yes");
	if (value[CTL_OPT_LAST])
		ctl_append(request, " last=%.20s", value[CTL_OPT_LAST]);
	if (value[CTL_OPT_MODE])
		ctl_append(request, " mode=%.20s", value[CTL_OPT_MODE]);
	if (value[CTL_OPT_FOLLOW])
		ctl_append(request, " follow=yes");
	if (value[CTL_OPT_JSON])
		ctl_append(request, " format=json");
	/* It takes the rest of the line. */
	if (value[CTL_OPT_RULE])
		ctl_append(request, " rule=%.*s", PLACE_MAX, value[CTL_OPT_RULE]);
}
