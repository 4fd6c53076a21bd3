# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Sourced by tests that are scripts, for their TAP: each ends with 'echo "1..$nr"' and
# 'exit "$failed"'. A test may define a function `evidence`
# that prints what helps to understand a failure, after "# ".
nr=0 failed=0

# Nothing is kept in the folders of the user who runs the tests.
export REGPIN_STORE=none

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

# The last tests of a script: all events that were written fit the schema, and so does what
# was printed with --json, if the script has called keep_json.
events_fit()
{
	local what="all events fit the schema"

	[[ -z ${json_kept:-} ]] || json_fits
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

# none DESCRIPTION FILE: it holds if FILE, which lists what is wrong, has no line
none()
{
	local wrong=0

	[[ ! -s $2 ]] || wrong=1
	ok $wrong "$1"
	[[ $wrong == 0 ]] || head -n 60 "$2" | sed 's/^/# /'
}

# same DESCRIPTION FILE FILE: it holds if both have the same text, which is not empty
same()
{
	local difference wrong=0

	difference=$(diff "$2" "$3") && [[ -s $2 ]] || wrong=1
	ok $wrong "$1"
	[[ $wrong == 0 ]] || sed 's/^/# /' <<<"$difference"
}

# gives STATUS PATTERN DESCRIPTION COMMAND ..: the exit status of a command, and what is
# somewhere in its output, which is kept in the file out
gives()
{
	local want=$1 pattern=$2 description=$3 got wrong=0

	shift 3
	"$@" >out 2>&1
	got=$?
	[[ $got == "$want" ]] && { [[ -z $pattern ]] || grep -Eq -- "$pattern" out; } || wrong=1
	ok $wrong "$description"
	[[ $wrong == 0 ]] || {
		echo "# exit status $got, not $want, or no '$pattern' in:"
		head -n 20 out | sed 's/^/# /'
	}
}
