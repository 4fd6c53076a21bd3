// SPDX-License-Identifier: GPL-2.0-only
/* regpin run: starts a VMM under a policy. The start itself is in launch.c. */
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/hook_file.h"
#include "agent/keep.h"
#include "agent/launch.h"
#include "agent/launch_messages.h"
#include "agent/limit.h"
#include "agent/parent.h"
#include "agent/sink.h"
#include "base/exit_codes.h"
#include "base/options.h"
#include "base/printable.h"
#include "base/words.h"
#include "cmd.h"
#include "cmd_help.h"
#include "policy/policy_file.h"
#include "policy/policy_written.h"
#include "policy/problems.h"
#include "policy/unfit.h"
#include "shim_find.h"
#include "run_fit.h"
#include "vmm/s3.h"
#include "vmm/vmm.h"

#define MAX_LIMIT	1000000000ul

/**
 * struct options - the command line
 * @policy: the policy's path
 * @events: --events
 * @mode: --mode
 * @timeout_ms: --attach-timeout
 * @limit: --event-limit
 * @total: --event-total
 * @name: --name, NULL for the process id
 * @ctl: --ctl, NULL for the default
 * @hook: --hook
 * @answer_ms, @answer: --answer-after
 * @no_ctl: --no-ctl
 * @store: --store, NULL for the default
 * @require_vm: --require-vm
 * @has_vmm_user: there is a --vmm-user: @vmm_user
 */
struct options {
	const char *policy, *name, *ctl, *hook, *store;
	struct sink events;
	enum policy_mode mode;
	bool no_ctl, require_vm, has_vmm_user;
	uid_t vmm_user;
	unsigned int timeout_ms, limit, total, answer_ms;
	uint32_t answer;
};

static bool read_number(const char *text, unsigned long max, unsigned int *ret)
{
	unsigned long n = strtoul(text, NULL, 10);

	if (strspn(text, "0123456789") != strlen(text) || !*text || n > max)
		return false;
	*ret = (unsigned int)n;
	return true;
}

/* A time, or `none`. A time of 0 would look like no time at all. */
static int read_timeout(const char *text, unsigned int *timeout_ms)
{
	const char *fault = NULL;
	uint32_t ms = 0;

	if (strcmp(text, "none") != 0) {
		fault = duration_read(text, &ms);
		if (!fault && !ms)
			fault = DURATION_ZERO;
	}
	*timeout_ms = ms;
	return fault ? usage_error("run", "--attach-timeout %s: %s; write none for no limit",
				   show(text).text, fault) : 0;
}

static int read_limit(const char *text, unsigned int *limit)
{
	if (read_number(text, MAX_LIMIT, limit))
		return 0;
	return usage_error("run", "--event-limit %s must be a number of lines from 0 to %lu",
			   show(text).text, MAX_LIMIT);
}

static int read_total(const char *text, unsigned int *total)
{
	if (read_number(text, MAX_LIMIT, total))
		return 0;
	return usage_error("run", "--event-total %s must be a number of lines from 0 to %lu",
			   show(text).text, MAX_LIMIT);
}

/* TIME:gp or TIME:stop. */
static int read_answer(const char *text, struct options *options)
{
	const char *colon = strchr(text, ':'), *fault;
	char time[32];

	if (!colon || (strcmp(colon, ":gp") != 0 && strcmp(colon, ":stop") != 0 &&
		       strcmp(colon, ":allow") != 0))
		return usage_error("run", "--answer-after %s must be TIME:gp or TIME:stop",
				   show(text).text);
	if (strcmp(colon, ":allow") == 0)
		return usage_error("run", "--answer-after %s: an access is never allowed without an operator; use gp or stop",
				   show(text).text);
	snprintf(time, sizeof(time), "%.*s", (int)(colon - text), text);
	fault = colon - text < (ptrdiff_t)sizeof(time) ?
			duration_read(time, &options->answer_ms) : "the time is too long";
	if (!fault && !options->answer_ms)
		fault = "the time can't be 0; use 'action: gp' or 'action: stop' in the policy";
	options->answer = strcmp(colon, ":stop") == 0 ? REGPIN_STOP : REGPIN_GP;
	return fault ? usage_error("run", "--answer-after %s: %s", show(text).text, fault) : 0;
}

static int read_name(const char *text, const char **name)
{
	const char *fault = ctl_name_fault(text);

	*name = text;
	if (!fault && ctl_name_reserved(text))
		fault = "it is a command of 'regpin ctl'";
	if (!fault)
		return 0;
	return usage_error("run", "--name %s can't be used: %s",
			   show(text).text, fault);
}

