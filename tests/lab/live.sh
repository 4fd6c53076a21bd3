# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the scenarios that run live tests on the lab's KVM with SVM, which the host's
# /dev/kvm may not be able to run.

# shellcheck source=tests/lab/lib.sh
source "$LAB_DIR/../tests/lab/lib.sh"
build=${REGPIN_BUILD:-$top/build}
# See tests/live/tiny.h: the fault is not regpin's, and such tests are skipped with that
# reason.
export TINY_TCG=1

# live NAME [ARG ..]: the test keeps its own plan and numbers: only "ok" and "not ok" count
live()
{
	local name=$1 status

	timeout 400 "$build/tests/live/test_live_$name" "${@:2}" >"/run/out/$name.tap" 2>&1
	status=$?
	# As for guests that hang: it is the emulator's fault if a second run passes.
	((status != 124)) || echo "# inner: ERROR: test_live_$name: no end within 400 s"
	# The same for a vCPU that shut down (8), or could not be entered any more (9, 17).
	! grep -qE '^# a vCPU is lost: exit reason (8|9|17)$' "/run/out/$name.tap" ||
		echo "# inner: ERROR: a vCPU of test_live_$name is lost"
	grep -E '^(not )?ok |^# ' "/run/out/$name.tap" | sed "s/ - / - $name on SVM: /"
	is "test_live_$name on SVM ends well" $status 0
	tap_failed=$((tap_failed + $(grep -c '^not ok' "/run/out/$name.tap")))
}
