#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs in lab/debug-kernel, whose KASAN, lockdep and RCU checks end it with a report if they
# find a fault: the series' selftests, then filters that are set and removed under four
# running vCPUs, vCPUs that are created at the same time, and INITs.
#
# usage: debug-storm.sh DIR SECONDS, the storm's length
dir=$1 seconds=$2 bad=0
CR_TESTS_SECONDS=600 "$(dirname "$0")/cr-tests.sh" "$dir" cr_filter_test cr_filter_events_test cr_filter_nested_test \
	vmload_msr_filter_test lock_cr_hypercall_test memory_fault_exit_test || bad=1
echo "# cr_filter_race_test, $seconds s in all"
# Case 26 runs for twice its duration, for two registers.
"$dir/x86_64/cr_filter_race_test" -d $((seconds / 4)) -n 4 -t $((seconds * 3)) || bad=1
exit $bad
