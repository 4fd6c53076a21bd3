#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: moves.sh REGPIN SHIM
#
# A small VMM takes its VM's state out on the real KVM, and another one loads it or
# does not: the first one's agent tells. Prints TAP.
set -u

# shellcheck source=tests/live/vmm.sh
source "$(dirname "$0")/vmm.sh"
cat >policy.yaml <<'E'
version: 1
arming: start
rules:
  - register: EFER
    sticky: [NXE]
E
sed 's/NXE/SCE, NXE/' policy.yaml >other.yaml
taken=(vm vcpu run log save)

# shellcheck disable=SC2317 # tap.sh calls it
evidence()
{
	# shellcheck disable=SC2016 # jq's
	jq -rc '"# " + input_filename + ": " + .event + " " + (.reason // .to // "")' ./*.events
}

# vmm NAME STEP ..: under regpin
vmm()
{
	local name=$1

	shift
	timeout -k 1 60 "$regpin" run --policy "${policy:-policy.yaml}" --events "$dir/$name.events" \
		--name "$name" --ctl "$dir/ctl" -- ./vmm "$@" >"$name.out" 2>"$name.err" </dev/null
}

# ends NAME EVENTS: what its agent told of moves, when it is through
ends()
{
	for ((i = 0; i < 300; i++)); do
		grep -qs '"detached"' "$1.events" && break
		sleep 0.05
	done
	[[ $(jq -r 'select(.event == "moved" or .event == "left" or .event == "detached") |
		.event + (if .to then ":" + .to + ":" + .policy else "" end) +
		(if .event == "left" then ":" + .reason else "" end)' "$1.events" | xargs) == "$2" ]]
}

# Nobody has waited since $begun.
quickly()
{
	((SECONDS - begun <= 3))
}

# These wait beside each other.
vmm stands "${taken[@]}" state-0 sleep 13000 run exit 7 &
stands=$!
# The shell would tell of it.
(vmm killed "${taken[@]}" state-1 kill 9) 2>/dev/null

begun=$SECONDS
vmm left "${taken[@]}" state-2 exit 7
ok $(($? != 7)) "who is left keeps its exit status"
for ((i = 0; i < 40; i++)); do
	[[ -e ctl/left.sock ]] || break
	sleep 0.05
done
vmm left vm exit 8
ok $(($? != 8)) "and its name is free"
quickly
ok $? "and nobody waits for the agent"
mv left.events again.events

begun=$SECONDS
vmm peeks vm vcpu run peek exit 0
ends peeks detached
ok $? "registers that were only read are no alarm"
vmm runs "${taken[@]}" state-3 run exit 0
ends runs detached
ok $? "nor is a state that was saved by a VM that ran on"
vmm only-logs vm vcpu run log exit 0
ends only-logs detached
ok $? "nor a plain end while the memory is logged"
vmm unpinned vm vcpu log peek exit 0
ends unpinned detached
ok $? "nor a VM that was never armed"
quickly
ok $? "none of these keeps its agent waiting"

begun=$SECONDS
vmm from "${taken[@]}" state touch here await there exit 0 &
source=$!
policy=other.yaml vmm to vm vcpu await here load state touch there sleep 1000 run
wait "$source"
ends from "moved:to:other detached"
ok $? "another regpin takes it over, with another policy"
ends to detached
ok $? "and has no alarm itself"
quickly
ok $? "without waiting"

# The source is gone already, and its agent still listens.
vmm early "${taken[@]}" state exit 0
vmm late vm vcpu load state sleep 1000
ends early "moved:late:same detached"
ok $? "the word comes after the VMM's end, and in time"

wait "$stands"
ends stands "left:stands detached"
ok $? "a VMM that stands there with the state taken out"
grep -q 'warning: VM 0: .*no regpin has said' stands.err
ok $? "is told on stderr, too"
ends killed "left:ended detached"
ok $? "one that was killed"
ends again "detached left:ended detached"
ok $? "and one that ended, once, beside the next VM of its name"
[[ -z $(find ctl -name '*.sock') ]]
ok $? "no socket is left behind"
printf '1..%d\n' "$nr"
exit $failed
