#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --kvm-modules @patched@
# A CPU that starts again by an INIT, in the attacker's code, has no pinned bit to clear. It
# is stopped when it wants to run with paging and without the pins. Until it turns paging on
# it does run; `init: stop` prevents that.
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

# --- without regpin ---
boot plain -
for name in init.lstar init.stays; do
	check "without regpin: CPU 1 goes offline and online, with $name in between" with_cpu1_off plain $name
	worked plain $name "without regpin: INIT of CPU 1, $name"
done
init_running plain
is "without regpin: INIT of a running CPU 1 into code without CR0.WP works" "$stage" 3
inner_stop plain

# --- CPU 1 offline, running, never started ---
boot pinned "$policy"
for name in init init.lstar; do
	check "with regpin: CPU 1 goes offline and online, with $name in between" with_cpu1_off pinned $name
	stopped pinned $name "with regpin: INIT of CPU 1, $name"
done
is "with regpin: two attacks are two violations" "$(count_violations pinned)" 2
attack pinned init.stays
is "with regpin: a CPU that never arms is held" \
	"$(field mark "$(attack_lines pinned init.stays)")" 0
is "with regpin: the missed deadline is one event" "$(count_events pinned '.event == "deadline" and .vcpu == 1')" 1
inner_stop pinned

boot running "$policy"
init_running running
is "with regpin: after INIT of a running CPU 1 it gets #GP when it turns paging on" "$stage" 13
is "with regpin: this #GP is one event" "$(count_events running '.event == "violation" and
	.register == "CR0" and .rule == "require" and .lacks == ["WP"] and .vcpu == 1')" 1
is "with regpin: there is no other violation" "$(count_violations running)" 1
inner_stop running

boot never "$policy" --append maxcpus=1
attack never init
stopped never init "with regpin: INIT of a CPU that was offline when the VM armed"
check "with regpin: Linux starts that CPU" inner_do never "echo 1 >$cpu1" 60
inner_do never '/attacker --cpu1 cr4.smep' 30
stopped never cr4.smep "with regpin: cr4.smep on the CPU that was offline"
is "with regpin: two attacks on a CPU that was offline are two violations" "$(count_violations never)" 2
inner_stop never

# --- a policy that does not let the attacker's code run at all ---
sed 's/^mode: enforce$/&\ninit: stop/' "$policy" >/run/lab/stop.yaml
boot stop /run/lab/stop.yaml -- -no-reboot
inner_send stop '/attacks init'
check "init: stop ends the VM" ended stop 30
is "init: stop: the attacker's code does not run" "$(attack_lines stop init | wc -l)" 0
is "init: stop is one event" "$(count_events stop '.event == "init" and .vcpu == 1')" 1
inner_stop stop
tap_end
