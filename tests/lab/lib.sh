# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the scenarios, which run inside the lab's outer guest: TAP, guests
# with and without regpin, and their events.

# shellcheck source=lab/inner.sh
source "$LAB_DIR/inner.sh"
top=$(cd "$LAB_DIR/.." && pwd -P)
# shellcheck disable=SC2034 # for the scenarios
regpin=${REGPIN_BUILD:-$top/build}/tool/regpin
work=${REGPIN_LAB_WORK:?}
events_dir=/run/out
tap_count=0 tap_failed=0

ok() # DESCRIPTION
{
	echo "ok $((++tap_count)) - $1"
}

not_ok() # DESCRIPTION [DETAIL]
{
	echo "not ok $((++tap_count)) - $1"
	[[ -z ${2:-} ]] || sed 's/^/#   /' <<<"$2"
	tap_failed=$((tap_failed + 1))
}

skip() # DESCRIPTION REASON
{
	echo "ok $((++tap_count)) - $1 # SKIP $2"
}

check() # DESCRIPTION COMMAND ...
{
	local what=$1

	shift
	if "$@"; then ok "$what"; else not_ok "$what" "failed: $*"; fi
}

is() # DESCRIPTION GOT WANTED
{
	if [[ $2 == "$3" ]]; then
		ok "$1"
	else
		not_ok "$1" "got:    $2"$'\n'"wanted: $3"
	fi
}

tap_end()
{
	echo "1..$tap_count"
	exit $((tap_failed > 0))
}

# guest NAME KERNEL [POLICY|-] [inner_start's options]: with the attackers' initramfs;
# under regpin if there is a policy; events go to NAME.events
guest()
{
	local name=$1 kernel=$2 policy=$3 wrap=()

	shift 3
	if [[ $policy != - ]]; then
		rm -f "$events_dir/$name.events"
		wrap=(--wrap "$regpin run --policy $policy --events $events_dir/$name.events --")
	fi
	inner_start "$name" --kernel "$kernel" --initrd "$work/guest-$kernel.gz" "${wrap[@]}" "$@"
}

# events NAME [JQ-FILTER]: what the agent wrote, one JSON object a line
events()
{
	jq -c "${2:-.}" "$events_dir/$1.events" 2>/dev/null
}

count_events() # NAME JQ-CONDITION
{
	jq -c "select($2)" "$events_dir/$1.events" 2>/dev/null | wc -l
}
