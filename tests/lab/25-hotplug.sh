#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A vCPU is plugged, unplugged and plugged again, with a reset while it is unplugged. QEMU
# keeps an unplugged vCPU and does not reset it, and the next kernel must boot nevertheless.
set -u
# shellcheck source=tests/lab/lib.sh
source "$LAB_DIR/../tests/lab/lib.sh"
cpu1=/sys/devices/system/cpu/cpu1

plug() # HOW-OFTEN
{
	is "$1 plug: QEMU prints no error" \
		"$(inner_hmp plug 'device_add host-x86_64-cpu,id=c1,socket-id=0,core-id=1,thread-id=0')" ''
	# The guest may bring the CPU online itself, or may need a command for it.
	inner_do plug "for i in 1 2 3 4 5 6 7 8 9; do [ -e $cpu1/online ] && break; sleep 1; done; echo 1 >$cpu1/online 2>/dev/null; cat $cpu1/online" 60
	is "$1 plug: the guest has the vCPU" "$INNER_REPLY" 1
}

unplug()
{
	inner_hmp plug 'device_del c1' >/dev/null
	inner_do plug "for i in 1 2 3 4 5 6 7 8 9; do [ -e $cpu1 ] || break; sleep 1; done; [ -e $cpu1 ] && echo there || echo gone" 60
	is "unplugged" "$INNER_REPLY" gone
}

guest plug 6.12 "$top/policies/linux.yaml" --smp 1,maxcpus=2
check "the guest boots with one CPU" inner_wait plug 'GUEST-READY .* cpus=1' 90
plug first
unplug
plug second
is "three times armed: the first CPU, the second, and the second after its reset" "$(count_events plug '.event == "armed"')" 3
unplug
inner_hmp plug system_reset >/dev/null
check "the guest boots after a system_reset while the vCPU is unplugged" inner_wait plug 'GUEST-READY .* cpus=1' 90
is "hotplug and reset make no violation" \
	"$(count_events plug '.event == "violation" or .event == "vmm-write" or .event == "failed"')" 0
plug third
inner_do plug 'echo lstar >/proc/attack; cat /proc/attack' 30
is "LSTAR is pinned" "${INNER_REPLY:0:22}" "lstar how=module gp=1 "
inner_stop plug
tap_end
