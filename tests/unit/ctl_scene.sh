# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the tests of `regpin ctl` that start VMMs without KVM, with the tool and the fake
# shim as their arguments: a directory with policies, and functions that start and end VMMs
# and call ctl.

regpin=$(realpath "$1")
fake=$(realpath "$2")
# shellcheck source=tests/tap.sh
source "$(dirname "$0")/../tap.sh"
dir=$(mktemp -d)
cd "$dir" || exit 1
# shellcheck source=tests/json.sh
source "$tap_dir/json.sh"
keep_json "$dir" "$tap_dir"
: >.kept-events
# shellcheck disable=SC2034 # for tap.sh
events_kept=$dir/.kept-events
# Without KVM optional rules are left out, so every machine prints the same. ASan would
# check that its runtime is preloaded before a shim with ASan, and it is not, so that check
# is off.
export REGPIN_HOST_FORCE=nokvm ASAN_OPTIONS=verify_asan_link_order=0
vmms=()

clean_up()
{
	local pid

	for pid in "${vmms[@]}"; do
		kill -CONT "$pid" 2>/dev/null
		kill -TERM "$pid" 2>/dev/null
	done
	rm -rf "$dir"
}
trap clean_up EXIT

cat >policy.yaml <<'E'
version: 1
arming: start
rules:
  - register: CR0
    sticky: [WP]
    action: pause
    optional: true
E
sed 's/arming: start/arming: operator\nunarmed: 1s/' policy.yaml >later.yaml
sed 's/sticky/stikcy/' policy.yaml >wrong.yaml

# shellcheck disable=SC2317 # tap.sh calls it
evidence()
{
	sed 's/^/# out: /' out
	sed 's/^/# err: /' err
	tail -n 5 events | sed 's/^/# events: /'
}

await() # PATTERN FILE: waits until a line of FILE matches
{
	for ((i = 0; i < 200; i++)); do
		grep -qs -- "$1" "$2" && return 0
		sleep 0.05
	done
	return 1
}

gone() # PID: waits until it has ended
{
	for ((i = 0; i < 200; i++)); do
		[[ -e /proc/$1 ]] || return 0
		sleep 0.05
	done
	return 1
}

# start NAME [POLICY [what the VMM does]]; its pid in $vmm
start()
{
	local name=$1 policy=${2:-policy.yaml}

	shift $(($# < 2 ? $# : 2))
	rm -f events ready
	"$regpin" run --policy "$policy" --name "$name" --ctl "$dir/ctl" --events "$dir/events" \
		--event-limit 0 -- "$fake" "$@" >ready 2>run.err </dev/null &
	vmm=$!
	vmms+=("$vmm")
	await ready ready
}

finish()
{
	kill -TERM "$vmm"
	wait "$vmm" 2>/dev/null
	await '"detached"' events
	for ((i = 0; i < 200; i++)); do
		[[ -e ctl/$1.sock ]] || return
		sleep 0.05
	done
}

ctl()
{
	"$regpin" ctl --ctl "$dir/ctl" "$@" >out 2>err </dev/null
	status=$?
}

# is STATUS [PATTERN FILE]
is()
{
	[[ $status == "$1" ]] && { [[ $# == 1 ]] || grep -q -- "$2" "$3"; }
}

