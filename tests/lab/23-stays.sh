#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A VM's state that is read and goes nowhere raises no alarm; a state that is saved while
# the VM does not run on raises one. Each guest ends in a different way.
set -u
# shellcheck source=tests/lab/life.sh
source "$LAB_DIR/../tests/lab/life.sh"
policy=$top/policies/linux.yaml
disk=/dev/shm/disk.qcow2
stands=12 # seconds, a little longer than the agent waits

boot() # NAME [QEMU-ARG ..]
{
	local name=$1

	shift
	guest "$name" 6.12 "$policy" -- -drive "if=none,id=d,format=qcow2,file=$disk" "$@"
	check "$name: boots" inner_wait "$name" 'GUEST-READY .* cpus=1' 90
}

# ends NAME MOVED,LEFT: waits for the agent's end, and compares its events
ends()
{
	is "$1: its agent ends" "$(wait_events "$1" '.event == "detached"' 1 15)" 1
	is "$1: events moved, left" "$(moves "$1")" "$2"
}

# Registers that monitors read, a snapshot that the VM survives, and an ordinary end
goes_on()
{
	boot goes-on
	inner_hmp goes-on 'savevm here' 120 >/dev/null
	inner_do goes-on 'echo alive' 20
	is "the VM runs on after savevm" "$INNER_REPLY" alive
	inner_hmp goes-on 'migrate -d "exec:sleep 1; false"' 60
	inner_nap 3
	inner_qmp goes-on '{"execute": "query-migrate"}' 60
	is "a migration without a destination fails" "$(jq -r .return.status <<<"$INNER_REPLY")" failed
	inner_do goes-on 'echo alive' 20
	is "the VM runs on after a failed migration" "$INNER_REPLY" alive
	inner_nap $stands
	is "the VM that runs on has no alarm" "$(moves goes-on)" 0,0
	inner_send goes-on 'reboot -f'
	check "the VM that runs on reboots" inner_wait goes-on 'GUEST-READY .* cpus=1' 90
	# The VM's memory is logged and its registers are read, but the VM runs in between.
	inner_hmp goes-on 'migrate_set_parameter max-bandwidth 4k' 60
	inner_hmp goes-on 'migrate -d "exec:cat >/dev/null"' 60
	inner_nap 1
	inner_hmp goes-on 'info registers -a' 60 >/dev/null
	inner_do goes-on 'echo alive' 20
	inner_qmp goes-on '{"execute": "query-migrate"}' 60
	is "the VM ends during a migration" "$(jq -r .return.status <<<"$INNER_REPLY")" active
	inner_stop goes-on
	ends goes-on 0,0
}

# A VM that is stopped, read and dumped, and then ended
looked_at()
{
	boot inspected
	inner_hmp inspected stop 60 >/dev/null
	inner_hmp inspected 'info registers -a' 60 >/dev/null
	inner_hmp inspected 'dump-guest-memory /dev/shm/dump' 120 >/dev/null
	check "the VM is dumped" test -s /dev/shm/dump
	rm -f /dev/shm/dump
	inner_nap $stands
	is "there is no alarm while the VM is stopped" "$(moves inspected)" 0,0
	inner_stop inspected
	ends inspected 0,0
}

powered_off()
{
	boot powered-off
	inner_send powered-off 'poweroff -f'
	for ((i = 0; i < 100; i++)); do
		inner_alive powered-off || break
		inner_nap 0.2
	done
	inner_stop powered-off
	ends powered-off 0,0
}

# Saved to disk, and ended; then restored under regpin
saved()
{
	boot saved
	inner_hmp saved stop 60 >/dev/null
	inner_hmp saved 'savevm there' 120 >/dev/null
	inner_stop saved
	is "saved: the alarm comes after the VM has ended" \
		"$(wait_events saved '.event == "left" and .reason == "ended"' 1 30)" 1
	ends saved 0,1
	guest restored 6.12 "$policy" -- -drive "if=none,id=d,format=qcow2,file=$disk" -loadvm there
	is "restored: the vCPU is armed by the state that was loaded" \
		"$(wait_events restored '.event == "armed" and .cause == "load"' 1 30)" 1
	inner_stop restored
	ends restored 0,0
}

qemu-img create -q -f qcow2 "$disk" 64M
goes_on
looked_at
powered_off
saved
tap_end
