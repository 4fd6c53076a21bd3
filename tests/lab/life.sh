# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the life-cycle scenarios: operations on a guest, with or without regpin.
# These functions set INNER_REPLY, so they may not be called in a $(subshell).

# shellcheck source=tests/lab/lib.sh
source "$LAB_DIR/../tests/lab/lib.sh"
image=guest-life
vda=/dev/vda

# offline_online NAME TIMES CPU: by sysfs; failures=HOW-OFTEN
offline_online()
{
	inner_do "$1" "n=0; c=/sys/devices/system/cpu/cpu$3/online; for i in \$(seq $2); do echo 0 >\$c && echo 1 >\$c || n=\$((n+1)); done; echo failures=\$n" 300
}

# plug NAME ID CORE: adds a vCPU; INNER_REPLY is 1 if the guest has it
plug()
{
	local cpu=/sys/devices/system/cpu/cpu$3

	inner_hmp "$1" "device_add host-x86_64-cpu,id=$2,socket-id=0,core-id=$3,thread-id=0"
	# The guest may bring the CPU online itself, or may need a command for it.
	inner_do "$1" "for i in 1 2 3 4 5 6 7 8 9; do [ -e $cpu/online ] && break; sleep 1; done; echo 1 >$cpu/online 2>/dev/null; cat $cpu/online" 60
}

unplug() # NAME ID CORE: gone, or there
{
	local cpu=/sys/devices/system/cpu/cpu$3

	inner_hmp "$1" "device_del $2"
	inner_do "$1" "for i in 1 2 3 4 5 6 7 8 9; do [ -e $cpu ] || break; sleep 1; done; [ -e $cpu ] && echo there || echo gone" 60
}

# migrate FROM SOCKET SECONDS: live; its last status
migrate()
{
	local end=$((SECONDS + $3))

	inner_hmp "$1" "migrate -d unix:$2" 60
	while inner_qmp "$1" '{"execute": "query-migrate"}' 60; do
		INNER_REPLY=$(jq -r .return.status <<<"$INNER_REPLY")
		[[ $INNER_REPLY != completed && $INNER_REPLY != failed ]] && ((SECONDS < end)) || return 0
		inner_nap 0.3
	done
}

# The numbers of events "moved" (to another regpin) and "left" of the VM's state: "1,0"
moves() # NAME
{
	echo "$(count_events "$1" '.event == "moved"'),$(count_events "$1" '.event == "left"')"
}

# The kernel's base address, which KASLR chooses at each boot.
text_base() # NAME
{
	inner_do "$1" "sed -n 's/ T _text\$//p' /proc/kallsyms" 60
}

# hibernate NAME: to the swap on vda; the VM resets itself when the image is written
hibernate()
{
	inner_do "$1" "mkswap $vda >/dev/null && swapon $vda && cat /sys/block/vda/dev >/sys/power/resume; echo reboot >/sys/power/disk; cat /sys/power/disk" 60
	inner_send "$1" 'echo disk >/sys/power/state; echo GUEST-RESUMED $?'
}

# resume NAME: resumes as an initramfs does; does not return if there is an image
resume()
{
	inner_send "$1" "cat /sys/block/vda/dev >/sys/power/resume; echo GUEST-NO-IMAGE"
}

# kexec_load NAME [-p] [APPEND]: the kernel in the guest's /next; loaded=STATUS
kexec_load()
{
	inner_do "$1" "kexec -s ${2:--l} /next/vmlinuz --initrd=/next/initrd --append='console=ttyS0 panic=-1 quiet${3:+ $3}'; echo loaded=\$?" 120
}

# held NAME: the ids of the vCPUs that wait for an answer
held()
{
	vm_status "$1" 'select(.held) | .vcpu' 2>/dev/null
}

# wait_held NAME SECONDS: waits until a vCPU is held; prints the first one's id
wait_held()
{
	local end=$((SECONDS + $2)) vcpu=''

	while read -r vcpu < <(held "$1"); [[ -z $vcpu ]] && ((SECONDS < end)); do
		inner_nap 0.3
	done
	echo "$vcpu"
}

# The reason why a vCPU is held, as the operator sees it: "CR4 sticky SMEP,SMAP"
why_held() # NAME VCPU
{
	vm_status "$1" "select(.held and .vcpu == $2).held_by | [.register, .rule, ((.bits // []) | map(tostring) | join(\",\"))] | join(\" \")"
}

# allow_all NAME REGEX SECONDS: answers every held vCPU with `allow` until the guest's
# console has a line that matches; sets allowed to the number of answers
allow_all()
{
	local end=$((SECONDS + $3)) vcpu

	allowed=0
	while ! inner_wait "$1" "$2" 0 2>/dev/null; do
		# The messages are like those of inner_wait(): the runner recognises an
		# emulator's fault by such messages.
		inner_alive "$1" || { inner_fail "$1 ended while we waited for '$2' and allowed $allowed writes"; return; }
		((SECONDS < end)) || { inner_fail "$1: no '$2' within $3 s, $allowed writes were allowed"; return; }
		for vcpu in $(held "$1"); do
			echo "# allowed on vCPU $vcpu: $(why_held "$1" "$vcpu")"
			ctl "$1" allow --vcpu "$vcpu" >/dev/null && allowed=$((allowed + 1))
		done
		inner_nap 0.2
	done
}

# policy_with NAME SED-SCRIPT: a changed copy of policies/linux.yaml; prints its path
policy_with()
{
	sed "$2" "$top/policies/linux.yaml" >"/run/lab/$1.yaml"
	echo "/run/lab/$1.yaml"
}

# shellcheck disable=SC2034 # for the scenarios
window_opened='.event == "control" and .command == "window" and .result == "done"'
