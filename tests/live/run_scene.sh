# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the tests of `regpin run` on the real KVM, with the tool and the shim as their
# arguments: what vmm.sh has, a VMM without the dynamic linker, and functions that run a VMM
# and wait for its events.

# shellcheck source=tests/live/vmm.sh
source "$(dirname "${BASH_SOURCE[0]}")/vmm.sh"

# shellcheck disable=SC2034 # for the tests
if "${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -O1 -static -o vmm-static "$here/fakevmm.c" 2>/dev/null; then
	have_static=1
else
	have_static=
fi

# run OPTION... -- VMM...: status in $status, stdout in out, stderr in err
run()
{
	local options=" $* " with=()

	options=${options%% -- *}
	[[ "$options " == *" --policy "* ]] || with+=(--policy policy.yaml)
	[[ "$options " == *" --events "* ]] || with+=(--events "$dir/events")
	rm -f events out err # the agent of the run before may write to these yet
	timeout -k 1 60 "$regpin" run "${with[@]}" "$@" >out 2>err </dev/null
	status=$?
}

# shellcheck disable=SC2317 # tap.sh calls it
evidence()
{
	printf '# status %s\n' "${status:-}"
	sed 's/^/# out: /' out
	sed 's/^/# err: /' err
	[[ ! -e events || -p events ]] || sed 's/^/# events: /' events
}

# is STATUS [PATTERN FILE]: for ok
is()
{
	[[ $status == "$1" ]] || return 1
	[[ $# == 1 ]] || await "$2" "$3"
}

same_but_regpin()
{
	# timeout sets signals to their defaults, so the plain run uses it, too.
	timeout -k 1 60 "${@:2}" >out.bare 2>err.bare </dev/null
	local bare=$?

	run -- "${@:2}"
	[[ $status == "$bare" ]] && cmp -s out out.bare
	ok $? "$1"
}

# The end of each script: all of its agents have ended.
no_agent_is_left()
{
	local agents="^$tool run --policy policy.yaml --events $dir/events"

	for ((i = 0; i < 60; i++)); do
		pgrep -f "$agents" >/dev/null || break
		sleep 0.05
	done
	! pgrep -f "$agents" >/dev/null
	ok $? "no agent is left after its VMM"
}
