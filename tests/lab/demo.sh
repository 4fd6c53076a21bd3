#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The demo's part inside the lab: the same guest twice, without and with regpin.
# Prints "STEP text" for progress and "TABLE line" for the result.
set -u
# shellcheck source=tests/lab/lib.sh
source "$LAB_DIR/../tests/lab/lib.sh"
policy=$top/policies/linux.yaml
attacks=(lstar star cstar sfmask sysenter_eip efer.sce efer.nxe efer.svme
	cr0.wp cr4.smep cr4.smap cr4.umip)

attack() # NAME POLICY|- [OPTION ..]
{
	local name=$1 policy=$2

	shift 2
	guest "$name" 6.12 "$policy" --smp 2 --append "regpin.run=/attacks,$(IFS=,; echo "${attacks[*]}")" "$@" &&
		inner_wait "$name" '^ATTACKS-DONE' 120 && inner_wait "$name" '^GUEST-RC 0' 20 || exit 1
}

# What came of ATTACK in guest NAME by dev or module: "works" or "#GP"
outcome() # NAME ATTACK HOW
{
	local line

	line=$(inner_log "$1" | grep -m1 "^ATTACK $2 how=$3 ")
	case $line in
	*gp=0*) echo "works" ;;
	*gp=1*) echo "#GP" ;;
	*) echo "-" ;;
	esac
}

row()
{
	printf 'TABLE %-42s | %-15s | %-15s | %s\n' "$@"
}

# Which rule's event has the value that this attack tried?
stopped_by() # NAME ATTACK HOW [WHY-NOT]
{
	local tried

	tried=$(inner_log "$1" | sed -n "s/^ATTACK $2 how=$3 .* tried=\([^ ]*\) .*/\1/p" | head -n 1)
	events "$1" "select(.event == \"violation\" and .verdict == \"gp\" and .new == \"$tried\")" | head -n 1 |
		jq -r '"regpin: " + .rule + ", " + (.where | split("/") | last | split(":")[0:2] | join(":"))' |
		grep . || echo "not stopped here: ${4:-and nobody knows why}"
}

# INIT to CPU 1, by the guest's own APIC: what is left of that CPU's EFER?
init_attack() # NAME
{
	local efer

	inner_send "$1" 'echo init >/proc/attack'
	inner_nap 2
	efer=$(inner_hmp "$1" 'info registers -a' | tr -d '\r' | sed -n 's/^EFER=//p' | sed -n 2p)
	case $efer in
	0000000000000000) echo "works" ;;
	*) echo "EFER=$efer" ;;
	esac
}

show() # ATTACK TEXT [WHY-NOT]
{
	local how

	for how in dev module; do
		[[ $(outcome bare "$1" $how) != - ]] || continue
		row "$2 ($how)" "$(outcome bare "$1" $how)" "$(outcome demo "$1" $how)" \
			"$(stopped_by demo "$1" $how "${3:-}")"
	done
}

echo "STEP in the lab: booting a stock Debian guest without regpin, and attacking it"
attack bare - --cpu host
bare_init=$(init_attack bare)
inner_stop bare
echo "STEP in the lab: the same guest under: regpin run --policy policies/linux.yaml -- qemu-system-x86_64 ..."
attack demo "$policy"
echo "STEP in the lab: the pinned guest goes on: CPU off and on, reboot"
inner_do demo 'echo 0 >/sys/devices/system/cpu/cpu1/online && echo 1 >/sys/devices/system/cpu/cpu1/online && echo fine' 60
hotplug=$INNER_REPLY
before=$(count_events demo '.event == "violation"')
inner_send demo 'reboot -f'
inner_wait demo '^ATTACKS-DONE' 120 && reboot=fine || reboot=failed
after=$(count_events demo '.event == "violation"')
demo_init=$(init_attack demo)
inner_stop demo

echo "TABLE"
row "attack by root in the guest" "without regpin" "with regpin" "who stopped it"
row "------------------------------------------" "---------------" "---------------" "--------------"
show lstar "LSTAR: own system call entry"
show star "STAR: other segments"
show cstar "CSTAR: own 32-bit entry"
show sfmask "SFMASK: keep RFLAGS.AC"
show sysenter_eip "SYSENTER_EIP: own entry"
show efer.sce "EFER.SCE cleared"
show efer.nxe "EFER.NXE cleared: data is code"
show efer.svme "EFER.SVME set"
cr="needs the CR filter"
show cr0.wp "CR0.WP cleared" "$cr"
show cr4.smep "CR4.SMEP cleared" "$cr"
show cr4.smap "CR4.SMAP cleared" "$cr"
show cr4.umip "CR4.UMIP cleared" "$cr"
row "INIT to CPU 1: its EFER is 0" "$bare_init" "$demo_init" "not stopped here: stock KVM does not show INIT"
echo "TABLE"
echo "TABLE dev: by /dev/cpu/1/msr; module: WRMSR in a kernel module. Events: $before for $(inner_log demo |
	grep -c '^ATTACK .*gp=1' | awk '{ print $1 / 2 }') attacks; after the reboot as many again: $((after - before))."
echo "TABLE The pinned guest afterwards: CPU offline and online: $hotplug; reboot: $reboot."
