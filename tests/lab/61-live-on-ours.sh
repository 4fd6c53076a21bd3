#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --kvm-modules @patched@
# The tests that depend on the KVM, on one that has the CR filter and forwards hypercall 13:
# held vCPUs, the operator's commands, the guest's requests.
set -u
# shellcheck source=tests/lab/live.sh
source "$LAB_DIR/../tests/lab/live.sh"

for name in hold operate detect deadline; do
	live $name
done
live vmm "$build/shim/libregpin-shim.so"
tap_end
