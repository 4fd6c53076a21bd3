#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --kvm-modules @patched@ --timeout 600
# Hibernation: the kernel that boots arms the vCPUs, then the image's kernel takes over,
# with another KASLR base. In an operator's window it resumes, and is pinned. Without a
# window it looks like an attack, and fails.
set -u
# shellcheck source=tests/lab/life.sh
source "$LAB_DIR/../tests/lab/life.sh"
disk=/dev/shm/disk.qcow2

# asleep NAME KERNEL: boots, hibernates, and boots again up to the search for the image
asleep()
{
	rm -f $disk
	qemu-img create -q -f qcow2 $disk 1G
	guest "$1" "$2" "$top/policies/linux.yaml" --smp 2 -- \
		-drive "file=$disk,format=qcow2,if=virtio" || tap_end
	check "$1: boots" inner_wait "$1" 'GUEST-READY .* cpus=2' 120 || tap_end
	inner_do "$1" 'echo 42 >/tmp/marker' 20
	text_base "$1"
	first_base=$INNER_REPLY
	hibernate "$1"
	check "$1: the guest hibernates, and boots again" inner_wait "$1" 'GUEST-READY .* cpus=2' 240 || tap_end
	text_base "$1"
	second_base=$INNER_REPLY
	is "$1: there is no violation before the resume" "$(violations "$1")" 0
	echo "# $1: kernel at $first_base, then at $second_base"
}

windowed()
{
	local name=window-$1

	asleep "$name" "$1"
	check "$name: the operator opens a window, once" ctl "$name" window --for 120s --once
	resume "$name"
	check "$name: the image resumes" inner_wait "$name" 'GUEST-RESUMED 0' 120 || return
	inner_do "$name" 'cat /tmp/marker' 20
	is "$name: the resumed guest is the one that hibernated" "$INNER_REPLY" 42
	text_base "$name"
	is "$name: the resumed kernel has its own base" "$INNER_REPLY" "$first_base"
	is "$name: the resume is no violation" "$(violations "$name")" 0
	is "$name: the window has ended" "$(vm_status "$name" 'select(.window != null) | .window')" false
	inner_do "$name" 'cat /sys/devices/system/cpu/online' 20
	is "$name: both CPUs are online" "$INNER_REPLY" 0-1
	still_pinned "$name" "after the resume" cr4.smep 0
	still_pinned "$name" "after the resume" lstar 1
	inner_stop "$name"
}

refused()
{
	asleep refused "$1"
	# One kernel in 512 gets the same base as the other one.
	if [[ $first_base == "$second_base" ]]; then
		skip "refused: without a window the image's kernel does not get far" "KASLR chose the same place twice"
		inner_stop refused
		return
	fi
	resume refused
	if inner_wait refused 'GUEST-RESUMED 0' 45 2>/dev/null; then
		not_ok "refused: without a window the image's kernel does not get far" "it resumed"
	else
		ok "refused: without a window the image's kernel does not get far"
	fi
	check "refused: its writes of registers were refused" \
		test "$(count_events refused '.event == "violation" and .verdict == "gp"')" -ge 1
	events refused 'select(.event == "violation") | "# " + .register + " " + .old + " -> " + .new + " " + .verdict' | tr -d '"'
	inner_stop refused
}

windowed 6.12
refused 6.1
tap_end
