#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --kvm-modules @patched@
# Live migration of a guest whose root attacks all the time: no attempt succeeds, neither at
# the source, nor on the way, nor at the destination.
set -u
# shellcheck source=tests/lab/life.sh
source "$LAB_DIR/../tests/lab/life.sh"
socket=/run/lab/migration
policy=$top/policies/linux.yaml
# Prints the number of attacks so far, and of those that succeeded.
tally='awk "{ n++ } / gp=0 / { bad++ } END { print n + 0, bad + 0 }" /tmp/attacks'

attack_forever() # NAME
{
	inner_do "$1" '(while :; do for a in cr4.smep lstar cr0.wp; do echo $a >/proc/attack; cat /proc/attack; done; sleep 0.05; done >/tmp/attacks & echo $! >/tmp/attacker)' 20
}

# To a destination under the same policy
pinned()
{
	local at_source arrived

	guest source 6.12 "$policy" --smp 2
	check "the source boots" inner_wait source 'GUEST-READY .* cpus=2' 90
	guest target 6.12 "$policy" --smp 2 -- -incoming "unix:$socket"
	is "the destination waits, and nothing is armed there" \
		"$(count_events target '.event == "armed"')" 0
	attack_forever source
	migrate source $socket 120
	is "the migration completes" "$INNER_REPLY" completed
	is "the source's event names the destination and the same policy" \
		"$(wait_events source '.event == "moved" and .to == "target" and .policy == "same"' 1)" 1
	inner_do target "$tally" 30
	at_source=${INNER_REPLY% *}
	is "both vCPUs are armed by the state that was loaded" \
		"$(wait_events target '.event == "armed" and .cause == "load"' 2)" 2
	inner_do target "sleep 3; $tally" 30
	arrived=${INNER_REPLY% *}
	check "the attacks continue at the destination ($at_source, then $arrived)" test "$arrived" -gt "$at_source"
	is "no attack succeeded" "${INNER_REPLY#* }" 0
	for register in CR4 LSTAR CR0; do
		check "$register: events at the destination" test "$(wait_events target \
			".event == \"violation\" and .register == \"$register\" and .verdict == \"gp\"" 1)" -ge 1
	done
	is "the destination's only events are refusals" \
		"$(count_events target '(.event == "violation" and .verdict != "gp") or .event == "vmm-write" or .event == "failed"')" 0
	inner_stop source
	is "the source's agent ends" "$(wait_events source '.event == "detached"' 1)" 1
	is "the source has no alarm: events moved, left" "$(moves source)" 1,0
	inner_do target 'kill $(cat /tmp/attacker); offline=/sys/devices/system/cpu/cpu1/online; echo 0 >$offline && echo 1 >$offline && echo fine' 60
	is "CPU offline and online at the destination" "$INNER_REPLY" fine
	inner_send target 'reboot -f'
	check "the guest reboots at the destination" inner_wait target 'GUEST-READY .* cpus=2' 90
	still_pinned target "after that reboot" cr4.smep 1
	inner_stop target
	is "the destination has no alarm at its ordinary end" "$(wait_events target '.event == "detached"' 1), $(moves target)" "1, 0,0"
}

# To a destination without regpin: an attack succeeds there, and the source reports the
# departure, both while its QEMU stands still and after its QEMU has ended.
bare()
{
	guest leaving 6.12 "$policy" --smp 2
	check "the source boots" inner_wait leaving 'GUEST-READY .* cpus=2' 90
	guest bare 6.12 - --smp 2 -- -incoming "unix:$socket"
	migrate leaving $socket 120
	is "the migration to a QEMU without regpin completes" "$INNER_REPLY" completed
	attack bare cr0.wp 0
	is "the attack succeeds at a destination without regpin" "${INNER_REPLY:0:24}" "cr0.wp how=module gp=0 o"
	is "the source raises the alarm" \
		"$(wait_events leaving '.event == "left" and .reason == "stands"' 1 60)" 1
	inner_stop leaving
	is "the source's agent ends" "$(wait_events leaving '.event == "detached"' 1)" 1
	is "the source has one alarm: events moved, left" "$(moves leaving)" 0,1
	inner_stop bare
}

# The same, and the source is ended at once, as a manager of migrations does.
ended()
{
	guest ended 6.12 "$policy"
	check "the source boots" inner_wait ended 'GUEST-READY .* cpus=1' 90
	guest bare 6.12 - -- -incoming "unix:$socket"
	migrate ended $socket 120
	is "the migration to a QEMU without regpin completes" "$INNER_REPLY" completed
	inner_stop ended
	check "the name is free for the next VM" test ! -e /run/regpin/ended.sock
	is "the alarm comes after the VMM's end" \
		"$(wait_events ended '.event == "left" and .reason == "ended"' 1 30)" 1
	is "the agent of the ended source ends" "$(wait_events ended '.event == "detached"' 1)" 1
	is "the ended source has one alarm: events moved, left" "$(moves ended)" 0,1
	check "no socket is left" test -z "$(find /run/regpin -name 'ended*')"
	inner_stop bare
}

pinned
bare
ended
tap_end
