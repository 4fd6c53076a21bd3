// SPDX-License-Identifier: GPL-2.0-only
/* The effect of a command that is done, and what the VM still waits for. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent_state.h"
#include "base/clock.h"
#include "base/proc.h"
#include "base/words.h"
#include "ctl_confirm.h"
#include "ctl_proposal_state.h"
#include "ctl_status.h"
#include "launch_state.h"
#include "policy/effective.h"

/* "1 of 4 vCPUs armed; ..", and what the other vCPUs wait for. */
static void armed_text(const struct ctl *ctl, const struct vmm_command *command,
		       char *buf, size_t size)
{
	struct vcpu_tally tally = ctl_count_vcpus(ctl, command->vm);
	unsigned int left = tally.vcpus - tally.armed;
	bool start = ctl->agent->launch->policy.arming == ARM_START;

	snprintf(buf, size, "%u of %u vCPU%s armed%s%s", tally.armed, tally.vcpus,
		 plural(tally.vcpus), left ? "; the others arm when they next enter the guest" : "",
		 left && !start ? " and their kernel has done its syscall set-up (LSTAR and SFMASK)" : "");
}

/* A reset of the VM leaves the gate closed. */
static void disarmed_text(const struct ctl *ctl, char *buf, size_t size)
{
	bool request = ctl->agent->launch->policy.arming == ARM_REQUEST;

	snprintf(buf, size, "no pins hold, and no vCPU arms before the next 'arm'%s",
		 request ? " or the guest's next request" : "");
}

static void window_text(const struct vmm_command *command, char *buf, size_t size)
{
	uint64_t end = clock_wall() / 1000000000u + command->request.ms / 1000;
	time_t seconds = (time_t)end;
	struct tm tm;
	char until[32];

	if (!gmtime_r(&seconds, &tm) ||
	    !strftime(until, sizeof(until), "%H:%M:%S UTC", &tm))
		*until = 0;
	snprintf(buf, size, "window open for %" PRIu32 ".%03" PRIu32 " s, until %s%s: no pins hold",
		 command->request.ms / 1000, command->request.ms % 1000, until,
		 command->request.once ? ", or until a kernel has done its syscall set-up" : "");
}

static const char *answer_text(enum ctl_verb verb)
{
	switch (verb) {
	case CTL_ALLOW:
		return "allowed, this one time";
	case CTL_GP:
		return "continues with a #GP";
	default:
		return "the VM ends as after a crash";
	}
}

static void policy_text(const struct ctl *ctl, const struct vmm_command *command,
			char *buf, size_t size)
{
	const struct launch *launch = ctl->agent->launch;
	uint64_t detected = ctl->agent->detected - command->detected;
	uint32_t confirm_ms = command->proposal ? command->proposal->confirm_ms : 0;
	struct policy_tally tally = policy_tally(&launch->policy,
						 launch->table.left_out);
	char mode[128], rules[128], found[128] = "", modes[64] = "", trial[64] = "";

	policy_mode_text(mode, sizeof(mode), &launch->policy,
			 launch->written.own, launch->mode);
	if (detected)
		snprintf(found, sizeof(found), "; %" PRIu64 " violation%s detected meanwhile, which may concern values from before the change: see 'events'",
			 detected, detected == 1 ? " was" : "s were");
	if (confirm_ms)
		snprintf(trial, sizeof(trial), "for %" PRIu32 ".%03" PRIu32 " s, unless it is confirmed: ",
			 confirm_ms / 1000, confirm_ms % 1000);
	if (launch->rule_modes.nr)
		snprintf(modes, sizeof(modes), "; the operator's mode of %u rule%s",
			 launch->rule_modes.nr, plural(launch->rule_modes.nr));
	snprintf(buf, size, "in force: %s%s, %s (%s%s)%s", trial, launch->policy.source,
		 mode,
		 policy_tally_text(rules, sizeof(rules), &tally),
		 modes, found);
}

void ctl_confirm(const struct ctl *ctl, const struct vmm_command *command, char *buf,
		 size_t size)
{
	*buf = 0;
	switch (command->kind) {
	case CONTROL_ARM:
		armed_text(ctl, command, buf, size);
		break;
	case CONTROL_WINDOW_END:
		snprintf(buf, size, "window closed; ");
		armed_text(ctl, command, buf + strlen(buf), size - strlen(buf));
		break;
	case CONTROL_DISARM:
		disarmed_text(ctl, buf, size);
		break;
	case CONTROL_WINDOW:
		window_text(command, buf, size);
		break;
	case CONTROL_ANSWER:
		snprintf(buf, size, "vm %" PRIu32 " vcpu %" PRIu32 ": %s",
			 command->vm, command->request.vcpu,
			 answer_text(command->request.verb));
		break;
	case CONTROL_POLICY:
		policy_text(ctl, command, buf, size);
		break;
	default:
		break;
	}
	make_printable(buf);
}
