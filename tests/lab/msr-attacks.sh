#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Root in a stock Debian guest attacks its own kernel's syscall MSRs and EFER: each attack
# first succeeds without regpin, and then fails with it, as one event.
#
# usage: msr-attacks.sh POLICY KERNEL[:pinned] ..; with :pinned it runs only with regpin
set -u
# shellcheck source=tests/lab/lib.sh
source "$LAB_DIR/../tests/lab/lib.sh"

# Each line of the guest: ATTACK name how=dev|module gp=0|1 old= tried= seen= [rip=]
attacks_of() # NAME
{
	inner_log "$1" | grep '^ATTACK '
}

field() # KEY LINE
{
	sed -n "s/.* $1=\([^ ]*\).*/\1/p" <<<"$2 "
}

run_attacks() # NAME KERNEL POLICY [OPTION ..] -- ATTACK ..
{
	local name=$1 kernel=$2 policy=$3 options=()

	shift 3
	while [[ $1 != -- ]]; do options+=("$1"); shift; done
	shift
	guest "$name" "$kernel" "$policy" --smp 2 \
		--append "regpin.run=/attacks${*:+,$(IFS=,; echo "$*")}" "${options[@]}" || return
	inner_wait "$name" '^ATTACKS-DONE' 120 && inner_wait "$name" '^GUEST-RC 0' 10
	# A system call on each CPU shows that the kernel still works.
	inner_do "$name" 'taskset 1 true && taskset 2 true' 20 || echo "# $name: a system call fails after the attacks"
	# Modules are no attack: if the policy refuses one of their accesses, there is an
	# event too many.
	if [[ $kernel != trixie ]]; then
		load_later "$name"
		check "$name: modules that look for hardware are tried: $INNER_REPLY" [ "${INNER_REPLY##* }" -ge 7 ]
	fi
	inner_stop "$name"
}

register_of() # ATTACK
{
	case $1 in
	efer.*) echo EFER ;;
	*) tr '[:lower:]' '[:upper:]' <<<"$1" ;;
	esac
}

succeeded() # NAME KERNEL
{
	local line attack

	while read -r line; do
		attack=$(cut -d' ' -f2,3 <<<"$line")
		is "$2 without regpin: $attack succeeds" \
			"gp=$(field gp "$line") $([[ $(field seen "$line") == "$(field tried "$line")" ]] && echo changed)" \
			'gp=0 changed'
	done < <(attacks_of "$1")
}

stopped() # NAME KERNEL WANTED-ATTACKS
{
	local line attack register filter count=0

	while read -r line; do
		count=$((count + 1))
		attack=$(cut -d' ' -f2 <<<"$line")
		register=$(register_of "$attack")
		filter=".event == \"violation\" and .register == \"$register\" and .new == \"$(field tried "$line")\" and .verdict == \"gp\""
		[[ -z $(field rip "$line") ]] || filter+=" and .rip == \"$(field rip "$line")\" and .cpl == 0"
		# The device and the module write the same value; the RIP distinguishes
		# them.
		[[ -n $(field rip "$line") ]] || filter+=" and .vcpu == 1"
		is "$2 with regpin: $attack $(field how "$line") gets #GP, and no register changes" \
			"gp=$(field gp "$line") $([[ $(field seen "$line") == "$(field old "$line")" ]] && echo unchanged)" \
			'gp=1 unchanged'
		if [[ -n $(field rip "$line") ]]; then
			is "$2 with regpin: $attack by the module is one event, with its RIP" \
				"$(count_events "$1" "$filter")" 1
		fi
	done < <(attacks_of "$1")
	is "$2 with regpin: there are as many events as attacks" \
		"$(count_events "$1" '.event == "violation"')" "$count"
	is "$2 with regpin: all attacks were tried" "$count" "$3"
}

# Intel has no SVME that could be set: KVM refuses it to every guest.
svm=false plain=(lstar star cstar sfmask sysenter_eip efer.sce efer.nxe) plain_cpu=host,-vmx plain_count=13
if grep -qw svm /proc/cpuinfo; then
	svm=true plain=() plain_cpu=host plain_count=15
fi

policy=$top/policies/${1:?usage: msr-attacks.sh POLICY KERNEL[:pinned] ..}
shift
# VMs with SVM in their CPUID are refused, so SVME can be set only in the VM below.
sed 's/^version: 1$/&\naccept: [nested]/' "$policy" >/run/lab/nested.yaml

for kernel; do
	only=${kernel#*:} kernel=${kernel%:pinned}
	if [[ $only != pinned ]]; then
		run_attacks "plain-$kernel" "$kernel" - --cpu "$plain_cpu" -- "${plain[@]}"
		succeeded "plain-$kernel" "$kernel"
		is "$kernel without regpin: all attacks were tried" "$(attacks_of "plain-$kernel" | wc -l)" $plain_count
	fi
	run_attacks "pinned-$kernel" "$kernel" "$policy" --
	stopped "pinned-$kernel" "$kernel" 15
	if $svm && [[ $only != pinned ]]; then
		run_attacks "nested-$kernel" "$kernel" /run/lab/nested.yaml --cpu host -- efer.svme
		stopped "nested-$kernel" "$kernel" 2
	fi
done
tap_end
