#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: readers.sh REGPIN SHIM
#
# `regpin run` with a small VMM on the real KVM: readers of events that are slow, full or
# absent, VMMs that close what wakes the agent, and floods of events. Prints TAP.
set -u

# shellcheck source=tests/live/run_scene.sh
source "$(dirname "$0")/run_scene.sh"

# The numbers of violations, of those that are only counted, and of those that were dropped.
total()
{
	jq -s '([.[] | select(.event == "violation")] | length) +
		([.[] | select(.event == "dropped" or .event == "repeated").count] |
		 add // 0)' events
}

# Slow, full and absent readers

mkfifo fifo
run --events fifo -- ./vmm vm vcpu run exit 2
is 2 "regpin: [0-9]* lines of events are lost" err
ok $? "a FIFO without a reader delays nothing, and the loss is reported"
cat fifo >from-fifo &
run --events fifo -- ./vmm vm vcpu run exit 2
wait $!
is 2 '"detached"' from-fifo && ! grep -q lost err
ok $? "a FIFO with a reader gets all events"
sleep 30 <>fifo &
reader=$!
run --mode report --event-limit 0 --events fifo -- ./vmm vm vcpu flood 20000 \
	exit 2
is 2 "lines of events are lost" err
ok $? "a reader that does not read delays nothing"
kill "$reader"
wait "$reader" 2>/dev/null
run --mode report --event-limit 0 -- ./vmm vm vcpu flood 20000 exit 2
is 2 '"detached"' events
[[ $(jq -s 'map(select(.event == "violation")) | length' events) == \
	$(jq 'select(.event == "detached").violations_passed' events) ]] &&
	[[ $(total) == 20000 ]]
ok $? "of many events each is either a line or counted as dropped"
run --events /dev/full -- ./vmm vm vcpu run exit 2
is 2 "lines of events are lost" err &&
	[[ $(grep -c "events can't be written to /dev/full" err) == 1 ]]
ok $? "a full disk is reported once, and delays nothing"

mkdir -p empty
if [[ $(id -u) == 0 ]]; then
	rm -f events out err # the agent of the run before may write to these yet
	"$regpin" run --policy policy.yaml --events "$dir/events" -- \
		./vmm vm vcpu chroot empty run sleep 4000 >out 2>err &
	pid=$!
	await '"violation"' events && [[ -e /proc/$pid ]]
	ok $? "a VMM without /proc wakes the agent"
	kill "$pid"
	wait "$pid" 2>/dev/null
	run -- ./vmm vm vcpu chroot empty othervm run
	is 0 '"violation"' events && grep -q "exit 8" out
	ok $? "the vCPUs of a VMM without /proc stay protected when it creates one more VM"
else
	skip "a VMM without /proc wakes the agent" "not root"
	skip "the vCPUs of a VMM without /proc stay protected when it creates one more VM" \
		"not root"
fi
rm -f events
"$regpin" run --policy policy.yaml --events "$dir/events" -- \
	./vmm vm vcpu closeall run sleep 4000 >out 2>err &
pid=$!
await '"violation"' events && [[ -e /proc/$pid ]]
ok $? "a VMM that closes all its other files wakes the agent"
kill "$pid"
wait "$pid" 2>/dev/null
run -- ./vmm closeall vm vcpu run exit 3
is 3 '"violation"' events
ok $? "a VMM that closes them before it has a VM gets its policy"

run --mode report -- ./vmm vm vcpu flood 20000 exit 2
is 2 '"detached"' events
[[ $(total) == 20000 && $(grep -c '"violation"' events) -ge 10 &&
	$(jq -s 'map(select(.event == "violation").time | .[0:19] + "Z" | fromdateiso8601) |
		length <= 10 * (.[-1] - .[0] + 2)' events) == true &&
	$(jq 'select(.event == "detached") | .violations_passed + .dropped' events) == \
		20000 ]]
ok $? "the first 10 events in a second are lines, the others are counted"
[[ $(jq -r 'select(.event == "repeated") | [.vm, .vcpu, .register, .index,
	.rule, .where, .verdict] | join(" ")' events | sort -u) == \
	"0 0 EFER 0xc0000080 sticky policy.yaml:5:5 report" ]]
ok $? "the sum names the rule, the register and the verdict"
run --mode report --event-limit 3 -- ./vmm vm vcpu flood 2 sleep 1500 flood 5 \
	flood 1 sleep 1500 exit 2
is 2 '"detached"' events
[[ $(jq -r 'select(.event == "violation" or .event == "repeated") |
	.event + " " + (.count | tostring)' events | uniq -c | tr -s ' \n' ' ') == \
	" 5 violation null 1 repeated 3 " ]]
ok $? "--event-limit 3: 2 of 2, then 3 of 6 in a second are lines"

no_agent_is_left

events_fit
printf '1..%d\n' "$nr"
exit "$failed"
