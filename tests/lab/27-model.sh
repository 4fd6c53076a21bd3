#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --timeout 500
# ucode.yaml and cpu-model.yaml with stock guests: the microcode revision that the guest
# reads, the fate of its updates, and registers that a Zen 1 does not have.
set -u
# shellcheck source=tests/lab/life.sh
source "$LAB_DIR/../tests/lab/life.sh"
patch_loader=$((0xc0010020 / 8)) spec_ctrl=$((0x48 / 8)) # /dev/cpu/N/msr, by 8 bytes

revision() # NAME
{
	inner_do "$1" "sed -n 's/^microcode[^:]*: //p' /proc/cpuinfo | sort -u" 30
}

guest plain 6.12 - --smp 2
check "without regpin: the guest boots" inner_wait plain 'GUEST-READY .* cpus=2' 150
revision plain
check "without regpin: the guest has QEMU's revision: $INNER_REPLY" test "$INNER_REPLY" != 0xffffffff -a -n "$INNER_REPLY"
inner_stop plain

guest ucode 6.12 "$top/policies/ucode.yaml" --smp 2
check "ucode: the guest boots" inner_wait ucode 'GUEST-READY .* cpus=2' 150 || tap_end
revision ucode
is "ucode: both CPUs have the highest revision, so no update is newer" "$INNER_REPLY" 0xffffffff
before=$(violations ucode)
inner_do ucode "printf '\\0\\0\\0\\0\\0\\0\\0\\0' | dd of=/dev/cpu/1/msr bs=8 seek=$patch_loader conv=notrunc 2>/dev/null; echo status=\$?" 30
is "ucode: an update is accepted" "$INNER_REPLY" status=0
is "ucode: the update has no effect, and is an event" \
	$(($(wait_events ucode '.event == "violation" and .register == "PATCH_LOADER" and .verdict == "drop" and .vcpu == 1' 1))) 1
is "ucode: there is no other violation" $(($(violations ucode) - before)) 1
inner_stop ucode

guest model 6.12 "$top/policies/cpu-model.yaml" --smp 2 --cpu EPYC,-svm
check "cpu-model: a Zen 1 boots" inner_wait model 'GUEST-READY .* cpus=2' 150 || tap_end
inner_do model "sed -n 's/^cpu family[^:]*: //p' /proc/cpuinfo | sort -u" 30
is "cpu-model: the guest's CPU has family 23" "$INNER_REPLY" 23
is "cpu-model: no violation" "$(violations model)" 0
inner_do model "dd if=/dev/cpu/0/msr bs=8 skip=$spec_ctrl count=1 of=/dev/null 2>/dev/null; echo status=\$?" 30
is "cpu-model: the guest cannot read SPEC_CTRL" "$INNER_REPLY" status=1
is "cpu-model: this read is an event" \
	"$(wait_events model '.event == "violation" and .index == "0x48" and .access == "read" and .rule == "deny"' 1)" 1
inner_stop model

guest other 6.12 "$top/policies/cpu-model.yaml" --smp 2
check "cpu-model: another CPU boots" inner_wait other 'GUEST-READY .* cpus=2' 150 || tap_end
inner_do other "dd if=/dev/cpu/0/msr bs=8 skip=$spec_ctrl count=1 of=/dev/null 2>/dev/null; echo \$?" 30
is "cpu-model: another CPU's registers make no violation" "$(violations other)" 0
inner_stop other
tap_end
