#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: faults.sh REGPIN SHIM HANDOFF
#
# Something that `regpin run` needs fails, or is removed: its files, its readers, its agent, its
# memory. In each case the guest is protected, or held, or not started. Prints TAP.
#
# The small VMM's guest clears a pinned bit: "exit 8" is the triple fault of its #GP, and
# "exit 5" the HLT after a write that was done.
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

await() # COMMAND ..: repeats it until it succeeds
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

# Finds the agent of the VMM that `run` became, by its command line, which no other process
# has; and the standby process that can take over from it.
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
	for pid in $(pgrep -f "^$tool run .*--events $dir/"); do
		[[ $pid != "$2" && $(cat "/proc/$pid/comm" 2>/dev/null) == "$1" ]] &&
			agent=$pid
	done
	[[ -n $agent ]]
}

# Kills both, so that none is left. They are stopped first, because each replaces the other.
kill_both() # PID
{
	local first

	await has_standby "$1" && first=$agent && await has_agent "$1" &&
		kill -STOP "$agent" "$first" && kill -KILL "$first" "$agent" &&
		! await_no_agent
}

# Does one of them still exist? It may take a moment to end.
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
	ok $? "a disk that fills up is reported once, and delays nothing"
	head -n -1 full/events | jq . >/dev/null && [[ $(wc -l <full/events) -gt 5 ]]
	ok $? "the lines on the full disk are whole lines of JSON"
	run --events "$dir/full/events" -- ./vmm vm vcpu run exit 4
	[[ $status == 4 ]] && grep -q "exit 8" out
	ok $? "a full disk: the guest is protected"
	# The agent ends after the VMM.
	await umount full 2>/dev/null
else
	for what in "a disk that fills up is reported once" "a full disk: lines of JSON" "a full disk: protected"; do
		skip "$what" "no tmpfs can be mounted here"
	done
fi

# Readers that close

mkfifo fifo
timeout 60 head -n 3 <fifo >taken &
reader=$!
run --mode report --event-limit 0 --events "$dir/fifo" -- ./vmm vm vcpu flood 20000 exit 6
wait "$reader"
await grep -q "lines of events are lost" err
[[ $status == 6 && $(wc -l <taken) == 3 ]] && jq . taken >/dev/null
ok $? "the reader of the events closes: the VMM continues, and the loss is reported"
timeout 60 head -n 1 <fifo >taken &
reader=$!
timeout -k 1 60 "$regpin" run --policy policy.yaml --mode report --event-limit 0 -- \
	./vmm vm vcpu flood 20000 exit 6 >out 2>fifo </dev/null
status=$?
wait "$reader"
: >err
[[ $status == 6 && $(wc -l <taken) == 1 ]]
ok $? "the reader of stderr closes: no process dies of SIGPIPE"

# Few files

first='' bad=0
for ((files = 3; files < 64; files++)); do
	(
		ulimit -n "$files"
		exec timeout -k 1 20 "$regpin" run --policy policy.yaml --attach-timeout 5s \
			--events "$dir/events" -- ./vmm vm vcpu run exit 7
	) >out 2>err </dev/null
	status=$?
	grep -q "exit 5" out && bad=1
	if [[ $status == 7 ]]; then
		grep -q "exit 8" out || bad=1
		first=${first:-$files}
		((files < first + 4)) || break
	elif [[ -n $first || ! -s err ]]; then
		# It failed although it worked with fewer files, or it failed without a
		# message.
		bad=1
	fi
	((!bad)) || break
done
[[ $bad == 0 && -n $first ]]
ok $? "RLIMIT_NOFILE from 3 on: no guest runs, and the reason is printed; from $first on: protected"

# A faulty handoff

"$regpin" compile -o blob policy.yaml >out 2>err
"$handoff" good "$shim" blob ./vmm vm vcpu run exit 7 >out 2>err
status=$?
[[ $status == 7 ]] && grep -q "exit 8" out
ok $? "a good handoff: the guest is protected"
for mode in unsealed no-write no-shrink no-grow cut empty file small small-control version none one \
	word closed text; do
	timeout -k 1 20 "$handoff" $mode "$shim" blob ./vmm vm vcpu run exit 7 >out 2>err
	status=$?
	[[ $status == 125 && ! -s out ]] &&
		grep -q "regpin: the VM must not run: the policy did not reach" err
	ok $? "a handoff that is '$mode': no VM runs"
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
	# The VM was not started, or everything is as with the agent.
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
ok $? "a held vCPU stays held when the agent and its standby are killed"
await grep -q "the VM runs on with its pins, but it is NOT OBSERVED" err
ok $? "the VMM's stderr reports that the VM is no longer observed"
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
ok $? "a standby that is killed is replaced"
"$regpin" ctl --ctl "$dir/ctl" taken status >said 2>&1
[[ $? == 0 ]] && grep -q "mode enforce" said && grep -q "^vm 0: armed" said
ok $? "after the takeovers status shows the policy in force"
touch go
await test -e ended
await grep -q '"vm":1.*"violation"\|"violation".*"vm":1' events
ok $? "after the takeovers a new VM gets its policy, and its events are written"
grep -q "process $agent has taken over\|has taken over: the pins" err
ok $? "the VMM's stderr reports the takeover"
# The agent is killed before the next standby has read what was just counted.
await has_agent "$vmm" && kill -KILL "$agent"
touch over
wait "$vmm"
status=$?
await grep -q '"detached"' events
[[ $status == 7 ]] && ! await_no_agent && [[ $(grep -c "exit 8" out) == 2 ]]
ok $? "after the VMM's end no agent is left"
[[ $(jq -r 'select(.event == "detached") | .violations_stopped + .violations_passed' events) == "$(grep -c '"event":"violation"' events)" ]] &&
	! grep -q "of events .* lost" err
ok $? "the totals include the events of all agents"

# All are killed: what is reported

rm -f events
"$regpin" run --policy policy.yaml --name lost --ctl "$dir/ctl" --events "$dir/events" -- \
	./vmm vm vcpu await gone run exit 7 >out 2>err </dev/null &
vmm=$!
await grep -qs '"attached"' events && kill_both "$vmm"
"$regpin" ctl --ctl "$dir/ctl" lost status >said 2>&1
[[ $? != 0 ]] && grep -q "its agent is gone: if its VMM still runs, the VM is pinned, but unobserved" said
ok $? "'ctl status' reports the dead agent, not the VM's end"
await grep -q "NOT OBSERVED" err
ok $? "the VMM's stderr reports that all agents are dead"
touch gone
wait "$vmm"
status=$?
[[ $status == 7 ]] && grep -q "exit 8" out
ok $? "the pins are in force without an agent"

events_fit
echo "1..$nr"
exit $failed
