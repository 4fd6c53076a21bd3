# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Sourced by tests that are scripts, for their TAP. A test may define a function `evidence`
# that prints what helps to understand a failure, after "# ".
nr=0 failed=0

ok() # STATUS DESCRIPTION
{
	nr=$((nr + 1))
	if [[ $1 == 0 ]]; then
		echo "ok $nr - $2"
		return
	fi
	# shellcheck disable=SC2034 # for the test
	failed=1
	echo "not ok $nr - $2"
	! declare -F evidence >/dev/null || evidence
}

skip() # DESCRIPTION REASON
{
	nr=$((nr + 1))
	echo "ok $nr - $1 # SKIP $2"
}
