#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The demo's part inside the lab: the same guest twice, without and with regpin.
# Prints "STEP text" for progress and "TABLE line" for the result.
set -u
# shellcheck source=tests/lab/lib.sh
source "$LAB_DIR/../tests/lab/lib.sh"
# shellcheck source=tests/lab/attacks.sh
source "$LAB_DIR/../tests/lab/attacks.sh"
policy=$top/policies/linux.yaml
attacks=(lstar star cstar sfmask sysenter_eip efer.sce efer.nxe efer.svme lstar.hook
	cr0.wp cr0.wp.raw cr0.em.lmsw cr0.pg cr4.smep cr4.smep.raw cr4.smap cr4.umip cr4.rop ret2usr syscall.hook)
cpu1=/sys/devices/system/cpu/cpu1/online
next="console=ttyS0 panic=-1 quiet maxcpus=1 regpin.run=/bin/echo,NEXT-KERNEL"
declare -A without=() with=() event=()

# Boots a guest with kexec and the attacker's kernel in it. CPU 1 is not started.
boot() # NAME POLICY|- [OPTION ..]
{
	guest "$1" 6.12 "$2" --initrd "$work/guest-attackers.gz" --mem 768 --smp 2 \
		--append maxcpus=1 "${@:3}" && inner_wait "$1" '^GUEST-READY' 120 || exit 1
}

run_attacks() # NAME ATTACK ..
{
	inner_do "$1" "/attacks ${*:2}" 150 || echo "STEP   guest $1 does not answer after ${*:2}"
}

# The outcome of a guest's line
outcome() # LINE
{
	case $1 in
	*gp=1*) echo "#GP" ;;
	*mark=0*) echo "no effect" ;;
	*gp=0*) echo "works" ;;
	*) echo "-" ;;
	esac
}

# Prints the violation after the first SINCE for which CONDITION holds. If there are more,
# prints their number, and the first one.
violation_since() # NAME [SINCE [CONDITION]]
{
	local said

	inner_nap 0.5
	said=$(events "$1" "select(.event == \"violation\")" | tail -n "+$((${2:-0} + 1))" |
		jq -r "select(${3:-true}) | .register + \": \" + .rule + (if .bits then \" \" + (.bits | join(\",\")) else \"\" end) +
			\", \" + (.where | split(\"/\") | last | split(\":\")[0:2] | join(\":\"))")
	case $(grep -c . <<<"$said") in
	0) echo "no event" ;;
	1) echo "$said" ;;
	*) echo "$(wc -l <<<"$said") events: $(head -n 1 <<<"$said")" ;;
	esac
}

event_of() # NAME LINE
{
	local rip

	rip=$(field rip "$2")
	# The guest's line does not have the RIP of the msr driver's instruction; it ran on
	# CPU 1.
	violation_since "$1" 0 ".new == \"$(field tried "$2")\" and $([[ $rip ]] && echo ".rip == \"$rip\"" || echo ".vcpu == 1 and .register != \"CR0\"")"
}

# INIT of CPU 1 in guest NAME; the result is stored under KEY
init_attack() # NAME KEY
{
	local before line stage

	before=$(count_violations "$1")
	init_running "$1"
	case $stage in
	3) line="works" ;;
	13) line="#GP" ;;
	*) line="no effect" ;;
	esac
	if [[ $1 == bare ]]; then
		without[$2]=$line
	else
		with[$2]=$line event[$2]=$(violation_since "$1" "$before")
	fi
}

kexec_attack() # NAME
{
	inner_do "$1" "kexec -s -l /next/vmlinuz --initrd=/next/initrd --append='$next'" 60
	inner_send "$1" 'kexec -e'
}

row()
{
	printf 'TABLE %-44s | %-11s | %-11s | %s\n' "$@"
}

show() # ATTACK TEXT
{
	local how line

	for how in dev module; do
		line=$(attack_lines bare "$1" | grep " how=$how " | head -n 1)
		[[ $line ]] || continue
		without[$1]=$(outcome "$line")
		line=$(attack_lines demo "$1" | grep " how=$how " | head -n 1)
		row "$2 ($how)" "${without[$1]}" "$(outcome "$line")" "$(event_of demo "$line")"
	done
}

show_kept() # KEY TEXT
{
	row "$2" "${without[$1]:--}" "${with[$1]:--}" "${event[$1]:-no event}"
}

