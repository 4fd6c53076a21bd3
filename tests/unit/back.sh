#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: back.sh REGPIN FAKE_SHIM
#
# The way back to the policy before, with an agent and a VMM without KVM: rollbacks, policies
# that have to be confirmed, agents that are killed in between, and a VMM that is stopped.
# Prints TAP.
set -u

regpin=$(realpath "$1")
fake=$(realpath "$2")
# shellcheck source=tests/tap.sh
source "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/json.sh
source "$tap_dir/json.sh"
dir=$(mktemp -d)
cd "$dir" || exit 1
: >.kept-events
keep_json "$dir" "$tap_dir"
# shellcheck disable=SC2034 # for tap.sh
events_kept=$dir/.kept-events
export REGPIN_HOST_FORCE=nokvm ASAN_OPTIONS=verify_asan_link_order=0
vmm=
trap '[[ -z $vmm ]] || kill -CONT "$vmm" 2>/dev/null && kill "$vmm" 2>/dev/null; rm -rf "$dir"' EXIT

# shellcheck disable=SC2317 # tap.sh calls it
evidence()
{
	sed 's/^/# out: /' out
	sed 's/^/# err: /' err
	tail -n 5 events | sed 's/^/# events: /'
}

for name in first second; do
	cat >$name.yaml <<E
version: 1
arming: start
# $name
rules:
  - register: CR0
    sticky: [WP]
    optional: true
E
done

await() # PATTERN FILE
{
	for ((i = 0; i < 400; i++)); do
		grep -qs -- "$1" "$2" && return 0
		sleep 0.05
	done
	return 1
}

ctl()
{
	timeout 60 "$regpin" ctl --ctl "$dir/ctl" vm "$@" >out 2>err </dev/null
	status=$?
}

