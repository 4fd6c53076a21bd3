#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: moves.sh REGPIN SHIM
#
# A small VMM takes out its VM's state on the real KVM, and another VMM loads it or does
# not: the first one's agent reports which, and a hook gets the alarm. Prints TAP.
set -u

build=$PWD
# shellcheck source=tests/live/vmm.sh
source "$(dirname "$0")/vmm.sh"
hooks=
trap 'rm -rf "$dir" ${hooks:+"$hooks"}' EXIT
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
	sed 's/^/# hook: /' hook.got
}

# make_hook FOLDER: a hook in it, $hooks/hook; its input is kept in the file hook.got. Fails if
# other users could replace a folder on its path, as below /tmp.
make_hook()
{
	[[ -z $hooks ]] || rm -rf "$hooks"
	hooks=$(mktemp -d -p "$1" hook-test.XXXXXX) || return 1
	printf '#!/bin/sh\nexec /bin/cat >>"%s/hook.got"\n' "$dir" >"$hooks/hook"
	chmod 700 "$hooks/hook"
	"$regpin" run --policy policy.yaml --no-ctl --hook "$hooks/hook" -- ./vmm vm exit 0 >out 2>err </dev/null
	! grep -q "can't be used" err
}

# vmm NAME STEP ..: runs it under regpin
vmm()
{
	local name=$1

	shift
	timeout -k 1 60 "$regpin" run "${with_hook[@]}" --policy "${policy:-policy.yaml}" --events "$dir/$name.events" \
		--name "$name" --ctl "$dir/ctl" -- ./vmm "$@" >"$name.out" 2>"$name.err" </dev/null
}

# ends NAME EVENTS: waits for its end, and compares the events about moves
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

# Less than 3 s have passed since $begun, so no agent has waited.
quickly()
{
	((SECONDS - begun <= 3))
}

with_hook=()
for folder in "$build" "${HOME:-}"; do
	[[ -d $folder ]] && make_hook "$folder" && with_hook=(--hook "$hooks/hook") && break
done
: >hook.got

# The following VMMs run at the same time.
vmm stands "${taken[@]}" state-0 sleep 13000 run exit 7 &
stands=$!
# The subshell suppresses the shell's message about the kill.
(vmm killed "${taken[@]}" state-1 kill 9) 2>/dev/null

begun=$SECONDS
vmm left "${taken[@]}" state-2 exit 7
ok $(($? != 7)) "a VMM whose state was taken out keeps its exit status"
for ((i = 0; i < 40; i++)); do
	[[ -e ctl/left.sock ]] || break
	sleep 0.05
done
vmm left vm exit 8
ok $(($? != 8)) "the name of that VMM is free after its end"
quickly
ok $? "the caller of that VMM does not wait for the agent"
mv left.events again.events

begun=$SECONDS
vmm peeks vm vcpu run peek exit 0
ends peeks detached
ok $? "registers that were only read raise no alarm"
vmm runs "${taken[@]}" state-3 run exit 0
ends runs detached
ok $? "a saved state raises no alarm if the VM runs on"
vmm only-logs vm vcpu run log exit 0
ends only-logs detached
ok $? "an ordinary end while the memory is logged raises no alarm"
vmm unpinned vm vcpu log peek exit 0
ends unpinned detached
ok $? "a VM that was never armed raises no alarm"
quickly
ok $? "the agents of these VMMs do not wait"

begun=$SECONDS
vmm from "${taken[@]}" state touch here await there exit 0 &
source=$!
policy=other.yaml vmm to vm vcpu await here load state touch there sleep 1000 run
wait "$source"
ends from "moved:to:other detached"
ok $? "a move to a VM under regpin with another policy is reported as moved"
ends to detached
ok $? "the destination raises no alarm"
quickly
ok $? "the agents of source and destination do not wait"

# The source VMM has ended, and its agent still listens.
vmm early "${taken[@]}" state exit 0
vmm late vm vcpu load state sleep 1000
ends early "moved:late:same detached"
ok $? "the message of an arrival counts even after the source VMM's end"

wait "$stands"
ends stands "left:stands detached"
ok $? "a VMM that does not run on with its state taken out is reported as left"
grep -q 'warning: VM 0: .*no other agent has reported' stands.err
ok $? "that VMM's stderr reports it, too"
ends killed "left:ended detached"
ok $? "a killed VMM is reported as left"
ends again "detached left:ended detached"
ok $? "a VMM that ended is reported once as left, beside the next VM of its name"
what="a hook gets each state that left, also after the VMM's end, and none that moved"
if ((${#with_hook[@]})); then
	grep -hE '"event":"(left|violation)"' ./*.events | sort >expected
	for ((i = 0; i < 200; i++)); do
		[[ $(wc -l <hook.got) -ge $(wc -l <expected) ]] && break
		sleep 0.05
	done
	[[ $(jq -r 'select(.event == "left") | .name + ":" + .reason' expected | sort | xargs) == "killed:ended left:ended stands:stands" ]] &&
		sort hook.got | cmp -s - expected
	ok $? "$what"
else
	skip "$what" "other users can write to a folder above $build"
fi
[[ -z $(find ctl -name '*.sock') ]]
ok $? "no socket is left"
events_fit
printf '1..%d\n' "$nr"
exit $failed
