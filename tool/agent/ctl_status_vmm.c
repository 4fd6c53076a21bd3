// SPDX-License-Identifier: GPL-2.0-only
/* `status`: the VMM's process. */
#include "agent_state.h"
#include "base/json.h"
#include "base/proc_state.h"
#include "ctl_status_vmm.h"

/**
 * struct vmm - the process of the VMs, or the first process while there is no VM
 * @pid: its id; 0: it has ended
 * @state: its state as the kernel reports it, whatever the process itself shows
 */
struct vmm {
	pid_t pid;
	enum proc_state state;
};

static struct vmm find_vmm(const struct agent *agent)
{
	struct vmm vmm = { .pid = 0, .state = PROC_ENDED };

	for (unsigned int i = 0; i < agent->watch.nr; i++) {
		const struct watched *watched = &agent->watch.list[i];

		if (!vmm.pid || watched->vm)
			vmm.pid = watched->pid;
		if (watched->vm)
			break;
	}
	if (vmm.pid)
		vmm.state = proc_state(vmm.pid);
	return vmm;
}

void status_put_vmm(struct json *json, const struct agent *agent)
{
	static const char *const names[] = {
		[PROC_RUNS] = "running", [PROC_STOPPED] = "stopped",
		[PROC_ENDED] = "ended",
	};
	struct vmm vmm = find_vmm(agent);

	if (vmm.pid)
		json_u64(json, "vmm_pid", (uint64_t)vmm.pid);
	json_string(json, "vmm_state", names[vmm.state]);
}

/* A VMM that does not run shows the state from when it last ran. */
const char *status_vmm_text(const struct agent *agent)
{
	switch (find_vmm(agent).state) {
	case PROC_STOPPED:
		return "; THE VMM IS STOPPED (SIGCONT continues it): the state below is from before that";
	case PROC_ENDED:
		return "; THE VMM HAS ENDED: the state below is from before that";
	default:
		return "";
	}
}
