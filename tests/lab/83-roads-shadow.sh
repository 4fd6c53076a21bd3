#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --kvm-modules @patched@ --append kvm_amd.npt=0
# The same without nested paging, where KVM itself acts on CR0.WP and CR4.SMEP. Two kinds
# are left out: nested guests, which do not run with npt=0 in QEMU's SVM, with or without
# our KVM; and road 13, whose MOV from CR3 reads KVM's shadow tables there.
exec "${REGPIN_LAB_WORK:?}/roads/roads" --expect closed 1 2 3 4 9 11 14 15 16 17 18 19 20 29 31 32
