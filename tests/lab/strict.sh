#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Boots stock guests under linux-strict.yaml, each with a CPU model of its own: the kernel
# may miss no MSR there, nor may the modules that udev loads on a stock system.
#
# usage: strict.sh "NAME KERNEL CPU VENDOR FAMILY MODEL [CPUS]" ..; CPU is QEMU's -cpu, CPUS
# is 2 by default; the rest is the expected /proc/cpuinfo of the guest
set -u
# shellcheck source=tests/lab/life.sh
source "$LAB_DIR/../tests/lab/life.sh"
# The image with /msrpoke: it also exists for a kernel for which attack.ko cannot be built
# here.
image=guest

# The pins hold against a write by root's device file, and that is one event.
pinned() # NAME CPU
{
	local before reply

	before=$(violations "$1")
	# The msr driver prints a complaint on the console, in the middle of the line.
	inner_do "$1" "dmesg -n 1; r=\$(/msrpoke efer.sce $2 0xc0000080 0 0x1 0); echo; echo \"\$r\"" 30
	reply=${INNER_REPLY#* how=dev }
	is "$1, after that: root cannot clear EFER.SCE of CPU $2" "${reply%% *}" gp=1
	is "$1, after that: the attempt is one event" $(($(wait_events "$1" "$trouble" $((before + 1))) - before)) 1
	is "$1, after that: the event is of EFER's pin" "$(count_events "$1" ".register == \"EFER\" and .cpl == 0 and .vcpu == $2")" 1
}

strict() # NAME KERNEL CPU VENDOR FAMILY MODEL [CPUS]
{
	local cpus=${7:-2}

	guest "$1" "$2" "$top/policies/linux-strict.yaml" --smp "$cpus" --cpu "$3"
	check "$1: boots" inner_wait "$1" "GUEST-READY .* cpus=$cpus" 150 || return
	# shellcheck disable=SC2016 # the guest's
	inner_do "$1" 'set -- $(sed -n "s/^\(vendor_id\|cpu family\|model\)[^_a-z]*: //p" /proc/cpuinfo); echo $(uname -r) $1 $2 $3' 30
	is "$1: Linux ${INNER_REPLY%% *}, has the expected CPU" "${INNER_REPLY#* }" "$4 $5 $6"
	load_later "$1"
	check "$1: modules that look for hardware are tried: $INNER_REPLY" [ "${INNER_REPLY##* }" -ge 7 ]
	if ((cpus > 1)); then
		offline_online "$1" 1 1
		is "$1: a CPU goes offline and online" "$INNER_REPLY" failures=0
	else
		skip "$1: a CPU goes offline and online" "the guest has one CPU"
	fi
	inner_do "$1" 'dmesg | grep -c "unchecked MSR access"' 30
	is "$1: the kernel misses no MSR" "$INNER_REPLY" 0
	is "$1: no violation" "$(violations "$1")" 0
	pinned "$1" $((cpus - 1))
	inner_stop "$1"
}

for line; do
	# shellcheck disable=SC2086 # several words
	strict $line
done
tap_end
