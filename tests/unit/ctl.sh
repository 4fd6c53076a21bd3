#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: ctl.sh REGPIN FAKE_SHIM
#
# `regpin ctl` and the agent of a VMM that carries out commands, and has no KVM:
# names and sockets, commands and their events, VMMs and agents that are stopped or
# gone. Prints TAP.
set -u

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

agent_of() # PID: the agent, which has a pidfd of PID. A shell may have one, too.
{
	local file pid

	for file in $(grep -lsE "^Pid:[[:space:]]*$1\$" /proc/[0-9]*/fdinfo/*); do
		pid=${file#/proc/}
		pid=${pid%%/*}
		[[ $(cat "/proc/$pid/comm") == regpin-agent ]] && echo "$pid" && return
	done
}

# Also kills the agent's standby process, which would otherwise become the agent.
kill_agent() # PID
{
	local standby

	standby=$(cat "/proc/$1/task/$1/children")
	# shellcheck disable=SC2086 # words
	kill -STOP $standby
	# shellcheck disable=SC2086 # words
	kill -KILL $standby "$1"
	gone "$1"
}

# Names and sockets

start vm1
[[ $(stat -c %a ctl ctl/vm1.sock | tr '\n' ' ') == "700 600 " ]]
ok $? "the directory and the socket are private"
ctl list
hash=$(sha256sum <policy.yaml | cut -c 1-12)
is 0 '^NAME *STATE *MODE ' out &&
	grep -q "^vm1 *alive *enforce, 1 left out *4/4 *0 *closed *0 *0 *0 $hash policy.yaml\$" out &&
	[[ ! -s err ]]
ok $? "list shows all VMs and their states"
cp out listed
ctl status
is 0 && cmp -s out listed
ok $? "status without a name prints the same"
"$regpin" list --ctl "$dir/ctl" >out 2>err
status=$?
is 0 && cmp -s out listed
ok $? "regpin list prints the same"
"$regpin" list vm1 >out 2>err
status=$?
is 2 "unexpected argument 'vm1'" err
ok $? "regpin list takes no name"
ctl list --json
jq -e --arg hash "$hash" --arg dir "$dir/ctl" --arg user "$(id -un)" '.version == 1 and
	.directory == $dir and .directories == [$dir] and .vms == [{"name": "vm1", "agent": "alive",
	"directory": $dir, "user": $user, "policy_file": "policy.yaml", "policy_hash": $hash, "mode": "enforce",
	"vcpus": 4, "vcpus_armed": 4, "vcpus_held": 0, "violations": 0, "reports": 0, "detected": 0,
	"rules_enforced": 0, "rules_detected": 0, "rules_report": 0, "rules_left_out": 1,
	"rule_modes": 0, "windows": 0, "window_ms": 0}]' out >/dev/null
ok $? "list --json prints objects"
"$regpin" run --policy policy.yaml --name vm1 --ctl "$dir/ctl" -- "$fake" >out 2>err
status=$?
is 125 "a VM of the name 'vm1' already" err
ok $? "the name of a running VM is refused"
bad=0
for arguments in "--name list" "--name status" "--name help" "--name a/b" "--name ''" "--ctl x --no-ctl"; do
	eval "'$regpin' run --policy policy.yaml $arguments -- '$fake'" >out 2>err
	status=$?
	is 2 "^regpin run: " err || bad=1
done
ok $bad "invalid names are refused"
ctl nobody status
is 3 "there is no VM of this name" err
ok $? "a name that no VM has is an error"
"$regpin" ctl --ctl "$dir/nosuch" list >out 2>err
status=$?
is 3 "nosuch can't be read: No such file" err && [[ ! -s out ]]
ok $? "a missing control directory is an error"
XDG_RUNTIME_DIR=$dir/run "$regpin" ctl list >out 2>err
status=$?
if [[ $(id -u) == 0 ]]; then
	skip "the default directory may be missing" "root's is /run/regpin"
else
	is 0 && [[ ! -s out ]]
	ok $? "the default directory may be missing"
fi

# Commands

ctl vm1 status
is 0 "vm 0 vcpu 3: armed" out && [[ $(wc -l <out) == 6 ]]
ok $? "status prints a line for each vCPU"
ctl vm1 status --json
[[ $(jq -s 'length, .[0].name, ([.[] | select(has("vcpu") and .armed)] | length)' out |
	tr '\n' ' ') == '6 "vm1" 4 ' ]]
ok $? "status --json prints an object for each vCPU"
kill -USR1 "$vmm"
await '"violation"' events
ctl vm1 status
is 0 "vcpu 1: armed, HELD: write of CR0: 0x80050033 -> 0x80040033 (WP)" out
ok $? "status shows a held vCPU and the reason"
is 0 "violations: 0 stopped, 1 held, 0 let pass, 0 detected;" out
ok $? "a held access counts neither as stopped nor as let pass"
ctl vm1 status --json
[[ $(jq -r 'select(.held).held_by | .register + " " + .verdict + " " + .bits[0]' out) == \
	"CR0 pause WP" ]]
ok $? "status --json prints the held vCPU and the reason"
ctl vm1 allow --vcpu 1
is 0 "^vm 0 vcpu 1: allowed, this one time$" out && await '"answered"' events
ok $? "allow answers the held vCPU"
ctl vm1 status
is 0 "violations: 0 stopped, 0 held, 1 let pass, 0 detected;" out
ok $? "an allowed access counts as let pass"
ctl vm1 gp --vcpu 1
is 1 "is not held" err
ok $? "a vCPU is answered only once"
ctl vm1 stop --vcpu 9 --vm 0
is 1 "no such VM or vCPU" err
ok $? "a vCPU that does not exist is an error"
"$regpin" ctl --ctl "$dir/ctl" vm1 disarm --vm 0 >out 2>err &
client=$!
wait "$client"
[[ $? == 0 && $(jq -c 'select(.event == "control" and .command == "disarm") |
	[.vm, .operator.uid, .operator.pid, .result]' events) == "[0,$(id -u),$client,\"done\"]" ]]
ok $? "the event of a command names the operator"
ctl vm1 window --for 1min --once
is 0 "^window open for 60.000 s, until [0-9:]* UTC, or until a kernel" out
ok $? "window opens a window"
ctl vm1 status
is 0 "WINDOW OPEN for [56][0-9] s more or until a kernel has done its syscall set-up" out
ok $? "status shows the window and its remaining time"
ctl list
is 0 '^vm1 *alive *enforce, 1 left out *0/4 *0 *[56][0-9]s ' out
ok $? "list shows the remaining time of the window"
ctl vm1 window --end
is 0
ok $? "window --end closes the window"
bad=0
for arguments in "window" "window --end --once" "gp --vcpu x" "gp --vcpu 1 --vm x" "events --last 257" \
	"policy a b" "policy a --mode x" "mode policy x" "status --mode report" \
	"window --for 60" "window --for 25h" "window --for 0s" "allow" \
	"status --rule x" "mode --rule x" "arm --rules" "arm --vcpu 1" "mode" "mode off" "mode report enforce" "policy" "apply" "status --end" \
	"nonsense" "arm twice" ""; do
	# shellcheck disable=SC2086 # words
	ctl vm1 $arguments
	is 2 "^regpin ctl: " err || bad=1
	# The messages are in terms of the command line, not of the protocol.
	grep -Eq '[a-z]=|window-end|request|such key' err && bad=1
done
ok $bad "wrong command lines are refused"
ctl vm1 gp
is 2 "'gp' needs --vcpu N; try 'regpin ctl --help'" err
ok $? "the message names the missing option"
ctl vm1 statsu
is 2 "there is no command 'statsu'; did you mean 'status'?" err
ok $? "the message proposes the nearest command"
bad=0
"$regpin" ctl --help >help
for arguments in "vm1 help" "help" "nobody help"; do
	# shellcheck disable=SC2086 # words
	ctl $arguments
	is 0 && cmp -s out help || bad=1
done
ok $bad "every form of help prints the command line's help"
ctl vm1 events --last 2
is 0 && [[ $(jq -r .event out | tail -n 1) == control && $(wc -l <out) == 2 ]]
ok $? "events prints the last events"

# Policies

ctl vm1 policy wrong.yaml --yes
is 1 "^wrong.yaml:5:5: error: " out && grep -q "the one in force is kept" err
ok $? "a wrong policy is refused, with place and reason"
ctl vm1 policy later.yaml
is 1 "there is no terminal for the question" err &&
	grep -q "^loosens: arming: start -> operator" out &&
	! grep -q '"command":"policy"' events
ok $? "a policy's changes are shown before it needs a confirmation"
if command -v script >/dev/null; then
	echo n | script -qec "'$regpin' ctl --ctl '$dir/ctl' vm1 policy later.yaml" /dev/null >out 2>err
	grep -q "\[y/N\]" out && ! grep -q '"command":"policy"' events
	ok $? "the answer no keeps the old policy"
	echo y | script -qec "'$regpin' ctl --ctl '$dir/ctl' vm1 policy later.yaml" /dev/null >out 2>err
	await '"command":"policy","policy_file":"later.yaml"' events
	ok $? "the answer yes applies the new policy"
else
	skip "the answer no keeps the old policy" "no script(1)"
	skip "the answer yes applies the new policy" "no script(1)"
fi
ctl vm1 policy policy.yaml --yes
is 0
ok $? "--yes applies a policy without a question"
ctl vm1 status
is 0 "policy policy.yaml" out && ! grep -q "older policy" out
ok $? "status shows the new policy"
ctl vm1 mode report
is 0 && ctl vm1 status && is 0 "mode report" out
ok $? "mode report takes effect"
ctl vm1 mode enforce
is 0 && ctl vm1 status && is 0 "mode enforce" out
ok $? "mode enforce takes effect"
sed 's/arming: start/mode: report/' policy.yaml >reports.yaml
ctl vm1 policy reports.yaml --yes --mode enforce
is 0 "^in force: reports.yaml, mode enforce by the operator (the policy says report)" out
ok $? "a policy is applied in a mode other than its own"
ctl vm1 status
is 0 "reports.yaml, mode enforce by the operator" out && ctl vm1 policy policy.yaml --yes &&
	is 0 "^mode: enforce -> enforce by the operator, " out
ok $? "the next policy keeps the operator's mode"
ctl vm1 mode policy
is 0 "^in force: policy.yaml, mode enforce (" out
ok $? "mode policy ends the operator's mode"
[[ $(jq -r 'select(.command == "mode" or .command == "policy") | .mode' events | xargs) == \
	*"report enforce enforce enforce enforce" ]]
ok $? "the events name the mode"
sed 's/optional: true/mode: report/; s/CR0/EFER/; s/WP/NXE/; /action/d' policy.yaml >trial.yaml
"$regpin" run --policy trial.yaml --mode enforce -- "$fake" >out 2>err
status=$?
is 1 "mode enforce would enforce nothing" err
ok $? "run --mode enforce that would enforce nothing is refused"
head -c 65537 /dev/zero | tr '\0' '#' >large.yaml
ctl vm1 policy large.yaml --yes
is 1 "larger than 65536 bytes" out
ok $? "a policy that is too large is refused"

# The rules, and the mode of one of them

ctl vm1 policy policy.yaml --yes
ctl vm1 status
is 0 "mode enforce (1 rule: 0 enforced, 0 detected, 0 report only, 1 left out); " out
ok $? "status counts the rules that the host leaves out"
ctl vm1 status --rules
is 0 "^policy.yaml:5:5 *left out *0 *0 *0 - *sticky on CR0 (WP): " out && [[ $(wc -l <out) == 2 ]]
ok $? "status --rules prints a line for each rule"
ctl vm1 status --rules --json
jq -e '.where == "policy.yaml:5:5" and .rule == "sticky" and .register == "CR0" and
	.bits == ["WP"] and .rule_action == "pause" and .effective == "left_out" and .decided_by == "host" and
	(.why | length > 0) and .violations == 0 and .reports == 0 and .detected == 0 and
	(has("last") | not)' out >/dev/null && [[ $(wc -l <out) == 1 ]]
ok $? "status --rules --json prints an object for each rule"
bad=0
for mode in report enforce; do
	ctl vm1 mode $mode --rule policy.yaml:5:5
	is 1 "the policy can't be in force in this mode" err &&
		grep -q "^refused: the rule can't be .*: it would be left out: " out || bad=1
done
ok $bad "a rule that the host leaves out can have no other mode"
ctl vm1 mode report --rule policy.yaml:6
is 1 "the policy in force has no rule at 'policy.yaml:6': the nearest rules are at policy.yaml:5:5" err
ok $? "an unknown place is refused, and the nearest one is proposed"

# Followers, and the end of a VMM

"$regpin" ctl --ctl "$dir/ctl" vm1 events --follow >follow 2>follow.err &
client=$!
for ((i = 0; i < 50; i++)); do
	ctl vm1 arm
	# A client that connects in the middle of an arm sees only the later events, so arm
	# again.
	grep -qs '"command":"arm"' follow && break
done
await '"command":"arm"' follow
ok $? "a follower receives events"
finish vm1
wait "$client"
[[ $? == 0 && $(tail -n 1 follow | jq -r .event) == detached ]]
ok $? "the follower ends with the VM, after its last event"
[[ ! -e ctl/vm1.sock ]]
ok $? "the socket is removed"
ctl list
is 0 && [[ ! -s out && $(wc -l <err) == 1 ]]
ok $? "list is empty, and prints a sentence on stderr"

# A VMM that is stopped, or cannot wake the agent

start vm2
kill -STOP "$vmm"
ctl vm2 arm
is 1 "did not answer in time" err
ok $? "a command to a stopped VMM times out"
ctl vm2 status
is 0 "THE VMM DOES NOT ANSWER.*THE VMM IS STOPPED" out
ok $? "status still works, and reports the stopped VMM"
ctl vm2 status --json
[[ $(jq -c 'select(.name) | [.vmm_pid, .vmm_state]' out) == "[$vmm,\"stopped\"]" ]]
ok $? "status --json reports it, too"
[[ $(jq -r "select(.name).policy_sha256" out) == $(sha256sum <policy.yaml | cut -d " " -f 1) ]]
ok $? "status names the policy in force by its SHA-256"
ctl vm2 disarm
is 1 "has not answered an earlier command" err
ok $? "a second command is refused while one is unanswered"
kill -CONT "$vmm"
await '"command":"arm".*"result":"cancelled".*"late":true' events
ok $? "the late command is withdrawn, with an event"
ctl vm2 status
is 0 && ! grep -q THE out
ok $? "status is normal after the VMM continues"
ctl vm2 arm
is 0
ok $? "commands work after the VMM continues"
finish vm2
start vm3 policy.yaml deaf
ctl vm3 arm
is 0
ok $? "a command succeeds though the VMM cannot wake the agent"
finish vm3
start vm4 policy.yaml lazy 3000
"$regpin" ctl --ctl "$dir/ctl" vm4 arm >out 2>err &
client=$!
sleep 0.3
kill -KILL "$vmm"
wait "$client"
status=$?
is 1 "the VMM has ended" err
ok $? "a command fails if the VMM dies during it"
await '"detached"' events
grep -q '"command":"arm".*"result":"ended"' events
ok $? "an event reports the command that the VMM's end cut off"
start vm4 later.yaml unarmed
await '"unarmed".*within 1.000 s' events
ok $? "unarmed uses the time that the policy gives"
finish vm4

# Many clients at once, with a VMM that floods the ring

start vm5 policy.yaml flood 300
for ((i = 0; i < 12; i++)); do
	(for ((j = 0; j < 5; j++)); do
		"$regpin" ctl --ctl "$dir/ctl" vm5 arm || echo failed
	done) >"many.$i" 2>&1 &
	clients[i]=$!
done
wait "${clients[@]}"
cat many.* >out
finish vm5
[[ $(sort -u out) == "4 of 4 vCPUs armed" && $(wc -l <out) == 60 &&
	$(grep -c '"command":"arm"' events) == 60 &&
	$(jq -s '[.[] | select(.event == "violation" or .event == "armed")] | length' events) -ge 1 &&
	$(jq -s '([.[] | select(.event == "violation" or .event == "armed")] | length) +
		([.[] | select(.event == "dropped").count] | add // 0)' events) == 18241 ]]
ok $? "60 commands of 12 clients make 18241 events, and each lost one is counted"

# An agent that is stopped, or was killed

start vm6
agent=$(agent_of "$vmm")
kill -STOP "$agent"
ctl list
is 0 '^vm6 *silent  *-' out && grep -q "^regpin ctl: vm6: the agent does not answer: .*SIGCONT" err
ok $? "list shows a stopped agent as silent"
kill_agent "$agent"
ctl list
is 0 '^vm6 *dead  *-' out &&
	grep -q "^regpin ctl: vm6: the agent has died, and the VMM, process $vmm, runs: the VM is pinned, but unobserved" err
ok $? "list shows a killed agent as dead, and that its VMM runs"
ctl list --json
[[ $(jq -c '.vms[] | [.name, .agent, .vmm_pid, (.advice | length > 0), has("mode")]' out) == \
	"[\"vm6\",\"dead\",$vmm,true,false]" ]]
ok $? "list --json shows it, too"
ctl vm6 status
is 3 "its agent is gone" err
ok $? "ctl reports that the agent is gone"
kill -TERM "$vmm"
wait "$vmm" 2>/dev/null
# No agent has reported that end, so the socket is still there.
start vm6
ctl vm6 status
is 0
ok $? "a new agent takes over the socket of a dead one"
if [[ $(id -u) == 0 ]] && command -v setpriv >/dev/null; then
	chmod 755 "$dir" ctl
	chmod 666 ctl/vm6.sock
	setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$regpin" ctl --ctl "$dir/ctl" vm6 disarm >out 2>err
	status=$?
	if grep -q "Permission denied" err; then
		skip "another user is denied" "another user can't execute regpin here"
	else
		is 3 "belongs to another user" err && await '"operator":{"uid":65534,.*"denied"' events
		ok $? "another user is denied"
	fi
else
	skip "another user is denied" "not root, or no setpriv"
fi
finish vm6

# The socket of a dead agent is removed when the VMM is gone, whatever the VM's name.
start web1
agent=$(agent_of "$vmm")
kill_agent "$agent"
ctl list
is 0 "^web1 *dead " out && [[ -e ctl/web1.sock && -L ctl/web1.vmm ]]
ok $? "the socket stays while the VMM runs"
kill -KILL "$vmm"
wait "$vmm" 2>/dev/null
ctl list
is 0 && [[ ! -e ctl/web1.sock && ! -L ctl/web1.vmm && ! -s out ]]
ok $? "it is removed when the VMM has ended"

# Names that are process ids: one of a running process, and one that no process can have, as
# no pid is that large.
for name in $$ 9999999 vm7.ended-9999999; do
	start "$name"
	ctl list
	is 0 "^$name *alive " out
	ok $? "$name is listed"
	agent=$(agent_of "$vmm")
	kill_agent "$agent"
	# As of an older version, which wrote no such file.
	rm "ctl/$name.vmm"
	kill -KILL "$vmm"
	wait "$vmm" 2>/dev/null
	ctl list
	if [[ $name == "$$" ]]; then
		is 0 "^$name *dead " out && [[ -e ctl/$name.sock ]]
		ok $? "$name is shown as dead while a process has this id"
	else
		is 0 && [[ ! -e ctl/$name.sock ]] && ! grep -q "^$name " out
		ok $? "$name is removed, as no process has this id"
	fi
done

# VMs without a socket

chmod 777 ctl
"$regpin" run --policy policy.yaml --ctl "$dir/ctl" -- "$fake" >out 2>err
status=$?
is 125 "can be written by others" err
ok $? "a directory that others can write in is refused"
rm -rf ctl
"$regpin" run --policy policy.yaml --no-ctl --events "$dir/events" -- true >out 2>err
status=$?
is 0 && [[ ! -e ctl ]]
ok $? "--no-ctl"
events_fit
echo "1..$nr"
exit $failed
