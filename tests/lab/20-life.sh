#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The ordinary life of a guest must not violate a pin: CPU hotplug by sysfs, reboot,
# system_reset, stop and cont, savevm and loadvm. After each of them the pins must still
# hold.
set -u
# shellcheck source=tests/lab/lib.sh
source "$LAB_DIR/../tests/lab/lib.sh"
policy=$top/policies/linux.yaml
disk=/dev/shm/disk.qcow2
event_limit=0 # INITs are counted

violations() # NAME
{
	count_events "$1" '.event == "violation" or .event == "vmm-write" or .event == "failed"'
}

# Makes one attack: it is refused, and makes one event.
still_pinned() # NAME WHEN
{
	local before after

	before=$(violations "$1")
	inner_do "$1" 'echo lstar >/proc/attack; cat /proc/attack' 30
	after=$(violations "$1")
	is "$kernel, $2: LSTAR is still pinned" "${INNER_REPLY#*gp=}" "1 ${INNER_REPLY#*gp=1 }"
	is "$kernel, $2: the attack is one event" $((after - before)) 1
}

quiet() # NAME WHEN: only our own attacks were events
{
	is "$kernel, $2: no violation" "$(violations "$1")" "$attacks"
}

life() # KERNEL
{
	kernel=$1 attacks=0
	local name=life-$1 offline

	guest "$name" "$kernel" "$policy" --smp 2 -- \
		-drive "file=$disk,format=qcow2,if=virtio" || return
	check "$kernel boots" inner_wait "$name" 'GUEST-READY .* cpus=2' 90
	quiet "$name" boot

	offline='n=0; for i in $(seq 20); do echo 0 >/sys/devices/system/cpu/cpu1/online && echo 1 >/sys/devices/system/cpu/cpu1/online || n=$((n+1)); done; echo failures=$n'
	inner_do "$name" "$offline" 120
	is "$kernel: CPU offline and online 20 times" "$INNER_REPLY" failures=0
	quiet "$name" "20 x offline/online"
	still_pinned "$name" "after offline/online"
	attacks=$((attacks + 1))

	inner_do "$name" 'echo 42 >/tmp/marker' 20
	inner_hmp "$name" 'savevm here' 120 >/dev/null
	inner_do "$name" 'echo 43 >/tmp/marker' 20
	is "$kernel: loadvm prints no error" "$(inner_hmp "$name" 'loadvm here' 120)" ''
	inner_do "$name" 'cat /tmp/marker' 20
	is "$kernel: loadvm restores what savevm saved" "$INNER_REPLY" 42
	quiet "$name" "savevm/loadvm"
	still_pinned "$name" "after loadvm"
	attacks=$((attacks + 1))

	inner_hmp "$name" stop >/dev/null
	inner_hmp "$name" cont >/dev/null
	inner_do "$name" 'echo alive' 20
	is "$kernel: the guest runs after stop and cont" "$INNER_REPLY" alive
	quiet "$name" "stop/cont"

	inner_hmp "$name" system_reset >/dev/null
	check "$kernel: system_reset boots again" inner_wait "$name" 'GUEST-READY .* cpus=2' 90
	quiet "$name" system_reset
	still_pinned "$name" "after system_reset"
	attacks=$((attacks + 1))

	inner_send "$name" 'reboot -f'
	check "$kernel: reboot in the guest boots again" inner_wait "$name" 'GUEST-READY .* cpus=2' 90
	quiet "$name" reboot
	still_pinned "$name" "after reboot"
	attacks=$((attacks + 1))

	# Each vCPU arms on each boot: power-on, loadvm, system_reset, reboot. CPU 1 also
	# arms each time that it comes online, after an INIT, which is inferred when it sets
	# EFER.
	is "$kernel: each INIT is an event" "$(count_events "$name" '.event == "disarmed" and .cause == "init" and .vcpu == 1')" 20
	is "$kernel: each vCPU arms on each boot and after each INIT" "$(count_events "$name" '.event == "armed"')" 28
	is "$kernel: each reset disarms each vCPU" "$(count_events "$name" '.event == "reset"')" 6
	inner_stop "$name"
	is "$kernel: QEMU exits with status 0" "$inner_status" 0
}

# Four vCPUs, and QEMU's -sandbox: boots as far as a shell. On the lab's two CPUs such a
# guest once reset itself without a message; in that case it is booted again, and the repeat
# is printed.
sandboxed()
{
	local try booted

	for try in 1 2; do
		guest box 6.12 "$policy" --smp 4 -- -sandbox on || return
		booted=no
		inner_wait box 'GUEST-READY .* cpus=4' 120 && booted=yes
		inner_do box 'echo lstar >/proc/attack; cat /proc/attack' 30
		((try == 1 && $(count_events box '.event == "reset"') > 0)) || break
		echo "# repeated box of 20-life: the guest reset itself, see $events_dir/box.1.events"
		inner_stop box
		cp "$events_dir/box.events" "$events_dir/box.1.events"
	done
	is "-smp 4 -sandbox on boots" $booted yes
	is "-smp 4 -sandbox on: LSTAR is pinned" "${INNER_REPLY:0:26}" "lstar how=module gp=1 old="
	is "-smp 4 -sandbox on: one violation" "$(violations box)" 1
	is "-smp 4 -sandbox on: four vCPUs armed" "$(count_events box '.event == "armed"')" 4
	inner_stop box
}

qemu-img create -q -f qcow2 $disk 1G
life 6.12
rm -f $disk
qemu-img create -q -f qcow2 $disk 1G
life 6.1
sandboxed
tap_end