echo "STEP in the lab: booting a stock Debian guest without regpin, and attacking it"
boot bare - --cpu host --machine pc,smm=on
inner_do bare "echo 1 >$cpu1" 60
run_attacks bare "${attacks[@]}" smm
without[smm]=$(outcome "$(attack_lines bare smm)")
kexec_attack bare
inner_wait bare '^NEXT-KERNEL' 120 && inner_wait bare '^GUEST-RC' 20 && without[kexec]=works
init_attack bare never
inner_do bare "echo 1 >$cpu1" 60
init_attack bare running
inner_stop bare

echo "STEP in the lab: the same guest under: regpin run --policy policies/linux.yaml -- qemu-system-x86_64 ..."
boot demo "$policy"
init_attack demo never
inner_do demo "echo 1 >$cpu1" 60
run_attacks demo "${attacks[@]}"
echo "STEP in the lab: the pinned guest continues: CPU offline and online, reboot"
before=$(count_violations demo)
inner_do demo "echo 0 >$cpu1 && echo 1 >$cpu1 && echo fine" 60
hotplug=$INNER_REPLY
inner_send demo 'reboot -f'
inner_wait demo '^GUEST-READY' 120 && reboot=fine || reboot=failed
normal=$(($(count_violations demo) - before))
echo "STEP in the lab: kexec in the pinned guest, INIT of a running CPU, SMM"
before=$(count_violations demo)
kexec_attack demo
inner_wait demo '^(GUEST-READY|NEXT-KERNEL)' 120
grep -q NEXT-KERNEL <(inner_log demo) && with[kexec]=works || with[kexec]="VM reset"
event[kexec]=$(violation_since demo "$before")
inner_do demo "echo 1 >$cpu1" 60
init_attack demo running
inner_stop demo

sed 's/^version: 1$/&\naccept: [smm]/' "$policy" >/run/lab/smm.yaml
boot smm /run/lab/smm.yaml --machine pc,smm=on -- -no-reboot
inner_do smm "echo 1 >$cpu1" 60
inner_send smm '/attacks smm'
for ((i = 0; i < 100; i++)); do
	inner_alive smm || break
	inner_nap 0.2
done
inner_alive smm && with[smm]=$(outcome "$(attack_lines smm smm)") || with[smm]="VM ends"
event[smm]=$(events smm 'select(.event == "shutdown") | .event' | tr -d '"')
inner_stop smm

echo "TABLE"
row "attack by root in the guest" "without" "with regpin" "its one event: register, rule, policy"
row "--------------------------------------------" "-----------" "-----------" "--------------------------------------"
show lstar "LSTAR: own system call entry"
show lstar.hook "LSTAR: a hook that passes calls on"
show star "STAR: other segments"
show cstar "CSTAR: own 32-bit entry"
show sfmask "SFMASK: keep RFLAGS.AC"
show sysenter_eip "SYSENTER_EIP: own entry"
show efer.sce "EFER.SCE cleared"
show efer.nxe "EFER.NXE cleared: data is code"
show efer.svme "EFER.SVME set"
show cr0.wp "CR0.WP cleared, read-only page written"
show cr0.wp.raw "CR0.WP by an opcode in disguise"
show syscall.hook "CR0.WP cleared, system call hooked"
show cr0.em.lmsw "CR0.EM set by LMSW: SSE is undefined"
show cr0.pg "CR0.PG cleared, memory written, and back"
show cr4.smep "CR4.SMEP cleared, user's page run"
show cr4.smep.raw "CR4.SMEP by an opcode in disguise"
show cr4.rop "CR4.SMEP by native_write_cr4's own MOV"
show ret2usr "CR4.SMEP, SMAP cleared, user becomes root"
show cr4.smap "CR4.SMAP cleared, user's page read"
show cr4.umip "CR4.UMIP cleared, user sees the IDT"
show_kept running "INIT of a running CPU into code without WP"
show_kept never "the same, a CPU that was never started"
show_kept kexec "kexec into the attacker's kernel"
show_kept smm "SMI, RSM with SMEP cleared (accept: [smm])"
echo "TABLE"
echo "TABLE dev: by /dev/cpu/1/msr; module: by a kernel module."
echo "TABLE The pinned guest in between: CPU offline and online: $hotplug; reboot: $reboot; violations caused by these: $normal."
