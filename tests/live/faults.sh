#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: faults.sh REGPIN SHIM HANDOFF
#
# What `regpin run` lives on fails, or is taken away: its files, its readers, its agent,
# its memory. The guest is protected then, or held, or there is none. Prints TAP.
#
# The small VMM's guest clears a pinned bit: "exit 8" is its #GP, a triple fault, and
# "exit 5" the HLT behind a write that went through.
set -u

handoff=$(realpath "$3")
# shellcheck source=tests/live/vmm.sh
source "$(dirname "$0")/vmm.sh"

sed 's/sticky.*/&\n    action: pause/' policy.yaml >pause.yaml

# shellcheck disable=SC2317 # tap.sh calls it
evidence()
{
	echo "# status ${status:-}"
	sed 's/^/# out: /' out
	sed 's/^/# err: /' err
}

await() # COMMAND ..: until it succeeds
{
	for ((i = 0; i < 200; i++)); do
		"$@" && return 0
		sleep 0.05
	done
	return 1
}

run() # OPTION .. -- VMM ..
{
	timeout -k 1 60 "$regpin" run --policy policy.yaml "$@" >out 2>err </dev/null
	status=$?
}

# The agent of the VMM that `run` became, and nobody else's: it has its command line. And
# the process that stands by to take over.
has_agent() # PID
{
	named regpin-agent "$1"
}

has_standby() # PID
{
	named regpin-standby "$1"
}

named() # NAME PID
{
	local pid

	agent=
	for pid in $(pgrep -f "^$regpin run .*--events $dir/"); do
		[[ $pid != "$2" && $(cat "/proc/$pid/comm" 2>/dev/null) == "$1" ]] &&
			agent=$pid
	done
	[[ -n $agent ]]
}

# Both, at the same time: then there is none. Stopped first, as each replaces the other.
kill_both() # PID
{
	local first

	await has_standby "$1" && first=$agent && await has_agent "$1" &&
		kill -STOP "$agent" "$first" && kill -KILL "$first" "$agent" &&
		! await_no_agent
}

# Is one left? Not for long.
await_no_agent()
{
	for ((i = 0; i < 100; i++)); do
		has_agent x || has_standby x || return 1
		sleep 0.05
	done
}

# Full disks

mkdir full
if [[ $(id -u) == 0 ]] && mount -t tmpfs -o size=16k,mode=700 full full 2>/dev/null; then
	trap 'umount full 2>/dev/null; rm -rf "$dir"' EXIT
	run --mode report --event-limit 0 --events "$dir/full/events" -- ./vmm vm vcpu flood 2000 exit 6
	await grep -q "lines of events are lost" err
	[[ $status == 6 && $(grep -c "events can't be written to .*No space left" err) == 1 ]]
	ok $? "a disk that fills up is told once, and stalls nothing"
	head -n -1 full/events | jq . >/dev/null && [[ $(wc -l <full/events) -gt 5 ]]
	ok $? "... what was written until then are lines of JSON"
	run --events "$dir/full/events" -- ./vmm vm vcpu run exit 4
	[[ $status == 4 ]] && grep -q "exit 8" out
	ok $? "... and on a full disk the guest is protected"
	# Its agent is the last to go.
	await umount full 2>/dev/null
else
	for what in "a disk that fills up is told once" "... lines of JSON" "... protected"; do
		skip "$what" "no tmpfs can be mounted here"
	done
fi

# Readers that go

mkfifo fifo
timeout 60 head -n 3 <fifo >taken &
reader=$!
run --mode report --event-limit 0 --events "$dir/fifo" -- ./vmm vm vcpu flood 20000 exit 6
wait "$reader"
await grep -q "lines of events are lost" err
[[ $status == 6 && $(wc -l <taken) == 3 ]] && jq . taken >/dev/null
ok $? "who reads the events goes away: the VMM goes on, and the loss is told"
timeout 60 head -n 1 <fifo >taken &
reader=$!
timeout -k 1 60 "$regpin" run --policy policy.yaml --mode report --event-limit 0 -- \
	./vmm vm vcpu flood 20000 exit 6 >out 2>fifo </dev/null
status=$?
wait "$reader"
: >err
[[ $status == 6 && $(wc -l <taken) == 1 ]]
ok $? "who reads stderr goes away: nobody dies of SIGPIPE"

# Few files

first='' bad=0
for ((files = 3; files < 64; files++)); do
	(
		ulimit -n "$files"
		exec timeout -k 1 20 "$regpin" run --policy policy.yaml --attach-timeout 5 \
			--events "$dir/events" -- ./vmm vm vcpu run exit 7
	) >out 2>err </dev/null
	status=$?
	grep -q "exit 5" out && bad=1
	if [[ $status == 7 ]]; then
		grep -q "exit 8" out || bad=1
		first=${first:-$files}
		((files < first + 4)) || break
	elif [[ -n $first || ! -s err ]]; then
		# It worked with less; or it failed and does not say why.
		bad=1
	fi
	((!bad)) || break
done
[[ $bad == 0 && -n $first ]]
ok $? "RLIMIT_NOFILE from 3 on: no guest runs, and the reason is told; from $first on: protected"

# A handoff that is not what it must be