static int read_user(const char *text, struct options *options)
{
	const struct passwd *user = getpwnam(text);
	unsigned int number;

	options->has_vmm_user = true;
	if (user)
		options->vmm_user = user->pw_uid;
	else if (read_number(text, UINT_MAX - 1ul, &number))
		options->vmm_user = number;
	else
		return usage_error("run", "--vmm-user %s: there is no such user",
				   show(text).text);
	return 0;
}

static int read_events(const char *text, struct sink *sink)
{
	const char *fault = sink_find(sink, text);

	return fault ? usage_error("run", "--events %s: %s", show(text).text,
				   fault) : 0;
}

static int read_mode(const char *text, enum policy_mode *mode)
{
	*mode = policy_mode_find(text);
	if (*mode != MODE_ENFORCE && *mode != MODE_REPORT)
		return usage_error("run", "--mode %s must be enforce or report",
				   show(text).text);
	return 0;
}

/* Do the options go together? Returns an exit code, or -1 to continue. */
static int check_options(const struct options *options, bool has_vmm)
{
	if (options->ctl && options->no_ctl)
		return usage_error("run", "--ctl and --no-ctl contradict each other: leave one of them out");
	if (!options->policy)
		return usage_error("run", "name a policy: --policy POLICY");
	if (!has_vmm)
		return usage_error("run", "name the VMM to start: ... -- VMM ARGUMENTS");
	return -1;
}

