#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The kernel's own test of the MSR filter is a VMM with its own filters and exits: it must
# not notice that regpin is between it and KVM.
set -u
# shellcheck source=tests/lab/lib.sh
source "$LAB_DIR/../tests/lab/lib.sh"
test=$(cat "$work/kvm-selftests.dir")/x86_64/userspace_msr_exit_test

# Its exit status is 0 even if all tests were skipped, so its output is read.
totals()
{
	grep -o 'pass:[0-9]* fail:[0-9]*.*' "$1"
}

"$test" >/run/out/plain.log 2>&1
is "userspace_msr_exit_test passes without regpin" "$(totals /run/out/plain.log)" \
	"pass:4 fail:0 xfail:0 xpass:0 skip:0 error:0"
"$regpin" run --policy "$top/policies/report-all.yaml" --events /run/out/selftest.events -- \
	"$test" >/run/out/shim.log 2>&1
is "userspace_msr_exit_test exits with 0 under regpin" $? 0
is "userspace_msr_exit_test has the same results under regpin" "$(totals /run/out/shim.log)" "$(totals /run/out/plain.log)"
check "its VMs had the policy" test "$(count_events selftest '.event == "attached"')" -ge 4
tap_end
