#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --kvm-modules @patched@ --timeout 600
# The tests of 20-life on a KVM with the CR filter, which reports INIT. Each CPU that comes
# online again must meet the floor, as a stock Linux does every time. After each event of its
# life the control registers are still pinned on every CPU.
set -u
# shellcheck source=tests/lab/life.sh
source "$LAB_DIR/../tests/lab/life.sh"
disk=/dev/shm/disk.qcow2
event_limit=0 # INITs are counted

quiet() # NAME WHEN
{
	is "$1, $2: no violation" "$(violations "$1")" "$attacks"
}

pinned() # NAME WHEN WHAT [CPU]
{
	still_pinned "$@"
	attacks=$((attacks + 1))
}

boots() # NAME WHEN CPUS
{
	check "$1: $2 boots" inner_wait "$1" "GUEST-READY .* cpus=$3" 150
	quiet "$1" "$2"
}

snapshot() # NAME
{
	inner_do "$1" 'echo 42 >/tmp/marker' 20
	inner_hmp "$1" 'savevm here' 120
	inner_do "$1" 'echo 43 >/tmp/marker' 20
	is "$1: loadvm prints no error" "$(inner_hmp "$1" 'loadvm here' 120)" ''
	inner_do "$1" 'cat /tmp/marker' 20
	is "$1: loadvm restores what savevm saved" "$INNER_REPLY" 42
	quiet "$1" savevm/loadvm
}

life() # KERNEL CPUS
{
	local name=life-$1 last=$(($2 - 1)) armed

	attacks=0
	rm -f $disk
	qemu-img create -q -f qcow2 $disk 1G
	guest "$name" "$1" "$top/policies/linux.yaml" --smp "$2,maxcpus=$(($2 + 1))" -- \
		-drive "file=$disk,format=qcow2,if=virtio" || return
	boots "$name" power-on "$2"
	is "$name: every vCPU armed" "$(wait_events "$name" '.event == "armed"' "$2")" "$2"
	pinned "$name" "after boot" cr0.wp 0

	armed=$(count_events "$name" '.event == "armed"')
	offline_online "$name" 100 $last
	is "$name: CPU offline and online 100 times" "$INNER_REPLY" failures=0
	quiet "$name" "100 x offline/online"
	is "$name: the CPU armed 100 times more" \
		$(($(wait_events "$name" '.event == "armed"' $((armed + 100))) - armed)) 100
	pinned "$name" "after offline/online" cr4.smep $last

	snapshot "$name"
	pinned "$name" "after loadvm" cr4.smap $last

	plug "$name" c1 "$2"
	is "$name: the guest has the plugged vCPU" "$INNER_REPLY" 1
	quiet "$name" "vCPU plugged"
	pinned "$name" "on the vCPU plugged" cr4.umip "$2"
	unplug "$name" c1 "$2"
	is "$name: unplugged" "$INNER_REPLY" gone

	inner_hmp "$name" system_reset
	boots "$name" system_reset "$2"
	pinned "$name" "after system_reset" cr0.wp $last
	inner_send "$name" 'reboot -f'
	boots "$name" reboot "$2"
	pinned "$name" "after reboot" efer.nxe 0
	pinned "$name" "after reboot" cr4.smep $last
	is "$name: each violation was refused" \
		"$(count_events "$name" '.event == "violation" and .verdict == "gp"')" "$attacks"
	inner_stop "$name"
	is "$name: QEMU exits with status 0" "$inner_status" 0
}

life 6.12 2
life 6.1 2
tap_end
