#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs the selftests of kernel/6.12 in a machine of the lab, by bash or by busybox. They
# print TAP; a test that ends without its plan is a failure.
#
# usage: cr-tests.sh DIR [NAME ...]
bad=0
log=/tmp/cr-tests.log
[ -w /tmp ] || log=/run/cr-tests.log
dir=$1
shift
[ $# -gt 0 ] || set -- cr_filter_test cr_filter_events_test cr_filter_nested_test cr_filter_race_test \
	vmload_msr_filter_test lock_cr_hypercall_test memory_fault_exit_test
for name; do
	echo "# $name"
	timeout -k 5 "${CR_TESTS_SECONDS:-120}" "$dir/x86_64/$name" >$log 2>&1 </dev/null
	rc=$?
	cat $log
	case $rc in
	0 | 4) ;;
	*) echo "not ok - $name: exit status $rc"; bad=1 ;;
	esac
	grep -q '^1\.\.[0-9]' $log || { echo "not ok - $name: no plan"; bad=1; }
done
exit $bad
