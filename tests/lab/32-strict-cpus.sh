#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --timeout 500
# linux-strict.yaml on CPUs that Linux drives in other ways than the emulator's own: Hygon's,
# AMD's family 0x10, and Zen 4 (QEMU 7.2 has no Genoa). What udev loads on a stock system is loaded.
set -u
# shellcheck source=tests/lab/life.sh
source "$LAB_DIR/../tests/lab/life.sh"

strict() # NAME KERNEL CPU VENDOR FAMILY
{
	guest "$1" "$2" "$top/policies/linux-strict.yaml" --smp 2 --cpu "$3,-svm"
	check "$1: boots" inner_wait "$1" 'GUEST-READY .* cpus=2' 150 || return
	inner_do "$1" "awk '/^vendor_id/ { v = \$3 } /^cpu family/ { f = \$4 } END { print v, f }' /proc/cpuinfo" 30
	is "$1: as which CPU" "$INNER_REPLY" "$4 $5"
	load_later "$1"
	check "$1: modules that look for hardware are tried: $INNER_REPLY" [ "${INNER_REPLY##* }" -ge 7 ]
	offline_online "$1" 1 1
	is "$1: a CPU offline and online" "$INNER_REPLY" failures=0
	inner_do "$1" 'dmesg | grep -c "unchecked MSR access"' 30
	is "$1: the kernel misses no MSR" "$INNER_REPLY" 0
	is "$1: no violation" "$(violations "$1")" 0
	still_pinned "$1" "after that" efer.nxe 1
	inner_stop "$1"
}

# With KVM, QEMU gives each of its models the host's vendor unless vendor= names another.
strict hygon 6.12 Dhyana,vendor=HygonGenuine HygonGenuine 24
strict family10 6.1 Opteron_G3 AuthenticAMD 16
strict zen4 6.12 EPYC-Milan,model=17 AuthenticAMD 25
tap_end