/* Returns an exit code, or -1 to continue. */
static int read_options(int argc, char **argv, struct options *options)
{
	static const struct option longs[] = {
		{ "policy", required_argument, NULL, 'p' },
		{ "mode", required_argument, NULL, 'm' },
		{ "events", required_argument, NULL, 'e' },
		{ "event-limit", required_argument, NULL, 'l' },
		{ "event-total", required_argument, NULL, 'L' },
		{ "attach-timeout", required_argument, NULL, 't' },
		{ "require-vm", no_argument, NULL, 'r' },
		{ "name", required_argument, NULL, 'n' },
		{ "ctl", required_argument, NULL, 'c' },
		{ "no-ctl", no_argument, NULL, 'C' },
		{ "answer-after", required_argument, NULL, 'a' },
		{ "hook", required_argument, NULL, 'k' },
		{ "vmm-user", required_argument, NULL, 'u' },
		{ "store", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c, err = 0;

	optind = 0;
	while (!err && (c = option_next("run", argc, argv, "+h", longs)) != -1) {
		if (c == 'p') {
			options->policy = optarg;
		} else if (c == 'm') {
			err = read_mode(optarg, &options->mode);
		} else if (c == 'e') {
			err = read_events(optarg, &options->events);
		} else if (c == 'l') {
			err = read_limit(optarg, &options->limit);
		} else if (c == 'L') {
			err = read_total(optarg, &options->total);
		} else if (c == 't') {
			err = read_timeout(optarg, &options->timeout_ms);
		} else if (c == 'r') {
			options->require_vm = true;
		} else if (c == 'n') {
			err = read_name(optarg, &options->name);
		} else if (c == 'c') {
			options->ctl = optarg;
		} else if (c == 'C') {
			options->no_ctl = true;
		} else if (c == 'a') {
			err = read_answer(optarg, options);
		} else if (c == 'k') {
			options->hook = optarg;
		} else if (c == 's') {
			options->store = optarg;
		} else if (c == 'u') {
			err = read_user(optarg, options);
		} else if (c == 'h') {
			fputs(help_run, stdout);
			return EXIT_OK;
		} else {
			return EXIT_USAGE;
		}
	}
	return err ? err : check_options(options, optind < argc);
}

static int read_policy(const struct options *options, struct launch *launch)
{
	struct problems *problems = problems_new();
	int err = -ENOMEM;

	launch->mode = options->mode;
	if (problems)
		err = policy_text_keep(options->policy, &launch->written,
				       problems);
	if (!err)
		err = policy_in_mode(&launch->written, options->mode, NULL,
				     &launch->policy, problems);
	if (problems && err)
		problems_print(problems, options->policy, stderr);
	launch->warnings = problems;
	if (err) {
		fprintf(stderr, "regpin: the VMM was not started: the policy %s can't be used%s%s\n",
			printable(options->policy),
			err == -ENOTSUP ? " with --mode " : "",
			err == -ENOTSUP ? policy_mode_names[options->mode] :
			err == -ENOMEM ? ": out of memory" : "");
		return err == -ENOMEM ? EXIT_RUN : EXIT_REJECTED;
	}
	return 0;
}

/*
 * Is this QEMU's own command line, or a wrapper's that contains QEMU's? A process that
 * another kind of wrapper starts is checked by the agent when it creates a VM.
 */
static bool find_line(const struct launch *launch, struct vmm_line *line)
{
	static char name[PATH_MAX];
	char **argv = launch->argv;

	*line = (struct vmm_line){
		.path = launch->vmm, .name = launch->vmm,
		.argv = (const char *const *)argv, .root = "", .cwd = ".",
	};
	if (realpath(launch->vmm, name))
		line->name = name;
	if (vmm_is_qemu(line))
		return true;
	while (*++argv) {
		const char *slash = strrchr(*argv, '/');

		line->path = line->name = *argv;
		line->argv = (const char *const *)argv;
		if (strncmp(slash ? slash + 1 : *argv, "qemu-", 5) == 0 &&
		    vmm_is_qemu(line))
			return true;
	}
	return false;
}

/* Checks the command line before anything is started. */
static int check_line(const struct launch *launch)
{
	enum vmm_fault fault = VMM_FINE;
	struct vmm_line line;
	char text[1024];

	if (find_line(launch, &line))
		fault = vmm_fault(&launch->policy, &line, text, sizeof(text));
	/* The agent reports it when the VM is created. */
	if (fault == VMM_FINE || fault == VMM_S3_TOLERATED)
		return 0;
	fprintf(stderr, "regpin: the VMM was not started: %s\n",
		printable(text));
	return EXIT_CANNOT_EXEC;
}

/* A shim can serve only one agent, so `run` must not be nested. */
static int refuse_nesting(void)
{
	if (!getenv(HANDOFF_ENV))
		return 0;
	fprintf(stderr, "regpin: the VMM was not started: " HANDOFF_ENV " is in the environment, so this process is under another 'regpin run' already: start the VMM with one of them only\n");
	return EXIT_RUN;
}

static int open_events(struct launch *launch, const struct sink *sink)
{
	int err = sink_open(sink, launch);

	if (!err)
		return 0;
	fprintf(stderr, "regpin: the VMM was not started: events can't be written to %s: %s\n",
		printable(launch->events_name), sink_fault(err));
	return EXIT_RUN;
}

/* Each run checks it again. A wrong one should be noticed before there is a VM. */
static int check_hook(const char *hook)
{
	char fault[HOOK_FAULT_MAX];
	int fd = hook ? hook_open(hook, geteuid(), fault) : -1;

	if (fd >= 0)
		close(fd);
	if (!hook || fd >= 0)
		return 0;
	fprintf(stderr, "regpin: the VMM was not started: the hook %s can't be used: %s\n",
		printable(hook), fault);
	return EXIT_RUN;
}

static int run_main(int argc, char **argv)
{
	static struct launch start;
	struct options options = { .timeout_ms = 30000, .limit = 10,
				   .total = LIMIT_TOTAL };
	int status = read_options(argc, argv, &options);

	if (status >= 0)
		return status;
	start.seen = start.agent = -1;
	start.argv = argv + optind;
	start.policy_path = options.policy;
	start.timeout_ms = options.timeout_ms;
	start.event_limit = options.limit;
	start.event_total = options.total;
	start.name = options.name;
	start.ctl = options.ctl;
	start.no_ctl = options.no_ctl;
	start.hook = options.hook;
	start.answer_ms = options.answer_ms;
	start.answer = options.answer;
	start.has_vmm_user = options.has_vmm_user;
	start.vmm_user = options.vmm_user;
	status = launch_messages_begin(&start, &options.events);
	if (!status)
		status = shim_refuse_missing();
	if (!status)
		status = check_hook(options.hook);
	if (!status)
		status = launch_fill_fds();
	if (!status)
		status = refuse_nesting();
	if (!status)
		status = read_policy(&options, &start);
	if (!status)
		status = run_fit(&start);
	if (!status)
		status = vmm_find(start.argv[0], start.vmm);
	if (!status)
		status = check_line(&start);
	if (!status)
		status = shim_find(start.shim);
	if (!status)
		status = open_events(&start, &options.events);
	if (!status)
		status = keep_begin(&start, options.store);
	if (status || !options.require_vm)
		return status ? status : launch(&start);
	status = parent_fork(&start.seen, start.events_only);
	return status >= 0 ? status : launch(&start);
}

const struct cmd cmd_run = {
	.name = "run",
	.main = run_main,
	.help = "start a VMM with a policy for its VMs' registers",
};
