#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: daemon.sh REGPIN SHIM
#
# A VMM that goes into the background while its caller reads a pipe to the end: no process
# of regpin makes the caller wait, and no event is lost. The VMM waits for a file that is
# made after the pipe's end, so no clock decides. Prints TAP.
set -u

# shellcheck source=tests/live/vmm.sh
source "$(dirname "$0")/vmm.sh"

touch out err events

# shellcheck disable=SC2317 # tap.sh calls it
evidence()
{
	printf '# status %s\n' "${status:-}"
	sed 's/^/# out: /' out
	sed 's/^/# events: /' events
}

# read_to_end OPTION .. -- VMM ..: stdout and stderr, to their end, into the file out
read_to_end()
{
	rm -f events go
	touch events
	timeout 30 "$regpin" run --policy policy.yaml "$@" 2>&1 </dev/null |
		timeout 30 cat >out
	status="${PIPESTATUS[*]}"
}

read_to_end --events "$dir/events" -- \
	sh -c './vmm await go vm vcpu run touch ended >/dev/null 2>&1 &'
[[ $status == "0 0" && ! -e ended ]]
ok $? "the pipe ends before a background job of a shell has its VM"
touch go
await '"detached"' events && [[ -e ended ]] && grep -q '"violation"' events
ok $? "the background job gets its VM, its policy and its events"

rm -f ended
read_to_end --events "$dir/events" -- sh -c \
	'exec ./vmm vm vcpu fork await go exit 3 >/dev/null 2>&1 &
	until grep -q attached events; do sleep 0.05; done'
[[ $status == "0 0" ]] && grep -q '"attached"' events &&
	! grep -q '"detached"' events
ok $? "the pipe ends before a VMM that had its VM before its parent ended"
touch go
await '"detached"' events
ok $? "the end of that VMM is an event"

read_to_end --events "$dir/events" -- \
	sh -c './vmm await go rawvm sleep 20000 >/dev/null 2>&1 &'
[[ $status == "0 0" ]]
ok $? "the pipe ends before a VMM is killed"
touch go
await '"refused"' events &&
	grep -q '"event":"message","text":"killed .*past libc' events
ok $? "the reason of the kill is an event 'message'"
! grep -q "killed" out
ok $? "the reason is not written to the stderr that was closed"

# If stderr is a file, it stays open.
rm -f go events
timeout 30 "$regpin" run --policy policy.yaml -- \
	sh -c './vmm await go vm vcpu run >/dev/null 2>&1 &' >out 2>events </dev/null
touch go
await '"detached"' events
ok $? "events still go to stderr if it is a file"

# Events to stderr go to the system's log afterwards.

log_case='mkdir dev && mount -t tmpfs none dev && cp -a /dev/kvm /dev/null /dev/zero \
	/dev/urandom dev/ && mount --move dev /dev'
compile logd logd.c
if [[ $(id -u) == 0 ]] && unshare -m sh -c "$log_case" 2>/dev/null; then
	rmdir dev
	rm -f go
	unshare -m bash -c "$log_case"'
		./logd /dev/log >log & logd=$!
		until [[ -S /dev/log ]]; do sleep 0.02; done
		timeout 30 "$0" run --policy policy.yaml -- \
			sh -c "./vmm await go vm vcpu run >/dev/null 2>&1 &" 2>&1 |
			timeout 30 cat >out
		echo "${PIPESTATUS[*]}" >status
		touch go
		for ((i = 0; i < 200; i++)); do
			grep -q detached log && break
			sleep 0.05
		done
		kill $logd' "$regpin"
	status=$(cat status)
	cp log events
	[[ $status == "0 0" ]] && grep -q "go to the system's log from now on" out
	ok $? "events to stderr: the pipe ends, after a line about where they go next"
	grep -q '^<29>regpin\[[0-9]*\]: {.*"violation"' log && grep -q '"detached"' log
	ok $? "events to stderr: each is a line in the system's log"
else
	for what in "events to stderr: the pipe ends" "events to stderr: the system's log"; do
		skip "$what" "a private /dev cannot be made here"
	done
fi

qemu=(qemu-system-x86_64 -accel kvm -machine "q35,smm=off" -global ICH9-LPC.disable_s3=1
	-cpu "qemu64,-svm,-vmx" -m 64 -S -display none -nodefaults)
if ! command -v qemu-system-x86_64 >/dev/null; then
	skip "qemu -daemonize" "no QEMU"
elif ! { sleep 1; echo quit; } | timeout 30 "${qemu[@]}" -monitor stdio >out 2>&1; then
	skip "qemu -daemonize" "this QEMU does not start on this KVM"
else
	read_to_end --events "$dir/events" -- "${qemu[@]}" -daemonize -pidfile "$dir/qemu.pid"
	pid=$(cat qemu.pid)
	[[ $status == "0 0" && -n $pid ]] && kill -0 "$pid" && await '"attached"' events
	ok $? "qemu -daemonize: the pipe ends, and QEMU continues"
	kill "$pid"
	await '"detached"' events
	ok $? "qemu -daemonize: QEMU still has its agent"
fi

events_fit
echo "1..$nr"
exit "$failed"
