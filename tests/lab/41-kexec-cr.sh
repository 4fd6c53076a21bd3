#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --kvm-modules @patched@ --timeout 600
# kexec on a KVM with the CR filter, and the operator's choices. Without an operator it
# fails; the operator can answer at that moment (`pause`), or can open a window before.
# After that the next kernel is pinned as the first one was. docs/kexec.md gives the
# reasons.
set -u
# shellcheck source=tests/lab/life.sh
source "$LAB_DIR/../tests/lab/life.sh"
image=guest-next

# up NAME KERNEL POLICY: boots, and loads the next kernel
up()
{
	local name=$1

	guest "$name" "$2" "$3" --mem 768 --smp 2 -- -no-reboot || tap_end
	check "$name: boots" inner_wait "$name" 'GUEST-READY .* cpus=2' 120 || tap_end
	kexec_load "$name"
	is "$name: kexec loads the next kernel" "$INNER_REPLY" loaded=0
	is "$name: loading the next kernel is no violation" "$(violations "$name")" 0
}

# The next kernel runs, and is pinned
next_kernel() # NAME
{
	is "$1: both vCPUs of the next kernel are armed" \
		"$(vm_status "$1" 'select(.vcpu != null and .armed) | .vcpu' | wc -l)" 2
	still_pinned "$1" "in the next kernel" cr4.smep 1
	still_pinned "$1" "in the next kernel" cr0.wp 0
}

refused()
{
	up refused 6.12 "$top/policies/linux.yaml"
	inner_send refused 'kexec -e'
	if inner_wait refused GUEST-READY 45 2>/dev/null; then
		not_ok "gp: the next kernel does not reach a shell" "GUEST-READY a second time"
	else
		ok "gp: the next kernel does not reach a shell"
	fi
	check "gp: a write of a control register was refused" \
		test "$(count_events refused '.event == "violation" and (.register | test("^CR[04]$")) and .verdict == "gp"')" -ge 1
	events refused 'select(.event == "violation") | "# " + .register + " " + .old + " -> " + .new + " " + .verdict' | tr -d '"'
	inner_stop refused
}

asked()
{
	local vcpu

	up asked 6.1 "$(policy_with pause 's/^action: gp/action: pause/')"
	inner_send asked 'kexec -e'
	vcpu=$(wait_held asked 60)
	check "pause: a write at the old kernel's end is held, vCPU ${vcpu:-none}: $(why_held asked "${vcpu:-0}")" test -n "$vcpu"
	is "pause: the monitor works while a vCPU is held" "$(inner_hmp asked 'info status' | tr -d '\r')" "VM status: running"
	check "pause: with each write allowed, the next kernel starts" allow_all asked 'GUEST-READY .* cpus=2' 180
	check "pause: each write was held for an answer ($allowed)" test "$allowed" -ge 1
	is "pause: each answer is an event" \
		"$(wait_events asked '.event == "control" and .command == "allow" and .result == "done"' "$allowed")" "$allowed"
	inner_stop asked
}

windowed()
{
	up window 6.12 "$top/policies/linux.yaml"
	check "window: the operator opens it for a minute, once" ctl window window --for 60s --once
	is "window: its opening is an event" "$(wait_events window "$window_opened" 1)" 1
	is "window: the VM is shown as open, not armed" \
		"$(vm_status window 'select(.window != null) | [.window, .once, .armed] | map(tostring) | join(" ")')" "true true false"
	inner_send window 'kexec -e'
	check "window: the next kernel starts" inner_wait window 'GUEST-READY .* cpus=2' 120 || tap_end
	is "window: there is no violation" "$(violations window)" 0
	is "window: the next kernel's set-up has ended it" "$(vm_status window 'select(.window != null) | .window')" false
	next_kernel window
	inner_stop window
}

refused
asked
windowed
tap_end
