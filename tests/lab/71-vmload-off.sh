#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --cpu max,x-force-features=on,v-vmsave-vmload=on --append kvm_amd.vls=0
# The same host as in 70-vmload with the setting that regpin's message recommends: VMLOAD
# faults, and the syscall MSRs are pinned again.
set -u
# shellcheck source=tests/lab/lib.sh
source "$LAB_DIR/../tests/lab/lib.sh"
policy=$top/policies/linux.yaml
attacks=(vmload.{star,lstar,cstar,sfmask,sysenter_cs,sysenter_esp,sysenter_eip})

field() # KEY LINE
{
	sed -n "s/.* $1=\([^ ]*\).*/\1/p" <<<"$2 "
}

is "this KVM does not use virtual VMLOAD" "$(cat /sys/module/kvm_amd/parameters/vls)" 0
check "the CPU has virtual VMLOAD" grep -qw v_vmsave_vmload /proc/cpuinfo
is "probe --json: guests have no VMLOAD" "$("$regpin" probe --json | jq -c '[.kvm.vendor, .kvm.vmload_open]')" \
	'["kvm_amd",false]'
start=${EPOCHREALTIME/./}
for _ in {1..20}; do "$regpin" probe >/run/out/probe; done
with=$((${EPOCHREALTIME/./} - start))
echo "# regpin probe takes $((with / 20)) us"
check "probe reports that guests have no VMLOAD" grep -q '^VMLOAD by guests: *no$' /run/out/probe

guest pinned 6.12 "$policy" --smp 2 --append "regpin.run=/attacks,$(IFS=,; echo "${attacks[*]}"),lstar" &&
	inner_wait pinned '^ATTACKS-DONE' 120 && inner_wait pinned '^GUEST-RC 0' 10
inner_do pinned 'grep -cw svm /proc/cpuinfo; true' 20
is "the guest's CPUID has no SVM" "$INNER_REPLY" 0
inner_stop pinned
for attack in "${attacks[@]}"; do
	line=$(inner_log pinned | grep -m1 "^ATTACK $attack ")
	is "with vls=0: $attack faults, and no register changes" \
		"gp=$(field gp "$line") $([[ $(field seen "$line") == "$(field old "$line")" ]] && echo unchanged)" \
		'gp=1 unchanged'
done
is "with vls=0: both vCPUs are armed" "$(count_events pinned '.event == "armed"')" 2
is "with vls=0: WRMSR to LSTAR gets #GP, by device and by module" \
	"$(count_events pinned '.event == "violation" and .register == "LSTAR" and .verdict == "gp"')" 2
tap_end
