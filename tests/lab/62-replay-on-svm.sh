#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# On the lab's stock KVM with SVM: what a guest writes itself against what is replayed
# for it, and what is not replay because the host's write differs. docs/replay.md says
# what this has shown of which register.
# lab: --timeout 900
set -u
# shellcheck source=tests/lab/lib.sh
source "$LAB_DIR/../tests/lab/lib.sh"
build=${REGPIN_BUILD:-$top/build}
# See tests/live/tiny.h: not regpin's, and skipped with that reason.
export TINY_TCG=1

for name in differs perform replay; do
	timeout 800 "$build/tests/live/test_live_$name" >"/run/out/$name.tap" 2>&1
	status=$?
	grep -E '^(not )?ok |^# ' "/run/out/$name.tap" | sed "s/ - / - $name on SVM: /"
	is "test_live_$name on SVM ends well" $status 0
	tap_failed=$((tap_failed + $(grep -c '^not ok' "/run/out/$name.tap")))
done
tap_end
