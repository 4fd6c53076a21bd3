#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: host
# linux-strict.yaml on Intel's CPUs, as Bochs emulates them, on VMX and a stock KVM.
set -u
# shellcheck source=tests/lab/vmx.sh
source "$LAB_DIR/../tests/lab/vmx.sh"

image=$REGPIN_LAB_WORK/guest-6.12.gz
vmx_cpu=host,-vmx vmx_append=
on_vmx haswell 900 --stock --cpu corei7_haswell_4770 --file "$image:$image" \
	-- strict.sh "haswell 6.12 host,-vmx GenuineIntel 6 60 1"