# is STATUS [PATTERN FILE]
is()
{
	[[ $status == "$1" ]] && { [[ $# == 1 ]] || grep -qE -- "$2" "$3"; }
}

in_force() # the policy's file
{
	ctl status --json
	head -n 1 out | jq -r .policy_file
}

# The agent, which has a pidfd of the VMM.
agent()
{
	local file pid

	for file in $(grep -lsE "^Pid:[[:space:]]*$vmm\$" /proc/[0-9]*/fdinfo/*); do
		pid=${file#/proc/}
		pid=${pid%%/*}
		[[ $(cat "/proc/$pid/comm") == regpin-agent ]] && echo "$pid" && return
	done
}

# Kills the agent; its standby takes over.
kill_agent()
{
	local n

	n=$(grep -c '"takeover"' events)
	kill -KILL "$(agent)" || return
	for ((i = 0; i < 200; i++)); do
		[[ $(grep -c '"takeover"' events) -gt $n ]] && return
		sleep 0.05
	done
	return 1
}

rollbacks() # the number of policies that an agent has taken back, by their results
{
	jq -r 'select(.command == "rollback" and .cause == "unconfirmed").result' events | sort | uniq -c | xargs
}

# Without --foreground, timeout sends SIGCONT after the signal that ends the VMM, and
# LeakSanitizer, which stops the process in order to look at it, waits forever.
timeout --foreground 120 "$regpin" run --policy first.yaml --name vm --ctl "$dir/ctl" --events "$dir/events" \
	--event-limit 0 -- "$fake" >ready 2>run.err </dev/null &
runner=$!
await ready ready
vmm=$(jq -r .vmm_pid events | head -n 1)

# --- the command line ---

bad=0
for words in "policy" "policy --print --rollback" "policy --print first.yaml" "policy --rollback first.yaml" \
	"policy --print --yes" "policy first.yaml --confirm" "policy first.yaml --confirm 0s" \
	"policy first.yaml --confirm 25h" "policy first.yaml --confirm soon" "confirm now" "confirm --yes" \
	"mode report --confirm 1s" "status --print" "policy --confirm 1s"; do
	# shellcheck disable=SC2086 # words
	ctl $words
	is 2 || { echo "# $words: $status"; bad=1; }
done
ok $bad "wrong uses of these options are refused"

# --- by hand ---

ctl policy --rollback --yes
is 1 "no policy to roll back to" err
ok $? "there is nothing to roll back to at first"
ctl policy second.yaml --yes && ctl policy --rollback
is 1 "no terminal for the question" err && grep -q '^in total: no difference' out && [[ $(in_force) == second.yaml ]]
ok $? "a rollback shows the changes and asks"
ctl policy --rollback --yes
is 0 "in force: first.yaml" out && [[ $(in_force) == first.yaml ]]
ok $? "a rollback puts the policy before in force"
ctl policy --rollback --yes
is 1 "no policy to roll back to" err && [[ $(in_force) == first.yaml ]]
ok $? "a second rollback is refused, and does not lead forward"
ctl policy --print
is 0 && tail -n +2 out | cmp -s - first.yaml
ok $? "--print prints the text of the policy in force"

# --- on trial ---

ctl policy second.yaml --yes --confirm 1s
is 0 "'regpin ctl --ctl $dir/ctl vm confirm' keeps the policy" err && grep -q 'in force: for 1.000 s' out
ok $? "without a terminal the policy waits for the command confirm"
await '"cause":"unconfirmed"' events && [[ $(in_force) == first.yaml && $(rollbacks) == "1 done" ]]
ok $? "without a confirmation the agent takes it back"
ctl confirm
is 1 "no policy waits" err
ok $? "a late confirmation is refused"
ctl policy second.yaml --yes --confirm 60s && ctl status
is 0 "NOT CONFIRMED: in (60|5[0-9]) s first.yaml is in force again" out
ok $? "status shows the time that is left"
ctl policy first.yaml --yes
is 1 "waits for 'confirm': confirm it, or take it back by 'policy --rollback'" err && ctl mode report && is 1 "waits for 'confirm'" err
ok $? "another policy and a mode are refused meanwhile"
ctl confirm
is 0 "confirmed: second.yaml stays" out && [[ $(in_force) == second.yaml ]]
ok $? "confirm keeps the policy"
ctl policy --rollback --yes --confirm 60s && ctl policy --rollback --yes
is 0 "in force: second.yaml" out && ctl status && ! grep -q CONFIRMED out
ok $? "a rollback takes back what waits, and ends the wait"

if command -v script >/dev/null; then
	for answer in y n; do
		{ echo y; sleep 1; echo $answer; } |
			timeout 20 script -qec "'$regpin' ctl --ctl '$dir/ctl' vm policy first.yaml --confirm 3s" /dev/null >out 2>err
		status=$?
		if [[ $answer == y ]]; then
			is 0 'Keep it\?' out && grep -q 'confirmed: first.yaml' out && [[ $(in_force) == first.yaml ]]
			ok $? "with a terminal the answer y confirms"
			ctl policy second.yaml --yes
		else
			is 1 "takes it back when its time is over" out && await '"rollback","cause":"unconfirmed","policy_file":"second.yaml"' events &&
				[[ $(in_force) == second.yaml ]]
			ok $? "with a terminal the answer n does not"
		fi
	done
else
	skip "with a terminal the answer y confirms" "no script(1)"
	skip "with a terminal the answer n does not" "no script(1)"
fi

# --- agents that are killed ---

n=$(rollbacks)
ctl policy first.yaml --yes --confirm 4s
kill_agent && [[ $(in_force) == first.yaml ]] && ctl status && grep -q "NOT CONFIRMED: in [1-4] s second.yaml" out
ok $? "after a takeover the policy still waits for its confirmation"
for ((i = 0; i < 200; i++)); do
	[[ $(rollbacks) != "$n" ]] && break
	sleep 0.05
done
[[ $(in_force) == second.yaml ]]
ok $? "the standby takes it back in time"
ctl policy first.yaml --yes --confirm 2s && ctl confirm && kill_agent
good=$?
n=$(rollbacks)
sleep 2.5
[[ $good == 0 && $(in_force) == first.yaml && $(rollbacks) == "$n" ]]
ok $? "a policy that was confirmed stays when the agent is killed at that moment"
ctl policy second.yaml --yes && kill_agent && ctl policy --rollback --yes
is 0 "in force: first.yaml" out
ok $? "the standby can roll back"

# --- a VMM that does not answer ---

ctl policy second.yaml --yes --confirm 2s
kill -STOP "$vmm"
sleep 1
timeout 60 "$regpin" ctl --ctl "$dir/ctl" vm arm >out 2>err </dev/null &
arm=$!
await '"unconfirmed".*"result":"stuck"' events
ok $? "a VMM that does not answer an earlier command is reported as the cause of a delay"
wait "$arm"
ctl status
grep -q 'NOT CONFIRMED, and not taken back yet' out
ok $? "status shows that the policy is not taken back yet"
n=$(grep -c '"cause":"unconfirmed".*"result":"done"' events)
kill -CONT "$vmm"
for ((i = 0; i < 200; i++)); do
	[[ $(grep -c '"cause":"unconfirmed".*"result":"done"' events) -gt $n ]] && break
	sleep 0.05
done
[[ $(in_force) == first.yaml ]]
ok $? "it is taken back once the VMM answers"
kill "$vmm"
wait "$runner" 2>/dev/null
await '"detached"' events
events_fit
echo "1..$nr"
exit $failed
