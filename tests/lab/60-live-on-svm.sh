#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --timeout 700
# The live tests, which the host's /dev/kvm may not be able to run, on the lab's
# KVM with SVM: the model of the filter against the real one, each rule and action.
# What a guest writes itself against what is replayed for it: 62-replay-on-svm.sh.
set -u
# shellcheck source=tests/lab/lib.sh
source "$LAB_DIR/../tests/lab/lib.sh"
build=${REGPIN_BUILD:-$top/build}
# See tests/live/tiny.h: not regpin's, and skipped with that reason.
export TINY_TCG=1

for name in ${LIVE_TESTS:-rules lifecycle model_rules model_exits attach retract hold operate detect whole matrix when}; do
	# Their own plans and numbers stay: what counts is "ok" and "not ok".
	timeout 600 "$build/tests/live/test_live_$name" >"/run/out/$name.tap" 2>&1
	status=$?
	grep -E '^(not )?ok |^# at ' "/run/out/$name.tap" | sed "s/ - / - $name on SVM: /"
	is "test_live_$name on SVM ends well" $status 0
	tap_failed=$((tap_failed + $(grep -c '^not ok' "/run/out/$name.tap")))
done
timeout 240 "$build/tests/live/test_live_vmm" "$build/shim/libregpin-shim.so" >/run/out/vmm.tap 2>&1
is "test_live_vmm on SVM ends well" $? 0
grep -E '^(not )?ok |^# at ' /run/out/vmm.tap | sed 's/ - / - vmm on SVM: /'
tap_end
