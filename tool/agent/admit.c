// SPDX-License-Identifier: GPL-2.0-only
/*
 * `run` sees only the command line that it was given, which may be a wrapper's. This
 * file checks the command line of the process that creates the VM.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "admit.h"
#include "agent_output.h"
#include "base/proc.h"
#include "launch_state.h"
#include "vmm/s3.h"

/* Is @text reported for the first time? Processes of one VMM may cause the same text. */
static bool is_new(struct agent *agent, const char *text)
{
	const size_t most = sizeof(agent->s3_unknown) / sizeof(uint64_t);
	uint64_t hash = 0xcbf29ce484222325ull;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3ull;
	for (size_t i = 0; i < most; i++) {
		if (agent->s3_unknown[i] == hash)
			return false;
		if (agent->s3_unknown[i])
			continue;
		agent->s3_unknown[i] = hash;
		return true;
	}
	return false;
}

/* The VM may run: reports an event of @type, and logs the same on stderr. */
static void report_admitted(struct agent *agent, pid_t pid, const char *type,
			    const char *text)
{
	struct agent_event event = {
		.type = type, .reason = "s3", .text = text,
		.pid = (uint32_t)pid,
	};

	if (!is_new(agent, text))
		return;
	agent_log(agent, "warning: %s", text);
	agent_report(agent, &event);
}

/* Paths are read relative to the root of @pid, which may be in a container. */
static enum vmm_fault find_fault(const struct regpin_policy *policy, pid_t pid,
				 const char *const *argv, char *text, size_t size)
{
	char name[PATH_MAX], path[64], root[64], cwd[64];
	struct vmm_line line = {
		.path = path, .name = name, .argv = argv, .root = root, .cwd = cwd,
	};

	if (!proc_program(pid, name, sizeof(name)))
		return VMM_UNKNOWN;
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	snprintf(root, sizeof(root), "/proc/%d/root", (int)pid);
	snprintf(cwd, sizeof(cwd), "/proc/%d/cwd", (int)pid);
	return vmm_fault(policy, &line, text, size);
}

static void report_refused(struct agent *agent, pid_t pid, const char *text)
{
	char name[256];
	struct agent_event event = {
		.type = "refused", .reason = "s3", .text = text,
		.pid = (uint32_t)pid,
	};

	proc_name(pid, name, sizeof(name));
	agent_log(agent, "%s (pid %d) gets no VM: %s", name, (int)pid, text);
	agent_report(agent, &event);
}

bool admit_emulates(const struct agent *agent, pid_t pid, char *text, size_t size)
{
	char **argv = proc_argv(pid);
	bool emulates = argv && find_fault(&agent->launch->policy, pid, (const char *const *)argv,
					   text, size) == VMM_TCG;

	free(argv);
	if (emulates)
		make_printable(text);
	return emulates;
}

bool admit_process(struct agent *agent, pid_t pid)
{
	char text[1024] = "S3 can't be checked: the VMM's command line can't be read";
	enum vmm_fault fault = VMM_UNKNOWN;
	char **argv = proc_argv(pid);

	if (argv)
		fault = find_fault(&agent->launch->policy, pid, (const char *const *)argv, text,
				   sizeof(text));
	else if (proc_has_shim(pid, agent->launch->shim) == -ESRCH)
		fault = VMM_FINE;	/* it has ended */
	free(argv);
	make_printable(text);
	if (fault == VMM_UNKNOWN)
		report_admitted(agent, pid, "degraded", text);
	if (fault == VMM_S3_TOLERATED)
		report_admitted(agent, pid, "tolerated", text);
	if (fault == VMM_S3)
		report_refused(agent, pid, text);
	return fault != VMM_S3;
}

/* The first process with a VM that has this fault under @policy, or 0. */
static pid_t find_faulty(const struct agent *agent, const struct regpin_policy *policy,
			 enum vmm_fault fault, char *text, size_t size)
{
	const struct watch *watch = &agent->watch;
	bool found = false;

	for (unsigned int i = 0; i < watch->nr; i++) {
		pid_t pid = watch->list[i].pid;
		char **argv = watch->list[i].vm ? proc_argv(pid) : NULL;

		found = argv && find_fault(policy, pid, (const char *const *)argv,
					   text, size) == fault;
		free(argv);
		if (found)
			return pid;
	}
	return 0;
}

bool admit_policy(const struct agent *agent, const struct regpin_policy *policy,
		  char *text, size_t size)
{
	return !find_faulty(agent, policy, VMM_S3, text, size);
}

bool admit_unchecked(const struct agent *agent, const struct regpin_policy *policy,
		     char *text, size_t size)
{
	bool found = find_faulty(agent, policy, VMM_UNKNOWN, text, size);

	if (found)
		make_printable(text);
	else
		*text = 0;
	return found;
}

void admit_report_unchecked(struct agent *agent)
{
	char text[1024];
	pid_t pid = find_faulty(agent, &agent->launch->policy, VMM_UNKNOWN, text,
				sizeof(text));

	if (!pid)
		return;
	make_printable(text);
	report_admitted(agent, pid, "degraded", text);
}
