#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An attacker with code in a stock Debian guest's kernel clears the protections in CR0 and
# CR4, in every way that exists. Without regpin each attack succeeds, shown by its use; with
# regpin none does, and each is one event.
#
# usage: cr-attacks.sh KERNEL
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
# The guest still works: both CPUs run, and one that comes online again is pinned as before.
check "$kernel with regpin: the guest continues" inner_do "pinned-$kernel" \
	'cd /sys/devices/system/cpu/cpu1 && echo 0 >online && echo 1 >online && taskset 1 true && taskset 2 true' 60
inner_do "pinned-$kernel" '/attacker --cpu1 cr4.smep' 30
inner_stop "pinned-$kernel"
for name in "${attacks[@]}"; do
	worked "plain-$kernel" "$name" "$kernel without regpin: $name"
	# The same bit by the same instruction, but on both CPUs.
	[[ $name == cr4.smep ]] || stopped "pinned-$kernel" "$name" "$kernel with regpin: $name"
done
line=$(attack_lines "pinned-$kernel" cr4.smep | tail -n 1)
is "$kernel with regpin: cr4.smep gets #GP on both CPUs" \
	"$(attack_lines "pinned-$kernel" cr4.smep | grep -c 'gp=1 .* mark=0')" 2
for cpu in 0 1; do
	is "$kernel with regpin: cr4.smep on CPU $cpu is one event" "$(count_events "pinned-$kernel" \
		"$(violation_of "$line") and .vcpu == $cpu")" 1
done
is "$kernel with regpin: there are as many violations as attacks" \
	"$(count_violations "pinned-$kernel")" $((${#attacks[@]} + 1))
tap_end
