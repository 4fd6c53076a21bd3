# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Sourced by tests that are scripts, for their TAP. A test may define a function `evidence`
# that prints what helps to understand a failure, after "# ".
nr=0 failed=0
tap_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# A test with a directory "$dir" may set events_kept to the name of a file: all lines of
# events that are in the directory at some call of `ok` are kept there, for events_fit.
events_kept=

keep_events()
{
	[[ -n $events_kept ]] || return 0
	# shellcheck disable=SC2094,SC2154 # find leaves that file out; "$dir" is the test's
	find "$dir" -maxdepth 2 -type f ! -name "${events_kept##*/}" -newer "$events_kept" \
		-exec grep -hE '^\{"time":.*\}$' {} + >>"$events_kept" 2>/dev/null
}

# The last test of a script: all events that were written fit the schema.
events_fit()
{
	local what="all events fit the schema"

	[[ -n $events_kept ]] || return
	touch -d @0 "$events_kept"
	keep_events
	"$tap_dir/schema_check" "$tap_dir/../docs/schema/events-1.json" "$events_kept" >"$events_kept.bad" 2>&1
	case $? in
	0) ok 0 "$what" ;;
	77) skip "$what" "no python3-jsonschema" ;;
	*)
		head -n 5 "$events_kept.bad" | sed 's/^/# /'
		ok 1 "$what"
		;;
	esac
}

ok() # STATUS DESCRIPTION
{
	nr=$((nr + 1))
	keep_events
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
