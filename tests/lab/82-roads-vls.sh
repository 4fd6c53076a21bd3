#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --kvm-modules @patched@ --cpu max,x-force-features=on,v-vmsave-vmload=on
# The same on a CPU that would execute a guest's VMLOAD without an exit to KVM.
[[ $(cat /sys/module/kvm_amd/parameters/vls) == 1 ]] ||
	{ echo "Bail out! This KVM does not use virtual VMLOAD"; exit 1; }
exec "${REGPIN_LAB_WORK:?}/roads/roads" --expect closed
