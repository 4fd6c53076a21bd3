#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The part of tests/lab/kvm-regress that runs in a machine of the lab, by bash or by
# busybox: each selftest with a time limit, with its output and the kernel's complaints.
#
# usage: kvm-regress.sh DIR SECONDS NAME ...
dir=$1 limit=$2
shift 2

bad_lines()
{
	dmesg | grep -cE 'Oops|BUG:|WARNING:|general protection fault|INFO: task .* blocked for'
}

before=$(bad_lines)
for name; do
	echo "START $name"
	log=/tmp/regress.log
	[ -w /tmp ] || log=/run/regress.log
	timeout -k 5 "$limit" "$dir/$name" >$log 2>&1 </dev/null
	rc=$?
	after=$(bad_lines)
	case $rc in
	0) word=pass ;;
	4) word=skip ;;
	# the statuses of coreutils and busybox, and of SIGKILL
	124 | 143 | 137) word=timeout ;;
	*) word="fail($rc)" ;;
	esac
	totals=$(sed -n 's/^# Totals: //p' $log)
	echo "RESULT $name $word${totals:+ ($totals)} warnings=$((after - before))"
	case $word in
	pass) ;;
	*) tail -n 4 $log | sed "s|^|LOG $name |" ;;
	esac
	before=$after
done
echo "FINISHED"
