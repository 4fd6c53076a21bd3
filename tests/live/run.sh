#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: run.sh REGPIN SHIM
#
# `regpin run` with a small VMM on the real KVM: what it leaves unchanged for the VMM, the
# policy, and what it refuses before the start and why. Prints TAP.
set -u

# shellcheck source=tests/live/run_scene.sh
source "$(dirname "$0")/run_scene.sh"

cat >cr.yaml <<'EOF'
version: 1
arming: start
rules:
  - register: EFER
    sticky: [SCE, NXE]
  - register: CR4
    sticky: [SMEP]
EOF
sed 's/sticky: \[SMEP\]/&\n    optional: true/' cr.yaml >optional.yaml
sed 's/SCE/NONSENSE/' policy.yaml >wrong.yaml

# Behaviour that stays unchanged

run -- ./vmm vm
is 0 '"detached"' events
ok $? "run exits with the VMM's status 0"
run -- ./vmm vm exit 7
is 7
ok $? "run exits with the VMM's status 7"
await '"detached"' events && [[ $(jq -r 'select(.event == "detached") | .exit_status // 7' events) == 7 ]]
ok $? "the last event has that status, if the agent can know it"
run -- ./vmm vm kill 15
is 143
ok $? "run dies by the VMM's signal"
await '"detached"' events && [[ $(jq -r 'select(.event == "detached") | .signal // 15' events) == 15 ]]
ok $? "the last event has that signal, if the agent can know it"

rm -f events
"$regpin" run --policy policy.yaml --events "$dir/events" -- ./vmm pid vm sleep 20000 \
	>out 2>err &
