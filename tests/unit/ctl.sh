#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: ctl.sh REGPIN FAKE_SHIM
#
# `regpin ctl` and the agent of a VMM that carries out commands, and has no KVM: names and
# sockets, commands and their events, policies, rules, followers. Prints TAP.
set -u

# shellcheck source=tests/unit/ctl_scene.sh
source "$(dirname "$0")/ctl_scene.sh"

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
is 2 "unexpected argument 'vm1': 'regpin ctl NAME status' prints one VM" err
ok $? "regpin list takes no name"
"$regpin" list vm1 --ctl "a b" >out 2>err
status=$?
is 2 "'regpin ctl --ctl \"a b\" NAME status' prints one VM" err
ok $? "a command that a message proposes has the folder that was named"
ctl list --json
jq -e --arg hash "$hash" --arg dir "$dir/ctl" --arg user "$(id -un)" '.version == 1 and
	.directory == $dir and .directories == [$dir] and .vms == [{"name": "vm1", "agent": "alive",
	"directory": $dir, "user": $user, "policy_file": "policy.yaml", "policy_hash": $hash, "mode": "enforce",
	"vcpus": 4, "vcpus_armed": 4, "vcpus_held": 0, "violations_stopped": 0, "violations_passed": 0,
	"violations_detected": 0,
	"rules_enforced": 0, "rules_detected": 0, "rules_report": 0, "rules_left_out": 1,
	"rule_modes": 0, "windows": 0, "window_ms": 0}]' out >/dev/null
ok $? "list --json prints objects"
for word in STOPPED PASSED DETECTED; do
	grep -qw "$word" listed && jq -e ".vms[0] | has(\"violations_${word,,}\")" out >/dev/null || echo $word
done >missing
none "the numbers of violations have the same names in the table and in JSON" missing
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
is 3 "there is no VM of this name; 'regpin list --ctl $dir/ctl' lists them$" err
ok $? "a name that no VM has is an error"
"$regpin" ctl --ctl "$dir/nosuch" list >out 2>err
status=$?
is 3 "nosuch can't be read: No such file" err && [[ ! -s out ]]
ok $? "a missing control directory is an error"
(ulimit -n 4 && exec "$tool" list --ctl "$dir/ctl") >out 2>err
status=$?
is 3 "^regpin list: the VMs can't be listed: this process can't open more files: raise its limit ('ulimit -n')" err &&
	[[ ! -s out ]]
ok $? "list without files is an error that names the limit"
(ulimit -n 4 && exec "$tool" ctl --ctl "$dir/ctl" vm1 status) >out 2>err
status=$?
is 3 "^regpin ctl: vm1: this process can't open more files: raise its limit" err
ok $? "a command without files is an error that names the limit"
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
is 0 "violations: 0 stopped, 1 held, 0 passed, 0 detected;" out
ok $? "a held access counts neither as stopped nor as passed"
ctl vm1 status --json
[[ $(jq -r 'select(.held).held_by | .register + " " + .verdict + " " + .bits[0]' out) == \
	"CR0 pause WP" ]]
ok $? "status --json prints the held vCPU and the reason"
ctl vm1 allow --vcpu 1
is 0 "^vm 0 vcpu 1: allowed, this one time$" out && await '"answered"' events
ok $? "allow answers the held vCPU"
ctl vm1 status
is 0 "violations: 0 stopped, 0 held, 1 passed, 0 detected;" out
ok $? "an allowed access counts as passed"
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
cp out changes
is 0 && ctl vm1 status && is 0 "mode report" out
ok $? "mode report takes effect"
[[ $(grep degraded changes) == "degraded: 1 rule, as before; 'status --rules' lists the rule" ]]
ok $? "a rule that was degraded before is only counted"
ctl vm1 policy later.yaml
is 1 "^degraded: later.yaml:6:5: 'sticky' on CR0 is left out" out && ! grep -q 'as before' out
ok $? "of another policy each degraded rule is listed"
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
	(.why | length > 0) and .violations_stopped == 0 and .violations_passed == 0 and .violations_detected == 0 and
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

# Other users

start vm2
if [[ $(id -u) == 0 ]] && command -v setpriv >/dev/null; then
	chmod 755 "$dir" ctl
	chmod 666 ctl/vm2.sock
	setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$regpin" ctl --ctl "$dir/ctl" vm2 disarm >out 2>err
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
finish vm2

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
