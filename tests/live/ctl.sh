#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: ctl.sh REGPIN SHIM
#
# `regpin ctl` with a small VMM on the real KVM: each command has its effect on the guest.
# Prints TAP.
set -u

# shellcheck source=tests/live/vmm.sh
source "$(dirname "$0")/vmm.sh"
vmm=
trap 'rm -rf "$dir"; [[ -z $vmm ]] || kill "$vmm" 2>/dev/null' EXIT

# The action is not gp, because the #GP shuts the vCPU down, and it would not run on.
cat >policy.yaml <<'E'
version: 1
arming: start
action: mask
rules:
  - register: EFER
    sticky: [SCE, NXE]
E
cat >other.yaml <<'E'
version: 1
arming: start
rules:
  - register: LSTAR
    once: true
  - register: EFER
    sticky: [SCE]
    action: pause
E

# shellcheck disable=SC2317 # tap.sh calls it
evidence()
{
	for file in out ctl.out ctl.err; do
		sed "s/^/# $file: /" "$file" 2>/dev/null
	done
	tail -n 4 events | sed 's/^/# events: /'
}

ctl()
{
	"$regpin" ctl --ctl "$dir/ctl" vm "$@" >ctl.out 2>ctl.err </dev/null
}

# The number of exits.
exits()
{
	for ((i = 0; i < 300; i++)); do
		[[ $(grep -c '^exit' out) -ge $1 ]] && break
		sleep 0.05
	done
	[[ $(grep -c '^exit' out) == "$1" ]]
}

held()
{
	for ((i = 0; i < 300; i++)); do
		ctl status
		grep -q HELD ctl.out && return 0
		sleep 0.05
	done
	return 1
}

# start POLICY ROUNDS
start()
{
	local steps=() i

	for ((i = 1; i <= $2; i++)); do
		steps+=(await "go$i" flood 1)
	done
	rm -f go* end events
	timeout -k 1 90 "$regpin" run --policy "$1" --name vm --ctl "$dir/ctl" \
		--events "$dir/events" --event-limit 0 -- \
		./vmm vm vcpu "${steps[@]}" await end exit 4 >out 2>err </dev/null &
	vmm=$!
	await '"armed"\|"attached"' events
}

# The guest tries once more to clear SCE.
try()
{
	touch "go$1"
	exits "$1"
}

violations() # their number, and the verdict and place of the last one
{
	jq -sr '[.[] | select(.event == "violation")] |
		"\(length) \(last.verdict) \(last.where)"' events
}

start policy.yaml 7
try 1
await '"violation"' events
[[ $(violations) == "1 mask policy.yaml:6:5" ]]
ok $? "the policy masks the write"
ctl disarm && try 2
[[ $? == 0 && $(violations) == 1\ * ]]
ok $? "disarm: the write is done"
ctl arm && try 3
[[ $? == 0 && $(violations) == 2\ mask\ * ]]
ok $? "arm: the write is masked"
ctl mode report && try 4
await '"report"' events
[[ $(violations) == 3\ report\ * ]]
ok $? "mode report: the write is done and reported"
ctl mode enforce && ctl window --for 60s && try 5
[[ $? == 0 && $(violations) == 3\ * ]]
ok $? "window: the write is done"
ctl window --end && ctl policy other.yaml --yes
ok $? "policy applies another policy"
touch go6
held
grep -q "vcpu 0: armed.*, HELD: write of EFER: 0x1 -> 0x0 (SCE): sticky, other.yaml:7:5" ctl.out &&
	[[ $(violations) == "4 pause other.yaml:7:5" ]] && exits 5
ok $? "the new policy's rule holds the vCPU, and status names it"
ctl allow --vcpu 0 && exits 6
[[ $? == 0 && $(violations) == 4\ * && $(tail -n 1 out) == "exit 5" ]]
ok $? "allow: the held write is done"
touch go7
held && ctl gp --vcpu 0 && exits 7
[[ $? == 0 && $(violations) == 5\ * && $(tail -n 1 out) == "exit 8" ]]
ok $? "gp: the guest gets #GP for the held write"
touch end
wait "$vmm"
status=$?
await '"detached"' events
[[ $status == 4 && ! -e ctl/vm.sock ]]
ok $? "run exits with the VMM's status, and the socket is removed"
[[ $(jq -r 'select(.event == "control" and .result == "done").command' events | tr '\n' ' ') == \
	"disarm arm mode mode window window-end policy allow gp " ]]
ok $? "each command is an event"

start other.yaml 1
touch go1
held && ctl stop --vcpu 0 && exits 1
[[ $? == 0 && $(tail -n 1 out) == "exit 24" ]]
ok $? "stop: the VMM gets the exit of a crashed guest"
touch end
wait "$vmm"
# The agent ends after its VMM, and has the name until then.
await '"detached"' events