pid=$!
await "pid $pid" out
ok $? "the VMM has the process id of run"
[[ -z $(cat "/proc/$pid/task/$pid/children") ]]
ok $? "the VMM has no additional child"
# The agent is one of the processes that have a pidfd of the VMM; its standby is another.
agent=
for file in $(grep -lsE "^Pid:[[:space:]]*$pid\$" /proc/[0-9]*/fdinfo/*); do
	file=${file#/proc/}
	[[ $(cat "/proc/${file%%/*}/comm" 2>/dev/null) != regpin-agent ]] || agent=${file%%/*}
done
[[ -n $agent ]]
found=$?
ok "$found" "the VMM has an agent"
[[ $(readlink "/proc/$agent/fd/0" "/proc/$agent/fd/1" "/proc/$agent/fd/2" |
	sort -u) == /dev/null ]]
ok $? "the agent keeps no stdin and stdout, and only its own stderr"
[[ $(cut -d' ' -f6 "/proc/$agent/stat") != $(cut -d' ' -f6 "/proc/$pid/stat") ]]
ok $? "the agent has its own session"
[[ $found == 0 ]] && kill -TERM "$agent" && kill -HUP "$agent" &&
	kill -INT "$agent" && sleep 0.1 && [[ -e /proc/$agent ]]
ok $? "the agent survives TERM, HUP and INT"
kill "$pid"
wait "$pid" 2>/dev/null
await '"detached"' events
ok $? "the agent reports the VMM's end"
for ((i = 0; i < 60; i++)); do
	[[ -e /proc/$agent ]] || break
	sleep 0.05
done
[[ ! -e /proc/$agent ]]
ok $? "the agent ends after the VMM"

same_but_regpin "signal masks and dispositions are unchanged" \
	./vmm sigs vm
if env --block-signal=CHLD true 2>/dev/null; then
	same_but_regpin "a blocked SIGCHLD is not pending" \
		env --block-signal=CHLD --ignore-signal=HUP,PIPE ./vmm sigs vm
else
	skip "a blocked SIGCHLD is not pending" "env without --block-signal"
fi
"$regpin" run --policy policy.yaml --events "$dir/events" -- ./vmm vm exit 5 \
	<&- >&- 2>&-
[[ $? == 5 ]]
ok $? "a VMM without stdin, stdout and stderr keeps its exit status"
cat >redirects <<'EOF'
#!/bin/bash
exec 3>/dev/null 4>/dev/null 5>/dev/null 6>/dev/null 7>/dev/null 8>/dev/null
exec ./vmm vm vcpu run exit 4
EOF
chmod +x redirects
run -- ./redirects
is 4 '"violation"' events
ok $? "a wrapper may use the small file numbers"
if command -v qemu-system-x86_64 >/dev/null; then
	same_but_regpin "qemu-system-x86_64 --version works" \
		qemu-system-x86_64 --version
	await "nothing was protected" err
	ok $? "qemu-system-x86_64 --version: a warning that nothing was protected"
else
	skip "qemu-system-x86_64 --version works" "no QEMU"
	skip "qemu-system-x86_64 --version: a warning that nothing was protected" "no QEMU"
fi
LD_PRELOAD=/nonexistent.so run -- ./vmm vm vcpu run
is 0 '"violation"' events && grep -q nonexistent err
ok $? "another LD_PRELOAD is kept after the shim"

# The policy

run -- ./vmm vm vcpu run
is 0 '"detached"' events && grep -q "exit 8" out &&
	[[ $(jq -r 'select(.event == "violation") |
		[.register, .index, .access, .bits[0], .old, .new, .value,
		 .cpl, .rule, .where, .verdict] | join(" ")' events) == \
	"EFER 0xc0000080 write SCE 0x1 0x0 0x1 0 sticky policy.yaml:5:5 gp" ]]
ok $? "a violation is stopped and is an event"
[[ $(jq -r 'select(.reason != "s3").event' events | tr '\n' ' ') == "attached armed violation shutdown detached " ]]
ok $? "events come in order, each a line of JSON"
run --mode report -- ./vmm vm vcpu run
is 0 '"detached"' events && grep -q "exit 5" out &&
	[[ $(jq -r 'select(.event == "violation").verdict' events) == report ]] &&
	[[ $(jq -r 'select(.event == "detached").violations_passed' events) == 1 ]]
ok $? "--mode report allows the violation and reports it"
rm -f events
(umask 0 && "$regpin" run --policy policy.yaml --events "$dir/events" -- ./vmm vm)
await '"detached"' events
"$regpin" run --policy policy.yaml --events "$dir/events" -- ./vmm vm
for ((i = 0; i < 60; i++)); do
	[[ $(grep -c detached events) == 2 ]] && break
	sleep 0.05
done
[[ $(grep -c detached events) == 2 && $(stat -c %a events) == 600 ]]
ok $? "the events' file is private and appended to"
"$regpin" run --policy policy.yaml -- ./vmm vm >out 2>err
await '"detached"' err
ok $? "without --events, events go to stderr"

run --policy wrong.yaml -- ./vmm touch started
is 1 "^wrong.yaml:5:" err && [[ ! -e started ]]
ok $? "with a wrong policy no VMM is started, and the place is named"
run --policy nosuch.yaml -- ./vmm touch started
is 1 "nosuch.yaml" err && [[ ! -e started ]]
ok $? "without the policy's file no VMM is started"
if "$regpin" probe --json | grep -q '"cr_filter":false'; then
	run --policy cr.yaml -- ./vmm touch started
	is 3 "regpin: cr.yaml:7:5: 'sticky' on CR4 can't be enforced.*no CR filter" err &&
		[[ ! -e started ]]
	ok $? "with a rule that the host cannot enforce no VMM is started"
	run --policy optional.yaml -- ./vmm vm vcpu run
	is 0 '"detached"' events &&
		grep -q "regpin: degraded: 1 of 2 rules can't be enforced on this host" err &&
		[[ $(jq -r 'select(.event == "degraded" and .reason != "s3") | "\(.register) \(.where) \(.every_ms) \(.rule_action) \(.action)"' events) == \
			"CR4 optional.yaml:7:5 10 gp report" ]] &&
		jq -r 'select(.event == "degraded" and .reason != "s3").text' events |
			grep -q "detected, not stopped, and becomes an event instead of 'action: gp'" &&
		[[ $(jq -r 'select(.event == "violation").where' events) == \
			optional.yaml:5:5 ]]
	ok $? "if that rule is optional it is only polled, and that is reported"
else
	skip "with a rule that the host cannot enforce no VMM is started" "this host can enforce it"
	skip "if that rule is optional it is only polled, and that is reported" "this host can enforce it"
fi
for force in nokvm nonsense nofilter nofilterexit; do
	REGPIN_HOST_FORCE=$force run -- ./vmm touch started
	is 3 "the VMM was not started: no rule can be enforced: " err &&
		[[ $(wc -l <err) == 1 && ! -e started ]]
	ok $? "REGPIN_HOST_FORCE=$force: no VMM is started, and the reason is one line"
done
REGPIN_HOST_FORCE=nofilter "$regpin" probe policy.yaml >out 2>err
[[ $? == 3 ]] && grep -q "policy.yaml:5:5: sticky on EFER: NOT enforced" out
ok $? "probe reports that the rule is not enforced"
"$regpin" probe policy.yaml >out 2>err
status=$?
is 0 "policy.yaml:5:5: sticky on EFER: enforced" out
ok $? "probe reports that the rule is enforced"
"$regpin" probe --json policy.yaml | jq -e '.starts and .policy_rules[0].enforced' >out
ok $? "probe --json is JSON"
bad=0
for arguments in "--mode maybe -- ./vmm" "--attach-timeout -1 -- ./vmm" "--attach-timeout 30 -- ./vmm" \
	"--attach-timeout 5d -- ./vmm" "--attach-timeout 25h -- ./vmm" "--event-limit few -- ./vmm" \
	"--event-total -1 -- ./vmm" "--" \
	"--nonsense" "--policy policy.yaml --policy policy.yaml -- ./vmm" "--name a --name a -- ./vmm" \
	"--no-ctl --no-ctl -- ./vmm"; do
	# shellcheck disable=SC2086 # words
	run $arguments
	is 2 "^regpin" err || bad=1
done
ok $bad "wrong command lines are refused"
run --policy nosuch.yaml --policy policy.yaml -- ./vmm touch started
is 2 "^regpin run: the option '--policy' is given twice" err && [[ ! -e started ]]
ok $? "two policies are an error"
"$regpin" run -- ./vmm >out 2>err
status=$?
is 2 "policy" err
ok $? "without a policy no VMM is started"

# Refused before the start

run -- no-such-vmm
is 127 "regpin: no-such-vmm: not found in PATH" err
ok $? "a VMM that does not exist: status 127"
run -- ./policy.yaml
is 126 "not an executable" err
ok $? "a VMM that is not a program: status 126"
run -- "$dir"
is 126 "not an executable" err
ok $? "a VMM that is a directory: status 126"
if [[ $have_static ]]; then
	run -- ./vmm-static touch started
	is 126 "static" err && [[ ! -e started ]]
	ok $? "a static VMM: status 126"
else
	skip "a static VMM: status 126" "no static libc"
fi
cp vmm vmm32
printf '\x01' | dd of=vmm32 bs=1 seek=4 conv=notrunc 2>/dev/null
run -- ./vmm32
is 126 "x86-64" err
ok $? "a 32-bit VMM: status 126"
cp vmm vmm-suid
if [[ $(id -u) == 0 ]]; then
	chown 1 vmm-suid && chmod u+s vmm-suid
	run -- ./vmm-suid touch started
	is 126 "set-user-ID" err && [[ ! -e started ]] && ! grep -q chmod err
	ok $? "a set-user-ID VMM: status 126"
else
	skip "a set-user-ID VMM: status 126" "not root"
fi
printf '#!/no/such/shell\n' >script
chmod +x script
run -- ./script
is 126 "interpreter '/no/such/shell'" err
ok $? "a script without its interpreter: status 126"
printf '#!/bin/sh\nexec ./vmm vm exit 9\n' >script
run -- ./script
is 9 '"detached"' events
ok $? "a wrapper script that execs the VMM works"
printf './vmm vm exit 8\n' >script
run -- ./script
is 8
ok $? "a wrapper script without #! works"
run --events "$dir/no/such/file" -- ./vmm touch started
is 125 "events can't be written" err && [[ ! -e started ]]
ok $? "events that cannot be written: status 125"

ln -s elsewhere link
run --events link -- ./vmm touch started
is 125 "link: it is a symbolic link" err && [[ ! -e started && ! -e elsewhere ]]
ok $? "a symbolic link is not followed for events"
run -- "$regpin" run --policy policy.yaml -- ./vmm touch started
is 125 "under another 'regpin run'" err && [[ ! -e started ]]
ok $? "regpin run under regpin run: status 125"

# The policy from standard input

from_stdin() # the VMM's shell command
{
	rm -f events out err # the agent of the run before may write to these yet
	timeout -k 1 60 "$regpin" run --policy - --events "$dir/events" -- \
		sh -c "$1" >out 2>err
	status=$?
}

from_stdin 'cat; exec ./vmm vm vcpu run exit 7' <policy.yaml
is 7 '"detached"' events && [[ $(<out) == "exit 8" ]] &&
	! grep -q 'nothing was protected' err
ok $? "--policy - reads standard input, which is empty for the VMM afterwards"
from_stdin 'exec ./vmm vm exit 7' <wrong.yaml
is 1 "^-:[0-9]*:[0-9]*: error: " err && [[ ! -e events ]]
ok $? "with a wrong policy on standard input no VMM is started"

# A compromised VMM

run -- ./vmm vm scribble 300 exit 6
is 6 '"detached"' events && jq . events >/dev/null &&
	await "events that regpin never writes" err
ok $? "random bytes in the shared memory crash no process"
no_agent_is_left

events_fit
printf '1..%d\n' "$nr"
exit "$failed"
