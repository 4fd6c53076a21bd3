#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: sinks.sh REGPIN SHIM
#
# Where events go: to the file descriptors of the caller of `regpin run`. Prints TAP.
set -u

# shellcheck source=tests/live/vmm.sh
source "$(dirname "$0")/vmm.sh"

touch out err events

# shellcheck disable=SC2317 # tap.sh calls it
evidence()
{
	printf '# status %s\n' "${status:-}"
	sed 's/^/# out: /' out
	sed 's/^/# err: /' err
	sed 's/^/# events: /' events
}

# run SINK VMM ..: the status in $status, stdout and stderr in files of these names
run()
{
	rm -f out err
	timeout -k 1 60 "$regpin" run --no-ctl --policy policy.yaml --events "$1" -- "${@:2}" \
		>out 2>err </dev/null
	status=$?
}

# whole FILE: each line is an event, the last one is `detached`
whole()
{
	await '"detached"' "$1" && jq -es 'all(.[]; .time and .event)
		and any(.[]; .event == "violation") and .[-1].event == "detached"' "$1" >/dev/null
}

refused() # DESCRIPTION REASON SINK
{
	run "$3" ./vmm touch started
	[[ $status == 2 && ! -e started ]] && grep -q -- "$2" err
	ok $? "$1"
}

for sink in fd:5 /dev/fd/5 /proc/self/fd/5; do
	rm -f events
	run "$sink" ./vmm vm vcpu run exit 4 5>events
	[[ $status == 4 ]] && whole events && ! grep -q '"event"' err
	ok $? "$sink is the caller's own file"
done

rm -f events
run fd:5 ./vmm vm vcpu run exit 4 5> >(cat >events)
[[ $status == 4 ]] && whole events
ok $? "a pipe gets all events"
rm -f events
run >(cat >events) ./vmm vm vcpu run exit 4
[[ $status == 4 ]] && whole events
ok $? "a process substitution gets all events"

rm -f events
run /dev/stdout sh -c './vmm vm vcpu run exit 4 >&2'
[[ $status == 4 ]] && whole out
ok $? "/dev/stdout is the caller's stdout"
for sink in - /dev/stderr fd:2; do
	run "$sink" sh -c 'exec 2>&1; exec ./vmm vm vcpu run exit 4'
	[[ $status == 4 ]] && whole err
	ok $? "$sink: stderr has events only"
done
run - sh -c 'exit 3'
[[ $status == 3 ]] && await created err &&
	jq -es 'length == 1 and .[0].event == "message"' err >/dev/null
ok $? "-: a message of the agent is an event"

# The VMM's own files: `ls` lists them and itself opens the first free number.
echo 'ls -l /proc/self/fd >&1' >list
run fd:5 sh ./list 5>events
[[ $status == 0 ]] && ! grep -q "/events$" out
ok $? "the VMM does not inherit the file descriptor, nor a copy of it"

run fd:5 ./vmm vm vcpu run exit 4 5> >(exec head -c 0)
[[ $status == 4 ]] && await "lines of events are lost" err &&
	[[ $(grep -c "events can't be written to fd:5: Broken pipe" err) == 1 ]]
ok $? "a reader that is gone is reported once, and its lines are counted"

mkfifo fifo
sleep 60 <>fifo &
reader=$!
exec 6>fifo
rm -f out err
timeout -k 1 60 "$regpin" run --no-ctl --policy policy.yaml --mode report --event-limit 0 \
	--events fd:6 -- ./vmm vm vcpu flood 20000 exit 2 >out 2>err </dev/null
status=$?
exec 6>&-
[[ $status == 2 ]] && await "lines of events are lost" err
ok $? "a pipe that is not read delays nothing, and the loss is reported"
kill "$reader"
wait "$reader" 2>/dev/null

rm -f started
refused "a number that is not open is refused" "fd:77': this file descriptor is not open" fd:77
refused "a word instead of a number is refused" "number of a file descriptor" fd:x
refused "no number is refused" "number of a file descriptor" /dev/fd/
refused "a file that is open for reading is refused" "not open for writing" fd:0
rm -f events
run ./fd:5 ./vmm vm vcpu run exit 4
[[ $status == 4 ]] && whole fd:5
ok $? "./fd:5 is a file of that name"


# Rotation

