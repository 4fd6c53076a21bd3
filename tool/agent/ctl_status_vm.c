// SPDX-License-Identifier: GPL-2.0-only
/* `status`: the lines about VMs. */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

#include "agent_state.h"
#include "ctl_status_line.h"
#include "ctl_status_vm.h"
#include "ctl_window.h"
#include "launch_state.h"

/* Milliseconds until the window of @vm closes, or 0 if that is not known. */
static uint64_t left_of(const struct ctl *ctl, uint32_t vm, uint64_t now)
{
	const struct ctl_window *window = ctl_find_window(ctl, vm);

	return window && window->until > now ? window->until - now : 0;
}

struct ctl_windows ctl_count_windows(const struct ctl *ctl, uint64_t now)
{
	const struct vm_status *vms = ctl->agent->launch->shared->vms;
	struct ctl_windows windows = { .nr = 0 };

	for (unsigned int i = 0; i < STATUS_VMS; i++) {
		uint32_t flags = atomic_load(&vms[i].flags);
		uint64_t left;

		if (!(flags & STATUS_PRESENT) || !(flags & STATUS_WINDOW))
			continue;
		left = left_of(ctl, vms[i].vm, now);
		windows.nr++;
		windows.left_ms = left > windows.left_ms ? left : windows.left_ms;
	}
	return windows;
}

static bool is_once(const struct ctl *ctl, uint32_t vm)
{
	const struct ctl_window *window = ctl_find_window(ctl, vm);

	return window && window->once;
}

static const char *crs(uint32_t flags)
{
	if (flags & STATUS_FILTERED)
		return "filtered";
	if (!(flags & STATUS_POLLED))
		return "free";
	return flags & STATUS_UNREACHED ? "not-polled" : "detected";
}

static bool is_current(const struct ctl *ctl, uint32_t policy)
{
	return policy == ctl->agent->launch->policy.number;
}

/* The condition that a VM which is not armed waits for, or "". */
static const char *waits_for(const struct ctl *ctl, uint32_t flags)
{
	if (flags & (STATUS_ARMED | STATUS_WINDOW) || !(flags & STATUS_CLOSED))
		return "";
	switch (ctl->agent->launch->policy.arming) {
	case ARM_REQUEST:
		return " (waits for the guest's request, or 'arm')";
	case ARM_OPERATOR:
		return " (waits for 'arm')";
	default:
		return " (DISARMED by the operator, until 'arm')";
	}
}

static enum status_line vm_json(const struct ctl *ctl, uint32_t flags,
				uint32_t vm, uint32_t policy, uint64_t now,
				char *buf)
{
	struct json json;

	status_begin(buf, &json);
	json_u64(&json, "vm", vm);
	json_bool(&json, "armed", flags & STATUS_ARMED);
	json_bool(&json, "in_setup", flags & STATUS_SETUP);
	json_bool(&json, "stopped", flags & STATUS_STOPPED);
	json_string(&json, "control_registers", crs(flags));
	json_u64(&json, "policy_number", policy);
	json_bool(&json, "current", is_current(ctl, policy));
	json_bool(&json, "window", flags & STATUS_WINDOW);
	if (flags & STATUS_WINDOW) {
		json_u64(&json, "left_ms", left_of(ctl, vm, now));
		json_bool(&json, "once", is_once(ctl, vm));
	}
	return status_end(&json, buf);
}

static enum status_line vm_text(const struct ctl *ctl, uint32_t flags,
				uint32_t vm, uint32_t policy, uint64_t now,
				char *buf)
{
	char window[96] = "", older[64] = "";

	if (!is_current(ctl, policy))
		snprintf(older, sizeof(older), ", still with an older policy (number %" PRIu32 ")",
			 policy);
	if (flags & STATUS_WINDOW)
		snprintf(window, sizeof(window), ", WINDOW OPEN for %" PRIu64 " s more%s",
			 (left_of(ctl, vm, now) + 999) / 1000,
			 is_once(ctl, vm) ? " or until a kernel has done its syscall set-up" : "");
	snprintf(buf, EVENT_LINE_MAX, "vm %" PRIu32 ": %s%s, control registers %s%s%s%s",
		 vm, status_armed(flags), waits_for(ctl, flags),
		 flags & STATUS_POLLED && flags & STATUS_UNREACHED ?
			 "NOT POLLED on some vCPU" : crs(flags),
		 window, flags & STATUS_STOPPED ? ", STOPPED" : "", older);
	return STATUS_LINE;
}

enum status_line ctl_vm_line(const struct ctl *ctl, unsigned int slot, bool json,
			     uint64_t now, char *buf)
{
	const struct vm_status *from = &ctl->agent->launch->shared->vms[slot];
	uint32_t flags = atomic_load(&from->flags), vm = from->vm;
	uint32_t policy = atomic_load(&from->policy);

	if (!(flags & STATUS_PRESENT))
		return STATUS_SKIP;
	return json ? vm_json(ctl, flags, vm, policy, now, buf) :
		      vm_text(ctl, flags, vm, policy, now, buf);
}
