#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --kvm-modules @patched@
# A CPU that starts anew, in the attacker's code, has no pinned bit to clear. Stopped
# it is when it can't run with paging and without the pins. Until it turns paging on
# it does run: who does not want that says init: stop.
set -u
# shellcheck source=tests/lab/lib.sh
source "$LAB_DIR/../tests/lab/lib.sh"
# shellcheck source=tests/lab/attacks.sh
source "$LAB_DIR/../tests/lab/attacks.sh"
policy=$top/policies/linux.yaml
cpu1=/sys/devices/system/cpu/cpu1/online

with_cpu1_off() # NAME ATTACK
{
	inner_do "$1" "echo 0 >$cpu1" 30 && attack "$1" "$2" && inner_do "$1" "echo 1 >$cpu1" 60
}

# -- without regpin
boot plain -
for name in init.lstar init.stays; do
	check "without regpin: CPU 1 can go off and come back, $name in between" with_cpu1_off plain $name
	worked plain $name "without regpin: INIT of CPU 1, $name"
done
init_running plain
is "without regpin: INIT of a running CPU 1 into code without CR0.WP works" "$stage" 3
inner_stop plain

# -- CPU 1 off, running, never started
boot pinned "$policy"
for name in init init.lstar; do
	check "with regpin: CPU 1 goes off, $name, and comes back" with_cpu1_off pinned $name
	stopped pinned $name "with regpin: INIT of CPU 1, $name"
done
is "with regpin: two violations for two attacks" "$(count_violations pinned)" 2
attack pinned init.stays
is "with regpin: a CPU that never arms is held" \
	"$(field mark "$(attack_lines pinned init.stays)")" 0
is "with regpin: and that is one event" "$(count_events pinned '.event == "deadline" and .vcpu == 1')" 1
inner_stop pinned

boot running "$policy"
init_running running
is "with regpin: INIT of a running CPU 1: #GP where it turns paging on" "$stage" 13
is "with regpin: and that is one event" "$(count_events running '.event == "violation" and
	.register == "CR0" and .rule == "require" and .lacks == ["WP"] and .vcpu == 1')" 1
is "with regpin: and no other violation" "$(count_violations running)" 1
inner_stop running

boot never "$policy" --append maxcpus=1
attack never init
stopped never init "with regpin: a CPU that was off when the pins came"
check "with regpin: Linux starts that CPU" inner_do never "echo 1 >$cpu1" 60
inner_do never '/attacker --cpu1 cr4.smep' 30
stopped never cr4.smep "with regpin: and it is pinned"
is "with regpin: two violations for two attacks on a CPU that was off" "$(count_violations never)" 2
inner_stop never

# -- who does not want the attacker's code to run at all
sed 's/^mode: enforce$/&\ninit: stop/' "$policy" >/run/lab/stop.yaml
boot stop /run/lab/stop.yaml -- -no-reboot
inner_send stop '/attacks init'
check "init: stop ends the VM" ended stop 30
is "init: stop: the attacker's code does not run" "$(attack_lines stop init | wc -l)" 0
is "init: stop is one event" "$(count_events stop '.event == "init" and .vcpu == 1')" 1
inner_stop stop
tap_end
