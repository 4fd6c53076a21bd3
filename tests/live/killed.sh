#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: killed.sh REGPIN SHIM
#
# `regpin run` with a small VMM on the real KVM: VMMs that are killed or end as they are not
# protected, confidential VMs, set-ups that the policy does not accept, and forks. Prints
# TAP.
set -u

# shellcheck source=tests/live/run_scene.sh
source "$(dirname "$0")/run_scene.sh"

compile slow.so slow.c -shared -fPIC -ldl
compile confidential confidential.c
compile asked.so confidential.c -DASKED -shared -fPIC -ldl
: >script
chmod +x script

cat >star.yaml <<'EOF'
version: 1
rules:
  - register: STAR
    uniform: true
EOF
cat >none.yaml <<'EOF'
version: 1
arming: start
default: {deny: both, action: stop}
rules: []
EOF

# Killed, and the reason

refused()
{
	await "$1" err && await '"refused"' events &&
		[[ $(jq -r 'select(.event == "refused").reason' events |
			head -1) == "$2" ]]
}

printf '#!/bin/sh\n./vmm-static vm sleep 20000\nexit $?\n' >script
if [[ $have_static ]]; then
	run -- ./script
	is 137 && refused "killed .*/vmm-static .*static program" static
	ok $? "a static VMM started by a wrapper script is killed"
else
	skip "a static VMM started by a wrapper script is killed" "no static libc"
fi
run -- env -i ./vmm vm sleep 20000
is 137 && refused "killed .*/vmm .*environment" environment
ok $? "a VMM with an empty environment is killed"
run -- env -u REGPIN_HANDOFF ./vmm vm sleep 20000
is 137 && refused "REGPIN_HANDOFF" environment
ok $? "a VMM with half of the environment is killed"
run -- ./vmm badvm rawvm sleep 20000
is 137 && refused "killed .*/vmm .*past libc" raw
ok $? "a VMM with raw system calls is killed, also after a failed KVM_CREATE_VM"
run -- ./vmm rawvm sleep 20000
is 137 && refused "killed .*/vmm .*past libc" raw
ok $? "a VMM with raw system calls is killed"
LD_PRELOAD=./slow.so SLOW_MS=600 run -- ./vmm vm vcpu run exit 3
is 3 '"violation"' events && ! grep -q refused events
ok $? "a VMM whose KVM is slow to attach is not killed"
rm -f events
LD_PRELOAD=./slow.so "$regpin" run --policy policy.yaml --events "$dir/events" -- \
	./vmm pid vm vcpu run exit 3 >out 2>err &
pid=$!
sleep 0.8
grep -q "^State:.*stopped" "/proc/$pid/status"
stopped=$?
kill -CONT "$pid"
wait "$pid"
status=$?
is 3 '"violation"' events && [[ $stopped == 0 ]] && ! grep -q refused events
ok $? "a VMM that is stopped before it is attached is not killed"
LD_PRELOAD=./slow.so run --attach-timeout 1s -- ./vmm vm
is 137 && refused "within 1 s" timeout
ok $? "a VMM that stays stopped before it is attached is killed after --attach-timeout"
printf '#!/bin/sh\n./vmm vm vcpu run\nenv -i ./vmm vm sleep 20000 touch survivor\nexit 4\n' >script
run -- ./script
is 4 && refused "killed .*/vmm .*environment" environment &&
	grep -q '"violation"' events
ok $? "an unprotected VMM is killed after a protected one, too"
printf '#!/bin/sh\n./vmm vm\nsleep 0.3\nenv -i ./vmm daemonize vm sleep 20000 touch survivor\nexec ./vmm vm sleep 13000\n' >script
run -- ./script
is 0 && refused "killed .*/vmm .*environment" environment
ok $? "an unprotected VMM whose parent has ended is killed, too"
run --attach-timeout 1s -- ./vmm sleep 20000
is 137 && refused "has not created a KVM VM within 1 s.*-accel kvm" timeout
ok $? "a VMM that creates no VM in time is killed"
printf '#!/bin/sh\n(./vmm sleep 20000 touch survivor) &\n./vmm sleep 20000\n' >script
run --attach-timeout 1s -- ./script
for ((i = 0; i < 60; i++)); do
	[[ $(grep -c '"timeout"' events) -ge 3 ]] && break
	sleep 0.05
