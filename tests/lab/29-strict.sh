#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --timeout 500
# linux-strict.yaml denies all MSRs that it does not name, on the KVM that people have:
# stock guests miss none, from power-on through work and a reboot; others are refused.
set -u
# shellcheck source=tests/lab/life.sh
source "$LAB_DIR/../tests/lab/life.sh"

missed() # NAME WHEN
{
	inner_do "$1" 'dmesg | grep -c "unchecked MSR access"' 30
	is "$1, $2: the kernel misses no MSR" "$INNER_REPLY" 0
	is "$1, $2: no violation" "$(violations "$1")" 0
}

# One that KVM has and this policy does not name: MISC_FEATURES_ENABLES, on AMD.
unnamed() # NAME
{
	inner_do "$1" 'dd if=/dev/cpu/0/msr bs=8 skip=40 count=1 of=/dev/null 2>/dev/null; echo status=$?' 30
}

plain() # KERNEL
{
	guest plain "$1" - --smp 2
	check "plain: boots without regpin" inner_wait plain 'GUEST-READY .* cpus=2' 150
	unnamed plain
	is "plain: and may read MSR 0x140" "$INNER_REPLY" status=0
	inner_stop plain
}

strict() # KERNEL [CPU]
{
	local name=strict-$1

	guest "$name" "$1" "$top/policies/linux-strict.yaml" --smp 2 --cpu "${2:-host,-svm}"
	check "$name: boots" inner_wait "$name" 'GUEST-READY .* cpus=2' 150 || return
	missed "$name" boot
	inner_do "$name" '/busy perf 3' 60
	is "$name: perf on every CPU" "${INNER_REPLY%:*}" "perf ok"
	inner_do "$name" '/busy tsd 2' 60
	is "$name: tasks with and without TSC" "${INNER_REPLY%:*}" "tsd ok"
	inner_do "$name" '/busy block 2' 60
	is "$name: a debugger that steps from branch to branch" "${INNER_REPLY%:*}" "block ok"
	inner_do "$name" 'rmmod msr; insmod /mods/*-msr.ko && echo loaded' 30
	is "$name: a module" "$INNER_REPLY" loaded
	offline_online "$name" 3 1
	is "$name: a CPU offline and online" "$INNER_REPLY" failures=0
	missed "$name" "after work"
	inner_send "$name" 'reboot -f'
	check "$name: boots again" inner_wait "$name" 'GUEST-READY .* cpus=2' 150 || return
	missed "$name" reboot

	unnamed "$name"
	is "$name: MSR 0x140 can't be read" "$INNER_REPLY" status=1
	is "$name: and that is an event of the default" \
		"$(wait_events "$name" '.event == "violation" and .rule == "default" and .index == "0x140" and .access == "read"' 1)" 1
	still_pinned "$name" "after all that" efer.nxe 1
	inner_stop "$name"
	is "$name: QEMU's exit status" "$inner_status" 0
}

plain 6.12
strict 6.12
strict 6.1
# The emulator's own CPU is of no family that AMD has: Linux does more on one that is.
strict trixie EPYC-Milan,-svm
tap_end
