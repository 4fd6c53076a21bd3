#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --cpu max,x-force-features=on,v-vmsave-vmload=on
# An AMD host with virtual VMLOAD and VMSAVE: a guest without SVM loads its syscall MSRs
# from its memory, bypassing the MSR filter. regpin must not claim to pin them there.
set -u
# shellcheck source=tests/lab/lib.sh
source "$LAB_DIR/../tests/lab/lib.sh"
policy=$top/policies/linux.yaml
registers=(STAR LSTAR CSTAR SFMASK SYSENTER_CS SYSENTER_ESP SYSENTER_EIP)
attacks=("${registers[@],,}")
attacks=("${attacks[@]/#/vmload.}")

field() # KEY LINE
{
	sed -n "s/.* $1=\([^ ]*\).*/\1/p" <<<"$2 "
}

is "this KVM uses virtual VMLOAD" "$(cat /sys/module/kvm_amd/parameters/vls)" 1

# The attack itself, in a guest like those that regpin would run.
guest plain 6.12 - --smp 2 --append "regpin.run=/attacks,$(IFS=,; echo "${attacks[*]}")" &&
	inner_wait plain '^ATTACKS-DONE' 120 && inner_wait plain '^GUEST-RC 0' 10
inner_do plain 'grep -cw svm /proc/cpuinfo; true' 20
is "the guest's CPUID has no SVM" "$INNER_REPLY" 0
inner_stop plain
for attack in "${attacks[@]}"; do
	line=$(inner_log plain | grep -m1 "^ATTACK $attack ")
	is "without regpin: $attack succeeds" \
		"gp=$(field gp "$line") $([[ $(field seen "$line") == "$(field tried "$line")" ]] && echo changed)" \
		'gp=0 changed'
done

"$regpin" run --policy "$policy" -- touch /run/out/started 2>/run/out/refused
is "run starts no VMM, and exits with status 3" $? 3
check "no VMM was started" test ! -e /run/out/started
for register in "${registers[@]}"; do
	check "run names $register, its line of the policy and vls=0" \
		grep -Eq "(linux\.yaml:[0-9]+:[0-9]+: '[a-z]+' on $register can't be enforced .*vls=0)|(vls=0; the same holds for .*'[a-z]+' on $register \([0-9]+:[0-9]+\))" /run/out/refused
done
for register in EFER PAT; do
	check "run does not name $register" \
		bash -c "! grep vls=0 /run/out/refused | grep -q ' on $register '"
done

"$regpin" probe >/run/out/probe
is "probe exits with status 5, as not all is enforced" $? 5
check "probe reports that VMLOAD is open" grep -q '^VMLOAD by guests: *yes' /run/out/probe
check "probe names the registers" grep -Eq '^MSR +on .*LSTAR, .*: NOT enforced +on this host a guest.*vls=0' <(tr '\n' ' ' </run/out/probe | sed 's/ \(MSR\|CR0\|CR4\) /\n\1 /g')
"$regpin" probe --json >/run/out/probe.json
is "probe --json reports that VMLOAD is open" "$(jq -c '[.kvm.vendor, .kvm.vmload_open]' /run/out/probe.json)" '["kvm_amd",true]'
is "probe --json lists the registers" \
	"$(jq -c '[.enforces[] | select(.kind == "MSR" and .rule == "uniform") | .enforced, (.except | index("LSTAR") != null)]' /run/out/probe.json)" \
	'[true,true]'
is "probe POLICY --json: the start would be refused" \
	"$("$regpin" probe --json "$policy" | jq -c '[.starts, (.policy_rules[] | select(.register == "LSTAR") | .enforced)]')" \
	'[false,false]'

# An owner who accepts the remaining rules marks these as optional.
sed 's/^    \(uniform\|once\): true/&\n    optional: true/' "$policy" >/run/lab/optional.yaml
guest optional 6.12 /run/lab/optional.yaml --smp 2 --append 'regpin.run=/attacks,lstar,efer.sce' &&
	inner_wait optional '^ATTACKS-DONE' 120 && inner_wait optional '^GUEST-RC 0' 10
inner_stop optional
check "optional rules: the start reports that LSTAR is not pinned" \
	test "$(count_events optional '.event == "degraded" and .register == "LSTAR"')" = 1
check "optional rules: the other registers are pinned" \
	test "$(count_events optional '.event == "violation" and .register == "EFER" and .verdict == "gp"')" -ge 1
tap_end
