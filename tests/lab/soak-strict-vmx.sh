#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: host
# Like soak-strict.sh, on Intel's CPUs as Bochs emulates them, and with Debian's 6.1.
# ./check soak runs it.
set -u
# shellcheck source=tests/lab/vmx.sh
source "$LAB_DIR/../tests/lab/vmx.sh"
# shellcheck source=tests/lab/backports.sh
source "$LAB_DIR/../tests/lab/backports.sh"

get_backports
lab_load_cache
vmx_cpu=host,-vmx vmx_append=
files=()
for kernel in 6.1 6.12 backports; do
	lab_kernel $kernel
	image=$REGPIN_LAB_WORK/guest-$kernel.gz
	files+=(--file "$K_VMLINUZ:$K_VMLINUZ" --file "$image:$image")
done

# model NAME BOCHS-MODEL INTEL-MODEL KERNEL ..
model()
{
	local name=$1 bochs=$2 number=$3 kernel guests=()

	shift 3
	for kernel; do
		guests+=("$name-$kernel $kernel host,-vmx GenuineIntel 6 $number 1")
	done
	on_vmx "$name" 850 --stock --cpu "$bochs" "${files[@]}" -- strict.sh "${guests[@]}"
}

rc=0
model haswell corei7_haswell_4770 60 6.1 backports || rc=$?
model tigerlake tigerlake 140 6.12 backports || rc=$?
exit $rc
