#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --kvm-modules @patched@
# A vCPU that is held by `pause`: the VMM's monitor, stop, savevm, migration and quit still
# work, and each of the three answers has its effect.
set -u
# shellcheck source=tests/lab/life.sh
source "$LAB_DIR/../tests/lab/life.sh"
socket=/run/lab/migration
disk=/dev/shm/disk.qcow2
policy=$(policy_with pause 's/^action: gp/action: pause/')

# try NAME: attacks on CPU 1, in the background, and waits until its vCPU is held
try()
{
	# The shell and its console run on the other CPU; otherwise they would be held, too.
	inner_do "$1" 'taskset -p 1 $$ >/dev/null; echo 1 >/proc/irq/4/smp_affinity' 20
	inner_send "$1" "(taskset 2 sh -c 'echo cr4.smep >/proc/attack; cat /proc/attack' >/tmp/attack; echo; echo GUEST-TRIED) &"
	vcpu=$(wait_held "$1" 30)
	is "$1: the vCPU is held, and status shows why" "$vcpu: $(why_held "$1" "${vcpu:-0}")" "1: CR4 sticky SMEP"
}

# answered NAME ANSWER GP: the result of the attack
answered()
{
	check "$1: '$2'" ctl "$1" "$2" --vcpu 1
	inner_wait "$1" GUEST-TRIED 30
	inner_do "$1" 'cut -d" " -f1,3 /tmp/attack' 20
	is "$1: '$2' decides the held write" "$INNER_REPLY" "cr4.smep gp=$3"
	is "$1: no vCPU is held after the answer" "$(held "$1")" ''
}

qemu-img create -q -f qcow2 $disk 1G
guest held 6.12 "$policy" --smp 2 -- -drive "file=$disk,format=qcow2,if=virtio"
check "the guest boots" inner_wait held 'GUEST-READY .* cpus=2' 120 || tap_end
try held
inner_do held 'echo alive' 20
is "the other CPU runs" "$INNER_REPLY" alive
inner_hmp held stop
is "stop pauses the VM" "$(inner_hmp held 'info status' | tr -d '\r')" "VM status: paused"
inner_hmp held cont
is "cont runs the VM" "$(inner_hmp held 'info status' | tr -d '\r')" "VM status: running"
is "the vCPU is still held after cont" "$(wait_held held 20)" 1
answered held gp 1
try held
answered held allow 0
try held
is "savevm prints no error" "$(inner_hmp held 'savevm here' 120)" ''
answered held gp 1
is "loadvm prints no error" "$(inner_hmp held 'loadvm here' 120)" ''
is "after loadvm the held write is repeated, and held again" "$(wait_held held 30)" 1
answered held gp 1

guest there 6.12 "$policy" --smp 2 -- -incoming "unix:$socket" -drive "file=$disk,format=qcow2,if=virtio,snapshot=on"
try held
migrate held $socket 120
is "a migration completes while a vCPU is held" "$INNER_REPLY" completed
inner_stop held
is "QEMU quits with status 0 while a vCPU is held" "$inner_status" 0
is "the destination holds the vCPU again" "$(wait_held there 30)" 1
inner_do there 'echo alive' 20
check "the operator stops the VM" ctl there stop --vcpu 1
end=$((SECONDS + 20))
while inner_alive there && ((SECONDS < end)) && ! grep -q GUEST_PANICKED "$inner_out/there.qmp.log"; do
	inner_nap 0.3
done
check "the VM's end counts as a crash: QEMU reports GUEST_PANICKED" \
	grep -q '"event": "GUEST_PANICKED"' "$inner_out/there.qmp.log"
is "each answer is an event that names the operator" "$(count_events held \
	'.event == "control" and (.command == "gp" or .command == "allow") and .operator.uid == 0 and .result == "done"')" 4
inner_stop there
tap_end
