#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: ctl_gone.sh REGPIN FAKE_SHIM
#
# `regpin ctl` when VMMs and agents are stopped, busy or gone, with VMMs that have no KVM.
# Prints TAP.
set -u

# shellcheck source=tests/unit/ctl_scene.sh
source "$(dirname "$0")/ctl_scene.sh"

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

events_fit
echo "1..$nr"
exit $failed
