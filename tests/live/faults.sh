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

cat >policy.yaml <<'EOF'
version: 1
arming: start
rules:
  - register: EFER
    sticky: [SCE, NXE]
EOF
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

# The agent of the VMM that `run` became, and nobody else's: it has its command line.
has_agent() # PID
{
	agent=$(pgrep -f "^$regpin run .*--events $dir/" | grep -vx "$1" | head -n 1)
	[[ -n $agent ]]
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
		./vmm sleep 60 vm sleep 60 vcpu sleep 60 run exit 7 >out 2>err </dev/null &
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
has_agent "$vmm" && kill -KILL "$agent"
killed=$?
sleep 0.5
[[ $killed == 0 && ! -e ran ]] && ! has_agent x && kill -0 "$vmm"
ok $? "a vCPU that is held stays so when the agent is killed"
kill "$vmm"
wait "$vmm" 2>/dev/null

echo "1..$nr"
exit $failed