# The operator's mode replaces the policy's own, in both directions.
sed 's/^arming/mode: report\narming/' policy.yaml >reports.yaml
start reports.yaml 4
try 1
await '"violation"' events
[[ $(violations) == "1 report reports.yaml:7:5" ]]
ok $? "mode: report in the policy: the write is done and reported"
ctl mode enforce && try 2
[[ $? == 0 && $(violations) == "2 mask reports.yaml:7:5" ]] && grep -q "enforce by the operator" ctl.out &&
	grep -q "^warning: S3 can't be checked: " ctl.out
ok $? "ctl mode enforce: the write is masked, and a warning is printed that S3 is not checked"
ctl events
grep -q '"event":"degraded".*"reason":"s3","text":"S3 can.t be checked: ' ctl.out
ok $? "an event reports that S3 is not checked, as the policy now enforces"
ctl status && grep -q "reports.yaml, mode enforce by the operator (the policy says report)" ctl.out
ok $? "status shows the operator's mode and the policy's"
ctl mode policy && try 3
[[ $? == 0 && $(violations) == "3 report reports.yaml:7:5" ]]
ok $? "ctl mode policy: the write is done again"
ctl policy policy.yaml --yes --mode report && ctl policy policy.yaml --yes && try 4
[[ $? == 0 && $(violations) == "4 report policy.yaml:6:5" ]]
ok $? "the next policy keeps the mode that came with a policy"
touch end
wait "$vmm"
await '"detached"' events

# The way back, as the guest meets it.
start policy.yaml 4
ctl policy reports.yaml --yes --confirm 60s && try 1
[[ $? == 0 && $(violations) == "1 report reports.yaml:7:5" ]]
ok $? "policy --confirm: the write is done and reported"
ctl policy --rollback --yes && try 2
[[ $? == 0 && $(violations) == "2 mask policy.yaml:6:5" ]]
ok $? "policy --rollback: the write is masked again"
ctl policy reports.yaml --yes --confirm 100ms && await '"cause":"unconfirmed".*"result":"done"' events && try 3
[[ $? == 0 && $(violations) == "3 mask policy.yaml:6:5" ]]
ok $? "without a confirmation the write is masked again by itself"
ctl policy reports.yaml --yes --confirm 60s && ctl confirm && try 4
[[ $? == 0 && $(violations) == "4 report reports.yaml:7:5" ]]
ok $? "confirm: the write is done and reported"
touch end
wait "$vmm"

await '"detached"' events

# The mode of one rule: an attack's write passes, and is refused again; and the counters.
rules()
{
	ctl status --rules --json &&
		jq -sr '[.[] | "\(.where) \(.effective) \(.violations_stopped) \(.violations_passed)"] | join("; ")' ctl.out
}

cat >two.yaml <<'E'
version: 1
arming: start
action: mask
rules:
  - register: LSTAR
    once: true
  - register: EFER
    sticky: [SCE, NXE]
E
start two.yaml 6
try 1
await '"violation"' events
[[ $(violations) == "1 mask two.yaml:8:5" && $(rules) == "two.yaml:6:5 enforced 0 0; two.yaml:8:5 enforced 1 0" ]]
ok $? "the attack's write is masked, and counts for its rule"
ctl mode report --rule two.yaml:8:5 && grep -q "^loosens: EFER SCE NXE: clearing: mask -> report$" ctl.out &&
	grep -q "^rule: two.yaml:8:5: enforced -> reported, " ctl.out && try 2
