#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A VM's state that is read but goes nowhere is no alarm, and one that is saved and left
# there is one. Each guest ends in another way.
set -u
# shellcheck source=tests/lab/life.sh
source "$LAB_DIR/../tests/lab/life.sh"
policy=$top/policies/linux.yaml
disk=/dev/shm/disk.qcow2
stands=12 # seconds, a little longer than the agent is patient

boot() # NAME [QEMU-ARG ..]
{
	local name=$1

	shift
	guest "$name" 6.12 "$policy" -- -drive "if=none,id=d,format=qcow2,file=$disk" "$@"
	check "$name: boots" inner_wait "$name" 'GUEST-READY .* cpus=1' 90
}

# ends NAME MOVED,LEFT: its agent is through
ends()
{
	is "$1: its agent ends" "$(wait_events "$1" '.event == "detached"' 1 15)" 1
	is "$1: events moved, left" "$(moves "$1")" "$2"
}

# What monitors read, a snapshot that the VM survives, and a plain end
goes_on()
{
	boot goes-on
	inner_hmp goes-on 'savevm here' 120 >/dev/null
	inner_do goes-on 'echo alive' 20
	is "after savevm it goes on" "$INNER_REPLY" alive
	inner_hmp goes-on 'migrate -d "exec:sleep 1; false"' 60
	inner_nap 3
	inner_qmp goes-on '{"execute": "query-migrate"}' 60
	is "a migration that fails" "$(jq -r .return.status <<<"$INNER_REPLY")" failed
	inner_do goes-on 'echo alive' 20
	is "after that it goes on, too" "$INNER_REPLY" alive
	inner_nap $stands
	is "no alarm" "$(moves goes-on)" 0,0
	inner_send goes-on 'reboot -f'
	check "it reboots" inner_wait goes-on 'GUEST-READY .* cpus=1' 90
	# Its memory is logged and its registers are read, but it runs on in between.
	inner_hmp goes-on 'migrate_set_parameter max-bandwidth 4k' 60
	inner_hmp goes-on 'migrate -d "exec:cat >/dev/null"' 60
	inner_nap 1
	inner_hmp goes-on 'info registers -a' 60 >/dev/null
	inner_do goes-on 'echo alive' 20
	inner_qmp goes-on '{"execute": "query-migrate"}' 60
	is "it ends within a migration" "$(jq -r .return.status <<<"$INNER_REPLY")" active
	inner_stop goes-on
	ends goes-on 0,0
}

# A VM that stands still, is looked at and dumped, and ended
looked_at()
{
	boot looked-at
	inner_hmp looked-at stop 60 >/dev/null
	inner_hmp looked-at 'info registers -a' 60 >/dev/null
	inner_hmp looked-at 'dump-guest-memory /dev/shm/dump' 120 >/dev/null
	check "it is dumped" test -s /dev/shm/dump
	rm -f /dev/shm/dump
	inner_nap $stands
	is "no alarm while it stands" "$(moves looked-at)" 0,0
	inner_stop looked-at
	ends looked-at 0,0
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

# To disk, and it ends there; then it comes back, under regpin
saved()
{
	boot saved
	inner_hmp saved stop 60 >/dev/null
	inner_hmp saved 'savevm there' 120 >/dev/null
	inner_stop saved
	is "saved: the alarm, once it has ended" \
		"$(wait_events saved '.event == "left" and .reason == "ended"' 1 30)" 1
	ends saved 0,1
	guest restored 6.12 "$policy" -- -drive "if=none,id=d,format=qcow2,file=$disk" -loadvm there
	is "restored: armed by the state that was loaded" \
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
