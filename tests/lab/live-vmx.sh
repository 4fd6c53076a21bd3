#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs the live tests that are beside this script in lab/bochs, by its busybox. Each test
# keeps its own plan and numbers: only "ok" and "not ok" count.
#
# usage: live-vmx.sh "NAME [ARG ..]" ..
bad=0
for line; do
	name=${line%% *}
	# shellcheck disable=SC2086 # several words
	./test_live_$line >/tmp/live.log 2>&1 </dev/null
	rc=$?
	grep -E '^(not )?ok |^# ' /tmp/live.log | sed "s/ - / - $name on VMX: /"
	if [ $rc -eq 0 ] && grep -q '^1\.\.[1-9]' /tmp/live.log; then
		echo "ok - test_live_$line on VMX ends well"
	else
		echo "not ok - test_live_$line on VMX ends well: status $rc: $(tail -n 1 /tmp/live.log)"
		bad=1
	fi
done
exit $bad