"$regpin" compile -o blob policy.yaml >out 2>err
"$handoff" good "$shim" blob ./vmm vm vcpu run exit 7 >out 2>err
status=$?
[[ $status == 7 ]] && grep -q "exit 8" out
ok $? "a good handoff: protected"
for mode in unsealed no-write no-shrink no-grow cut empty file small small-control version none one \
	word closed text; do
	timeout -k 1 20 "$handoff" $mode "$shim" blob ./vmm vm vcpu run exit 7 >out 2>err
	status=$?
	[[ $status == 125 && ! -s out ]] &&
		grep -q "regpin: the VM must not run: the policy did not reach" err
	ok $? "a handoff that is '$mode': no VM"
done

# The agent is killed

bad=0 killed=0 started=0
for delay in 0 0 0 0.002 0.005 0.01 0.02 0.05 0.1 0.2; do
	rm -f events
	"$regpin" run --policy policy.yaml --events "$dir/events" -- \
		./vmm sleep 300 vm sleep 300 vcpu sleep 300 run exit 7 >out 2>err </dev/null &
	vmm=$!
	for ((i = 0; i < 100; i++)); do
		has_agent "$vmm" && break
		kill -0 "$vmm" 2>/dev/null || break
	done
	sleep "$delay"
	[[ -n $agent ]] && kill -KILL "$agent" 2>/dev/null && killed=$((killed + 1))
	wait "$vmm"
	status=$?
	# Either it was not started at all, or all is as with the agent.
	case $status in
	7)
		grep -q "exit 8" out || bad=1
		started=$((started + 1))
		;;
	125) [[ ! -s out ]] || bad=1 ;;
	*) bad=1 ;;
	esac
	((!bad)) || break
done
[[ $bad == 0 && $killed -ge 6 && $started -ge 1 ]]
ok $? "the agent is killed at $killed moments: the guest is protected, or there is none"

rm -f events ran
"$regpin" run --policy pause.yaml --events "$dir/events" -- \
	./vmm vm vcpu run touch ran exit 7 >out 2>err </dev/null &
vmm=$!
await grep -qs '"violation"' events
kill_both "$vmm"
killed=$?
sleep 0.5
[[ $killed == 0 && ! -e ran ]] && ! has_agent x && kill -0 "$vmm"
ok $? "a vCPU that is held stays so when the agent and its standby are killed"
await grep -q "the VM runs on with its pins, but it is NOT OBSERVED" err
ok $? "... and the VMM's stderr reports that nobody observes it"
kill "$vmm"
wait "$vmm" 2>/dev/null

# Another agent takes over

rm -f events go attached ended
"$regpin" run --policy policy.yaml --name taken --ctl "$dir/ctl" --events "$dir/events" -- \
	./vmm vm vcpu run touch attached await go vm vcpu run touch ended await over exit 7 \
	>out 2>err </dev/null &
vmm=$!
await grep -qs '"violation"' events && await has_standby "$vmm"
"$regpin" ctl --ctl "$dir/ctl" taken mode report --yes >said 2>&1
"$regpin" ctl --ctl "$dir/ctl" taken mode enforce >>said 2>&1
bad=0
for ((n = 1; n <= 5; n++)); do
	await has_standby "$vmm" && await has_agent "$vmm" && kill -KILL "$agent" || bad=1
	for ((i = 0; i < 100; i++)); do
		[[ $(grep -c '"takeover"' events) == "$n" ]] && break
		sleep 0.05
	done
	[[ $(grep -c '"takeover"' events) == "$n" ]] || bad=1
done
[[ $bad == 0 ]]
ok $? "the agent is killed five times: another one takes over, and that is an event"
await has_standby "$vmm" && kill -KILL "$agent"
first=$agent
other_standby()
{
	has_standby "$vmm" && [[ $agent != "$first" ]]
}
await other_standby
ok $? "... and one that stands by is replaced"
"$regpin" ctl --ctl "$dir/ctl" taken status >said 2>&1
[[ $? == 0 ]] && grep -q "mode enforce" said && grep -q "^vm 0: armed" said
ok $? "... status is answered, by the policy that is in force"
touch go
await test -e ended
await grep -q '"vm":1.*"violation"\|"violation".*"vm":1' events
ok $? "... a VM that comes later gets its policy, and its events are written"
grep -q "process $agent has taken over\|has taken over: the pins" err
ok $? "... and the VMM's stderr reports it"
# At once, before the next standby knows of what has just been counted.
await has_agent "$vmm" && kill -KILL "$agent"
touch over
wait "$vmm"
status=$?
await grep -q '"detached"' events
[[ $status == 7 ]] && ! await_no_agent && [[ $(grep -c "exit 8" out) == 2 ]]
ok $? "... until the VMM ends, and then none of them is left"
[[ $(jq -r 'select(.event == "detached") | .violations + .reports' events) == "$(grep -c '"event":"violation"' events)" ]] &&
	! grep -q "of events .* lost" err
ok $? "... and the totals are those of all of them"

# All are killed: what is reported then

rm -f events
"$regpin" run --policy policy.yaml --name lost --ctl "$dir/ctl" --events "$dir/events" -- \
	./vmm vm vcpu await gone run exit 7 >out 2>err </dev/null &
vmm=$!
await grep -qs '"attached"' events && kill_both "$vmm"
"$regpin" ctl --ctl "$dir/ctl" lost status >said 2>&1
[[ $? != 0 ]] && grep -q "its agent is gone: if its VMM still runs, the VM is pinned, but unobserved" said
ok $? "'ctl status' does not say that the VM is gone"
await grep -q "NOT OBSERVED" err
ok $? "... the VMM's stderr reports it"
touch gone
wait "$vmm"
status=$?
[[ $status == 7 ]] && grep -q "exit 8" out
ok $? "... and the pins are in force"

echo "1..$nr"
exit $failed
