#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Somebody with code in a stock Debian guest's kernel clears what protects it in CR0
# and CR4, in each way that there is. Without regpin each is seen to work, by what
# it is good for; with it none is, each by one event. usage: cr-attacks.sh KERNEL
set -u
# shellcheck source=tests/lab/lib.sh
source "$LAB_DIR/../tests/lab/lib.sh"
# shellcheck source=tests/lab/attacks.sh
source "$LAB_DIR/../tests/lab/attacks.sh"

attacks=(cr0.wp cr0.wp.raw cr4.smep cr4.smep.raw cr4.smap cr4.smap.raw cr4.umip cr4.umip.raw
	cr0.em.lmsw cr0.pg cr4.rop ret2usr syscall.hook lstar.hook)

policy=$top/policies/linux.yaml
kernel=${1:?usage: cr-attacks.sh KERNEL}

run_all() # NAME KERNEL POLICY [ATTACK ..]
{
	local name=$1 kernel=$2 pins=$3

	shift 3
	guest "$name" "$kernel" "$pins" --smp 2 --append "regpin.run=/attacks,$(IFS=,; echo "$*")" &&
		inner_wait "$name" '^ATTACKS-DONE' 120 && inner_wait "$name" '^GUEST-RC 0' 10
}

run_all "plain-$kernel" "$kernel" - "${attacks[@]}"
inner_stop "plain-$kernel"
run_all "pinned-$kernel" "$kernel" "$policy" "${attacks[@]}"
# The guest is well: both CPUs work, and one that starts anew is pinned as before.
check "$kernel with regpin: the guest goes on" inner_do "pinned-$kernel" \
	'cd /sys/devices/system/cpu/cpu1 && echo 0 >online && echo 1 >online && taskset 1 true && taskset 2 true' 60
inner_do "pinned-$kernel" '/attacker --cpu1 cr4.smep' 30
inner_stop "pinned-$kernel"
for name in "${attacks[@]}"; do
	worked "plain-$kernel" "$name" "$kernel without regpin: $name"
	# Twice the same bit by the same instruction; but on the other CPU.
	[[ $name == cr4.smep ]] || stopped "pinned-$kernel" "$name" "$kernel with regpin: $name"
done
line=$(attack_lines "pinned-$kernel" cr4.smep | tail -n 1)
is "$kernel with regpin: cr4.smep gets #GP on both CPUs" \
	"$(attack_lines "pinned-$kernel" cr4.smep | grep -c 'gp=1 .* mark=0')" 2
for cpu in 0 1; do
	is "$kernel with regpin: cr4.smep on CPU $cpu is one event" "$(count_events "pinned-$kernel" \
		"$(violation_of "$line") and .vcpu == $cpu")" 1
done
is "$kernel with regpin: as many violations as attacks" \
	"$(count_violations "pinned-$kernel")" $((${#attacks[@]} + 1))
tap_end
