#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: answer.sh REGPIN SHIM FLOODVMM
#
# Held vCPUs on the real KVM that no operator answers: the agent does after a time
# (--answer-after), or a hook that runs `regpin ctl`. Prints TAP.
#
# The small VMM's guest clears a pinned bit: "exit 8" is the triple fault of its #GP,
# "exit 5" the HLT after a write that was done, and "exit 24" the end of a stopped guest.
set -u

flood=$(realpath "$3")
build=$PWD
# shellcheck source=tests/live/vmm.sh
source "$(dirname "$0")/vmm.sh"
vmm=
trap 'rm -rf "$dir" "$hooks"; [[ -z $vmm ]] || kill "$vmm" 2>/dev/null' EXIT
# Not in /tmp: there, every folder on the path of a hook could be replaced.
hooks=$(mktemp -d -p "$build" hook-test.XXXXXX) || exit 1

cat >pause.yaml <<'E'
version: 1
arming: start
action: pause
rules:
  - register: EFER
    sticky: [SCE, NXE]
E
cat >deadline.yaml <<'E'
version: 1
floor: {deadline: 20ms, action: pause}
rules:
  - register: EFER
    sticky: [NXE]
E

# shellcheck disable=SC2317 # tap.sh calls it
evidence()
{
	printf '# status %s\n' "${status:-}"
	for file in out err ctl.out; do
		sed "s/^/# $file: /" "$file" 2>/dev/null
	done
	tail -n 5 events | cut -c1-300 | sed 's/^/# events: /'
}

# run OPTION .. -- VMM ..
run()
{
	rm -f events
	timeout -k 1 60 "$regpin" run --events "$dir/events" "$@" >out 2>err </dev/null
	status=$?
	await '"detached"' events
}

# start OPTION .. -- VMM ..: the same in the background, commanded as `vm`
start()
{
	rm -f events ran
	timeout -k 1 90 "$regpin" run --events "$dir/events" --name vm --ctl "$dir/ctl" "$@" \
		>out 2>err </dev/null &
	vmm=$!
	await '"action":"pause"' events
}

ctl()
{
	timeout 20 "$regpin" ctl --ctl "$dir/ctl" vm "$@" >ctl.out 2>&1 </dev/null
}

end() # the status of the VMM in $status
{
	wait "$vmm"
	status=$?
	vmm=
	await '"detached"' events
}

# The answers, as "EVENT ACTION HOLD-IS-THAT-OF-THE-VIOLATION BY OPERATOR".
answers()
{
	jq -rs '(map(select(.hold and .action == "pause"))[0].hold) as $hold |
		.[] | select(.event == "answered" or (.event == "control" and .hold)) |
		"\(.event) \(.action // .command) \(.hold == $hold) \(.by) \(has("operator"))"' events | sort | tr '\n' ';'
}

run --no-ctl --answer-after 300ms:gp --policy pause.yaml -- ./vmm vm vcpu run exit 4
[[ $status == 4 && $(tail -n 1 out) == "exit 8" ]] && ! grep -q "no operator can answer" err
ok $? "gp after a time: the guest gets #GP, without an operator"
[[ $(answers) == "answered gp true time false;control gp true time false;" ]]
ok $? "the events name the time, and the hold that it ended"
jq -es 'map(select(.event == "detached"))[0] | .violations_stopped == 1 and .violations_passed == 0' events >/dev/null
ok $? "the violation counts as stopped"
run --no-ctl --answer-after 300ms:stop --policy pause.yaml -- ./vmm vm vcpu run exit 4
[[ $(tail -n 1 out) == "exit 24" && $(answers) == "answered stop true time false;control stop true time false;" ]]
ok $? "stop after a time: the guest is stopped"

# An operator who answers in time

start --answer-after 1h:stop --policy pause.yaml -- ./vmm vm vcpu run exit 4
held()
{
	for ((i = 0; i < 300; i++)); do
		ctl status && grep -q 'HELD' ctl.out && return
		sleep 0.05
	done
	return 1
}
held && grep -q 'HELD: write of EFER.*; without an answer: stop in 3[56][0-9][0-9] s$' ctl.out
ok $? "status shows the answer and the time that is left"
ctl status --json
jq -es 'map(select(.held))[0] | .answer == "stop" and .left_ms <= 3600000' ctl.out >/dev/null
ok $? "status --json has both as well"
ctl allow --vcpu 0
end
[[ $status == 4 && $(tail -n 1 out) == "exit 5" && $(answers) == "answered allow true null false;control allow true null true;" ]]
ok $? "an operator's answer is the one that counts"

# The agent dies while the vCPU is held

agent_of_vm()
{
	local pid

	for pid in $(pgrep -f "^$tool run .*--events $dir/"); do
		[[ $(cat "/proc/$pid/comm" 2>/dev/null) == regpin-agent ]] && echo "$pid" && return
	done
	return 1
}
start --answer-after 3s:gp --policy pause.yaml -- ./vmm vm vcpu run exit 4
held && kill -KILL "$(agent_of_vm)"
end
[[ $status == 4 && $(tail -n 1 out) == "exit 8" ]] && grep -q '"takeover"' events &&
	grep -q '"event":"control","command":"gp","vm":0,"vcpu":0,"by":"time","result":"done"' events
ok $? "the agent dies: its standby gives the answer"

# A deadline holds a vCPU, too

run --no-ctl --answer-after 300ms:gp --policy deadline.yaml -- \
	"$flood" arm vcpus 2 toggle 0xc0000080 0xd01 0xd01 20000
[[ $(answers) == "answered stop true time false;control stop true time false;" ]] &&
	jq -es 'any(.[]; .event == "deadline" and .action == "pause" and .vcpu == 1)' events >/dev/null
ok $? "a vCPU that a deadline holds has no access that could get #GP: it is stopped"

# A hook that answers

cat >"$hooks/hook" <<E
#!/bin/sh
PATH=/usr/bin:/bin
while read -r line; do
	case \$line in
	*'"action":"pause"'*) "$regpin" ctl --ctl "$dir/ctl" vm gp --vcpu 0 --vm 0 >"$dir/hook.out" 2>&1 ;;
	esac
done
E
chmod 700 "$hooks/hook"
rm -f events
timeout -k 1 60 "$regpin" run --events "$dir/events" --name vm --ctl "$dir/ctl" --hook "$hooks/hook" \
	--policy pause.yaml -- ./vmm vm vcpu run exit 4 >out 2>err </dev/null
status=$?
if grep -q "can't be used" err; then
	skip "a hook answers by regpin ctl" "another user can write to a folder on the path $hooks"
else
	await '"detached"' events
	[[ $status == 4 && $(tail -n 1 out) == "exit 8" && $(answers) == "answered gp true null false;control gp true null true;" ]]
	ok $? "a hook answers by regpin ctl"
fi

# Command lines

bad=0
for option in 30s 30s: 30s:allow 30s:pause :gp 0:gp 0s:gp x:gp 25h:gp 1.5s:gp -1s:gp 30s:gp: "30 s:gp"; do
	"$regpin" run --policy pause.yaml --answer-after "$option" -- ./vmm touch started >out 2>err
	[[ $? == 2 && ! -e started ]] && grep -q '^regpin run: --answer-after' err || bad=1
done
ok $bad "wrong times and answers are refused"
"$regpin" run --policy pause.yaml --answer-after 30s:allow -- ./vmm touch started >out 2>err
grep -q "an access is never allowed without an operator" err
ok $? "allow is refused with the reason"

events_fit
echo "1..$nr"
exit "$failed"