[[ $? == 0 && $(violations) == "2 report two.yaml:8:5" && $(rules) == "two.yaml:6:5 enforced 0 0; two.yaml:8:5 reported 1 1" ]]
ok $? "mode report --rule: the write is done and reported"
ctl status && grep -q "mode enforce (2 rules: 1 enforced, 0 detected, 1 report only, 0 left out; the operator's mode of 1 rule)" ctl.out
ok $? "status counts the modes of single rules"
# The agent has a pidfd of the VMM's process, and so has its standby, of another name.
pid=$(jq -r 'select(.event == "attached").vmm_pid' events)
for file in $(grep -lsE "^Pid:[[:space:]]*$pid\$" /proc/[0-9]*/fdinfo/*); do
	file=${file#/proc/}
	[[ $(cat "/proc/${file%%/*}/comm" 2>/dev/null) != regpin-agent ]] || agent=${file%%/*}
done
kill -KILL "$agent" && await '"takeover"' events
[[ $? == 0 && $(rules) == "two.yaml:6:5 enforced 0 0; two.yaml:8:5 reported 1 1" ]]
ok $? "the standby has the counters and the modes of rules"
ctl mode policy --rule 8 && try 3
[[ $? == 0 && $(violations) == "3 mask two.yaml:8:5" && $(rules) == "two.yaml:6:5 enforced 0 0; two.yaml:8:5 enforced 2 1" ]]
ok $? "mode policy --rule: the write is masked again"
ctl mode report && ctl mode enforce --rule 8 && try 4
[[ $? == 0 && $(violations) == "4 mask two.yaml:8:5" && $(rules) == "two.yaml:6:5 reported 0 0; two.yaml:8:5 enforced 3 1" ]]
ok $? "mode enforce --rule: the write is masked in mode report"
ctl policy policy.yaml --mode policy --yes && grep -q "^rules: the operator's mode of 1 rule ends$" ctl.out && try 5
[[ $? == 0 && $(violations) == "5 mask policy.yaml:6:5" && $(rules) == "policy.yaml:6:5 enforced 1 0" ]]
ok $? "another policy ends the modes of single rules, and begins to count with 0"
[[ $(jq -r 'select(.event == "control" and .command == "mode" and .result == "done") |
	"\(.to) \(.rule // "-") \(.where // "-")"' events | xargs) == \
	"report sticky two.yaml:8:5 policy sticky two.yaml:8:5 report - - enforce sticky two.yaml:8:5" ]]
ok $? "the events of these commands name the rule"
ctl policy two.yaml --yes && ctl mode report --rule 8 &&
	ctl policy policy.yaml --yes --confirm 100ms && await '"cause":"unconfirmed".*"result":"done"' events && try 6
[[ $? == 0 && $(violations) == "6 report two.yaml:8:5" && $(rules) == "two.yaml:6:5 enforced 0 0; two.yaml:8:5 reported 0 1" ]]
ok $? "a policy that is taken back leaves the modes of single rules as they were"
touch end
wait "$vmm"
await '"detached"' events

cat >wide.yaml <<'E'
version: 1
arming: start
rules:
  - register: EFER
    sticky: [SCE]
    action: report
  - register: CR0
    sticky: [WP]
    optional: true
  - register: LSTAR
    once: true
E
REGPIN_HOST_FORCE=nocrfilter start wide.yaml 1
"$regpin" list --ctl "$dir/ctl" >ctl.out 2>ctl.err
awk 'NR == 1 { end = index($0, "ARMED") + 5 }
	NR == 2 { exit !(/ enforce, 1 detected, 1 report only / && substr($0, end - 4, 5) ~ "^ ./. $") }' ctl.out
ok $? "the columns of the list stand below their names, also with a long mode"
touch go1 end
wait "$vmm"
await '"detached"' events

rm -f events go1
touch go1
timeout -k 1 60 "$regpin" run --policy reports.yaml --mode enforce --events "$dir/events" -- \
	./vmm vm vcpu await go1 flood 1 exit 4 >out 2>err
[[ $? == 4 && $(violations) == "1 mask reports.yaml:7:5" ]] && grep -q "mode enforce by --mode" err
ok $? "run --mode enforce: the write is masked"

# The maximum number of VMs at one time gets another policy; one more is refused.
rm -f events end
others=$(printf 'othervm %.0s' {1..63})
# shellcheck disable=SC2086 # several words
timeout -k 1 90 "$regpin" run --policy policy.yaml --name vm --ctl "$dir/ctl" \
	--events "$dir/events" -- ./vmm vm $others vcpu await end run exit 6 >out 2>many.err &
vmm=$!
for ((i = 0; i < 300; i++)); do
	[[ $(grep -c '"attached"' events 2>/dev/null) == 64 ]] && break
	sleep 0.05
done
sed 's/mask/drop/' policy.yaml >drop.yaml
ctl policy drop.yaml --yes
[[ $? == 0 && $(jq 'select(.event == "policy").vm' events | sort -n | tr '\n' ' ') == "$(seq -s ' ' 0 63) " ]]
ok $? "a policy reaches all of 64 VMs of one VMM"
touch end
wait "$vmm"
[[ $? == 6 && $(violations) == "1 drop drop.yaml:6:5" ]]
ok $? "the guest of the first VM is judged by the new policy"
rm -f events
# shellcheck disable=SC2086 # several words
timeout -k 1 90 "$regpin" run --policy policy.yaml --events "$dir/events" -- \
	./vmm vm $others othervm vcpu run exit 6 >out 2>many.err
[[ $? == 125 && ! -s out ]] && grep -q "must not run: the VMM has 64 VMs open already" many.err
ok $? "a 65th VM ends the VMM, as no command would reach it"
vmm=
events_fit
echo "1..$nr"
exit $failed