ctl()
{
	timeout 20 "$regpin" ctl --ctl "$dir/ctl" vm "$@" >ctl.out 2>&1
}
rm -f events* go*
(mkdir -p logs && cd logs && rm -f ../started &&
	exec timeout -k 1 60 "$regpin" run --ctl "$dir/ctl" --name vm --policy ../policy.yaml \
		--event-limit 0 --events ../events -- ../vmm vm vcpu touch ../started \
		await ../go1 flood 1 await ../go2 flood 1 await ../go3 flood 1 exit 4) \
	>out 2>err </dev/null &
vmm=$!
await '"attached"' events
mv events events.1
touch go1
await '"violation"' events.1 && ctl reopen && grep -q "go to a newly opened $dir/logs/../events$" ctl.out &&
	touch go2 && await '"violation"' events
ok $? "reopen: later events are in a new file at the old path"
jq -es '.[0] | .event == "control" and .command == "reopen" and .result == "done"' events >/dev/null &&
	[[ $(grep -c '"violation"' events.1) == 1 && $(stat -c %a events) == 600 ]]
ok $? "the command is the first event there, and the old file is no longer written"
mv events events.2
ln -s elsewhere events
! ctl reopen && [[ ! -e elsewhere ]] && grep -q "is a symbolic link.*; events continue in the file" ctl.out
ok $? "a symbolic link is refused"
touch go3
wait "$vmm"
status=$?
[[ $status == 4 ]] && await '"detached"' events.2 && grep -q '"result":"failed"' events.2 &&
	[[ $(grep -c '"violation"' events.2) == 2 ]]
ok $? "events continue in the old file"
rm -f events
timeout -k 1 60 "$regpin" run --ctl "$dir/ctl" --name vm --policy policy.yaml --events fd:5 -- \
	./vmm vm await go4 exit 4 >out 2>err </dev/null 5>events &
vmm=$!
await '"attached"' events
! ctl reopen && grep -q "do not go to a file" ctl.out
ok $? "a file descriptor cannot be opened again"
touch go4
wait "$vmm"

# The journal: a real one, in a private /run.

rm -f started
if [[ ! -e /run/systemd/journal/socket ]]; then
	run journal ./vmm touch started
	[[ $status == 125 && ! -e started ]] &&
		grep -q "the journal's socket /run/systemd/journal/socket: No such file" err
	ok $? "without a journal no VMM is started"
else
	skip "without a journal no VMM is started" "this host has one"
fi
journald=/lib/systemd/systemd-journald
own_run='mount -t tmpfs none /run && mkdir -p /run/systemd/journal /run/log/journal'
if [[ $(id -u) == 0 && -x $journald && -s /etc/machine-id ]] && unshare -m sh -c "$own_run" 2>/dev/null; then
	rm -f out err go
	# shellcheck disable=SC2016 # the inner shell's
	unshare -m bash -c "$own_run"'
		"$1" 2>journald.err & journald=$!
		for ((i = 0; i < 200; i++)); do
			[[ -S /run/systemd/journal/socket ]] && break
			sleep 0.05
		done
		logged()
		{
			for ((i = 0; i < 400; i++)); do
				journalctl -D /run/log/journal/* -o json SYSLOG_IDENTIFIER=regpin \
					>journal.json 2>/dev/null
				grep -q "\"REGPIN_EVENT\":\"$1\"" journal.json && break
				sleep 0.05
			done
		}
		# The journal looks up _EXE when it reads an entry: the agent must still be there.
		timeout 60 "$0" run --no-ctl --policy policy.yaml --events journal -- \
			./vmm vm vcpu run await go exit 4 >out 2>err </dev/null &
		run=$!
		logged violation
		touch go
		wait $run
		echo $? >status
		logged detached
		kill $journald' "$regpin" "$journald"
	status=$(cat status)
	[[ $status == 4 ]] && jq -es --arg exe "$tool" 'any(.[]; .REGPIN_EVENT == "violation"
		and .REGPIN_BITS == "SCE" and .PRIORITY == "3" and ._UID == "0" and ._EXE == $exe
		and (.MESSAGE_ID | length == 32)
		and (.REGPIN_JSON | fromjson | .verdict) == .REGPIN_VERDICT)' journal.json >/dev/null
	ok $? "each event is an entry of the journal"
else
	skip "each event is an entry of the journal" "no journal can be started here"
fi

echo "1..$nr"
exit "$failed"
