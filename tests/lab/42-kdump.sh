#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --kvm-modules @patched@ --timeout 500
# kdump: the crash kernel takes over without notice. Under a policy that only reports, and
# with an operator who answers and opens a window, the dump exists afterwards; and status
# shows the VM as it then is.
set -u
# shellcheck source=tests/lab/life.sh
source "$LAB_DIR/../tests/lab/life.sh"
image=guest-next

up() # NAME KERNEL POLICY
{
	guest "$1" "$2" "$3" --mem 768 --smp 2 --append crashkernel=192M || tap_end
	check "$1: boots" inner_wait "$1" 'GUEST-READY .* cpus=2' 120 || tap_end
	kexec_load "$1" -p nr_cpus=1
	is "$1: kexec loads the crash kernel" "$INNER_REPLY" loaded=0
	is "$1: loading the crash kernel is no violation" "$(violations "$1")" 0
}

dump() # NAME
{
	inner_do "$1" 'echo $(dd if=/proc/vmcore bs=4 count=1 2>/dev/null | tail -c 3) $(($(stat -c %s /proc/vmcore) >> 20 > 400))' 60
	is "$1: the dump exists" "$INNER_REPLY" "ELF 1"
}

profile()
{
	up profile 6.12 "$(policy_with kdump 's/^mode: enforce/mode: report/')"
	# The crash is on another CPU than the one that booted.
	inner_send profile 'taskset 2 sh -c "echo c >/proc/sysrq-trigger"'
	check "profile: the crash kernel starts" inner_wait profile 'GUEST-READY .* cpus=1' 150 || tap_end
	dump profile
	check "profile: the events show that the crash kernel took over" \
		test "$(wait_events profile '.event == "violation" and .register == "LSTAR" and .verdict == "report"' 1)" -ge 1
	is "profile: no access was stopped" \
		"$(count_events profile '.event == "violation" and .verdict != "report"')" 0
	is "profile: status shows mode report" "$(vm_status profile 'select(.mode) | .mode')" report
	inner_stop profile
}

asked()
{
	local vcpu

	up asked 6.1 "$(policy_with pause 's/^action: gp/action: pause/')"
	inner_send asked 'echo c >/proc/sysrq-trigger'
	vcpu=$(wait_held asked 90)
	check "asked: the crash is held, vCPU ${vcpu:-none}: $(why_held asked "${vcpu:-0}")" test -n "$vcpu"
	check "asked: the operator opens a window" ctl asked window --for 10min
	vcpu=$(held asked)
	[[ -z $vcpu ]] || check "asked: the operator allows the held write" ctl asked allow --vcpu "$vcpu"
	check "asked: the crash kernel starts" inner_wait asked 'GUEST-READY .* cpus=1' 150 || tap_end
	dump asked
	is "asked: the window is an event" "$(wait_events asked "$window_opened" 1)" 1
	is "asked: the VM is shown as unprotected" \
		"$(vm_status asked 'select(.window != null) | [.window, .armed] | map(tostring) | join(" ")')" "true false"
	attack asked cr0.wp 0
	is "asked: an attack succeeds on the unprotected VM" "${INNER_REPLY:0:22}" "cr0.wp how=module gp=0"
	is "asked: there is no violation in the window" "$(count_events asked '.event == "violation" and .verdict == "gp"')" 0
	inner_stop asked
}

profile
asked
tap_end
