#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --timeout 500
# linux-strict.yaml denies all MSRs that it does not name, on a stock KVM. Stock guests miss
# none of them, from power-on through work and a reboot; accesses to others are refused.
set -u
# shellcheck source=tests/lab/life.sh
source "$LAB_DIR/../tests/lab/life.sh"

missed() # NAME WHEN
{
	inner_do "$1" 'dmesg | grep -c "unchecked MSR access"' 30
	is "$1, $2: the kernel misses no MSR" "$INNER_REPLY" 0
	is "$1, $2: no violation" "$(violations "$1")" 0
}

# An MSR that KVM has and this policy does not name: MISC_FEATURES_ENABLES, on AMD.
unnamed() # NAME
{
	inner_do "$1" 'dd if=/dev/cpu/0/msr bs=8 skip=40 count=1 of=/dev/null 2>/dev/null; echo status=$?' 30
}

plain() # KERNEL
{
	guest plain "$1" - --smp 2
	check "plain: the guest boots without regpin" inner_wait plain 'GUEST-READY .* cpus=2' 150
	unnamed plain
	is "plain: the guest can read MSR 0x140" "$INNER_REPLY" status=0
	inner_stop plain
}

strict() # KERNEL [CPU]
{
	local name=strict-$1

	guest "$name" "$1" "$top/policies/linux-strict.yaml" --smp 2 --cpu "${2:-host,-svm}"
	check "$name: boots" inner_wait "$name" 'GUEST-READY .* cpus=2' 150 || return
	missed "$name" boot
	inner_do "$name" '/busy perf 3' 60
	is "$name: perf runs on every CPU" "${INNER_REPLY%:*}" "perf ok"
	inner_do "$name" '/busy tsd 2' 60
	is "$name: tasks with and without TSC run" "${INNER_REPLY%:*}" "tsd ok"
	inner_do "$name" '/busy block 2' 60
	is "$name: a debugger can step from branch to branch" "${INNER_REPLY%:*}" "block ok"
	inner_do "$name" 'rmmod msr; insmod /mods/*-msr.ko && echo loaded' 30
	is "$name: a module can be loaded" "$INNER_REPLY" loaded
	offline_online "$name" 3 1
	is "$name: a CPU goes offline and online" "$INNER_REPLY" failures=0
	missed "$name" "after work"
	inner_send "$name" 'reboot -f'
	check "$name: the guest boots again" inner_wait "$name" 'GUEST-READY .* cpus=2' 150 || return
	missed "$name" reboot

	unnamed "$name"
	is "$name: MSR 0x140 cannot be read" "$INNER_REPLY" status=1
	is "$name: this read is an event of the default" \
		"$(wait_events "$name" '.event == "violation" and .rule == "default" and .index == "0x140" and .access == "read"' 1)" 1
	still_pinned "$name" "after this work" efer.nxe 1
	inner_stop "$name"
	is "$name: QEMU exits with status 0" "$inner_status" 0
}

plain 6.12
strict 6.12
strict 6.1
# The emulator's own CPU has a family that AMD does not use. On one of AMD's families Linux
# accesses more MSRs.
strict trixie EPYC-Milan,-svm
tap_end
