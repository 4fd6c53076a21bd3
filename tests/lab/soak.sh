#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --timeout 1800
# The tests of 20-life, many times instead of a few; and a flood of attacks. ./check soak runs
# it.
set -u
# shellcheck source=tests/lab/lib.sh
source "$LAB_DIR/../tests/lab/lib.sh"
disk=/dev/shm/disk.qcow2

violations()
{
	count_events soak '.event == "violation" or .event == "vmm-write" or .event == "failed"'
}

qemu-img create -q -f qcow2 $disk 1G
guest soak 6.12 "$top/policies/linux.yaml" --smp 4 -- -drive "file=$disk,format=qcow2,if=virtio"
check "the guest boots" inner_wait soak 'GUEST-READY .* cpus=4' 120

# shellcheck disable=SC2016 # the guest's
inner_do soak 'n=0; for i in $(seq 200); do c=cpu$((i % 3 + 1)); echo 0 >/sys/devices/system/cpu/$c/online && echo 1 >/sys/devices/system/cpu/$c/online || n=$((n+1)); done; echo failures=$n' 900
is "CPU offline and online 200 times" "$INNER_REPLY" failures=0
is "CPU hotplug makes no violation" "$(violations)" 0

good=0
for ((i = 0; i < 10; i++)); do
	inner_do soak "echo $i >/tmp/marker" 20
	inner_hmp soak 'savevm s' 120 >/dev/null
	inner_do soak 'echo later >/tmp/marker' 20
	inner_hmp soak 'loadvm s' 120 >/dev/null
	inner_do soak 'cat /tmp/marker' 20
	[[ $INNER_REPLY == "$i" ]] && good=$((good + 1))
done
is "savevm and loadvm 10 times" $good 10
is "savevm and loadvm make no violation" "$(violations)" 0

good=0
for ((i = 0; i < 10; i++)); do
	if ((i % 2)); then
		inner_hmp soak system_reset >/dev/null
	else
		inner_send soak 'reboot -f'
	fi
	inner_wait soak 'GUEST-READY .* cpus=4' 120 && good=$((good + 1))
done
is "reboot and system_reset 10 times" $good 10
is "reboot and system_reset make no violation" "$(violations)" 0

# shellcheck disable=SC2016 # the guest's
inner_do soak 'i=0; while [ $i -lt 20000 ]; do echo lstar >/proc/attack; i=$((i+1)); done; cat /proc/attack' 600
is "the last of 20,000 attacks gets #GP" "${INNER_REPLY:0:22}" "lstar how=module gp=1 "
inner_stop soak
is "QEMU exits with status 0" "$inner_status" 0
dropped=$(events soak 'select(.event == "dropped") | .count' | awk '{ n += $1 } END { print n + 0 }')
repeated=$(events soak 'select(.event == "repeated" and .of == "violation") | .count' | awk '{ n += $1 } END { print n + 0 }')
is "each attack is an event, or counted as repeated or dropped" $(($(violations) + repeated + dropped)) 20000
check "the events of 20,000 attacks are few" test "$(wc -c <"$events_dir/soak.events")" -lt 5000000
tap_end