done
is 137 && [[ $(grep -c '"timeout"' events) -ge 3 ]]
ok $? "all children of a VMM that creates no VM in time are killed"
run --attach-timeout none -- ./vmm sleep 1500 exit 3
is 3 "nothing was protected" err
ok $? "--attach-timeout none waits forever"
run -- ./vmm vm fork vm sleep 200 exit 6
is 6 '"detached"' events && ! grep -q refused events
ok $? "a child with its own VM gets the policy, too"
# Confidential VMs: SEV (2), SEV-ES (3), SNP (4), TDX (5);
# KVM_SEV_INIT (0), KVM_SEV_ES_INIT (1), KVM_SEV_INIT2 (22); another VM's encryption.

for way in "type 2" "type 3" "type 4" "type 5" "encrypt 0" "encrypt 1" "encrypt 22" \
	"encrypt 1000" "capability 197" "capability 206"; do
	# shellcheck disable=SC2086 # two words
	LD_PRELOAD=./asked.so run -- ./confidential $way
	is 125 "the VMM makes a confidential VM" err && [[ ! -s out ]] && ! grep -q "KVM was asked" err &&
		await '"refused"' events && [[ $(jq -r 'select(.event == "refused").reason' events | sort -u) == confidential ]]
	ok $? "$way: refused before KVM is asked"
done
# A type that neither this KVM nor regpin knows: the VMM gets KVM's error, and on a KVM that
# makes such a VM the VMM does not get it.
for way in "type 6" "type 31" "type 0x100000000"; do
	# shellcheck disable=SC2086 # two words
	run -- ./confidential $way
	is 0 "goes on: Invalid argument" out
	ok $? "$way: the VMM gets KVM's error"
	# shellcheck disable=SC2086 # two words
	NEW_TYPES=1 LD_PRELOAD=./asked.so run -- ./confidential $way
	is 125 "the VMM makes a confidential VM" err && [[ ! -s out ]] && grep -q "KVM was asked" err
	ok $? "$way: refused on a KVM that would make the VM"
done
same_but_regpin "a query about memory encryption is allowed" ./confidential ask
LD_PRELOAD=./asked.so run --policy policy.yaml -- ./confidential type 1
is 0 "goes on" out && grep -q "KVM was asked" err
ok $? "a VM of type 1 is left to KVM"
# The agent writes this line after the VMM's end, possibly into the next test's file.
grep -q "done" out || await "nothing was protected" err

run -- ./vmm vm smm exit 3
is 125 '"refused"' events && [[ $(grep -c "System-Management Mode" err) == 1 &&
	$(jq -r 'select(.event == "refused").reason' events) == smm ]]
ok $? "a guest's set-up that the policy does not accept ends the VMM with status 125"
run --mode report -- ./vmm vm smm exit 3
is 3 '"detached"' events && ! grep -q '"refused"' events &&
	[[ $(jq -r 'select(.event == "tolerated").reason' events) == smm &&
		$(grep -c "warning: the VM has System-Management Mode" err) == 1 ]]
ok $? "if the policy only reports, that set-up is an event and a line"
REGPIN_HOST_FORCE=vmload run --policy star.yaml -- ./vmm touch started
is 3 "vls=0" err && [[ ! -e started ]]
ok $? "with a rule that VMLOAD bypasses no VMM is started"
REGPIN_HOST_FORCE=vmload run --policy star.yaml --mode report -- ./vmm vm smm exit 3
is 3 '"detached"' events &&
	[[ $(jq -r 'select(.event == "tolerated").reason' events | tr '\n' ' ') == "vmload smm " ]]
ok $? "with such a rule that only reports the VMM is started"
run --policy none.yaml -- ./vmm vm vcpu run exit 3
await '"detached"' events
[[ $(grep -c '"event":"violation"' events) == 1 &&
	$(jq -r 'select(.event == "violation") | "\(.rule) \(.verdict)"' events) == "default stop" ]]
ok $? "with only a default of stop, the first access to an MSR is the last"

# Forks

run --attach-timeout 3s -- ./vmm daemonize sleep 300 vm vcpu run sleep 300
is 0 && ! grep -qs attached events && await '"detached"' events &&
	grep -q '"violation"' events
ok $? "a VMM that daemonizes first keeps its agent"
run --attach-timeout 1s -- ./vmm daemonize sleep 20000 touch survivor
is 0 && refused "within 1 s" timeout
ok $? "a VMM that daemonizes first keeps its time limit"
printf '#!/bin/sh\nsleep 20 &\nexec ./vmm vm\n' >script
run -- ./script
is 0 '"detached"' events
ok $? "a stray child that keeps the lifeline open does not keep the agent"
[[ ! -e survivor ]]
ok $? "no killed process survived"

no_agent_is_left

events_fit
printf '1..%d\n' "$nr"
exit "$failed"
