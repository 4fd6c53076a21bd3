#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: run.sh REGPIN SHIM
#
# `regpin run` with a small VMM on the real KVM: what it leaves unchanged for the VMM, what
# it refuses and why, and where events go. Prints TAP.
set -u

# shellcheck source=tests/live/vmm.sh
source "$(dirname "$0")/vmm.sh"

have_static=1
"${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -O1 -static -o vmm-static "$here/fakevmm.c" \
	2>/dev/null || have_static=
compile slow.so slow.c -shared -fPIC -ldl
compile confidential confidential.c
compile asked.so confidential.c -DASKED -shared -fPIC -ldl

cat >cr.yaml <<'EOF'
version: 1
arming: start
rules:
  - register: EFER
    sticky: [SCE, NXE]
  - register: CR4
    sticky: [SMEP]
EOF
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
sed 's/sticky: \[SMEP\]/&\n    optional: true/' cr.yaml >optional.yaml
sed 's/SCE/NONSENSE/' policy.yaml >wrong.yaml

# run OPTION... -- VMM...: status in $status, stdout in out, stderr in err
run()
{
	local options=" $* " with=()

	options=${options%% -- *}
	[[ "$options " == *" --policy "* ]] || with+=(--policy policy.yaml)
	[[ "$options " == *" --events "* ]] || with+=(--events "$dir/events")
	rm -f events out err # the agent of the run before may write to these yet
	timeout -k 1 60 "$regpin" run "${with[@]}" "$@" >out 2>err </dev/null
	status=$?
}

# shellcheck disable=SC2317 # tap.sh calls it
evidence()
{
	printf '# status %s\n' "${status:-}"
	sed 's/^/# out: /' out
	sed 's/^/# err: /' err
	[[ ! -e events || -p events ]] || sed 's/^/# events: /' events
}

# is STATUS [PATTERN FILE]: for ok
is()
{
	[[ $status == "$1" ]] || return 1
	[[ $# == 1 ]] || await "$2" "$3"
}

# The numbers of violations, of those that are only counted, and of those that were dropped.
total()
{
	jq -s '([.[] | select(.event == "violation")] | length) +
		([.[] | select(.event == "dropped" or .event == "repeated").count] |
		 add // 0)' events
}

same_but_regpin()
{
	# timeout sets signals to their defaults, so the plain run uses it, too.
	timeout -k 1 60 "${@:2}" >out.bare 2>err.bare </dev/null
	local bare=$?

	run -- "${@:2}"
	[[ $status == "$bare" ]] && cmp -s out out.bare
	ok $? "$1"
}

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
	[[ $(jq -r 'select(.event == "detached").reports' events) == 1 ]]
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
for arguments in "--mode maybe -- ./vmm" "--attach-timeout -1 -- ./vmm" \
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
LD_PRELOAD=./slow.so run --attach-timeout 1 -- ./vmm vm
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
run --attach-timeout 1 -- ./vmm sleep 20000
is 137 && refused "has not created a KVM VM within 1 s.*-accel kvm" timeout
ok $? "a VMM that creates no VM in time is killed"
printf '#!/bin/sh\n(./vmm sleep 20000 touch survivor) &\n./vmm sleep 20000\n' >script
run --attach-timeout 1 -- ./script
for ((i = 0; i < 60; i++)); do
	[[ $(grep -c '"timeout"' events) -ge 3 ]] && break
	sleep 0.05
done
is 137 && [[ $(grep -c '"timeout"' events) -ge 3 ]]
ok $? "all children of a VMM that creates no VM in time are killed"
run --attach-timeout 0 -- ./vmm sleep 1500 exit 3
is 3 "nothing was protected" err
ok $? "--attach-timeout 0 waits forever"
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

run --attach-timeout 3 -- ./vmm daemonize sleep 300 vm vcpu run sleep 300
is 0 && ! grep -qs attached events && await '"detached"' events &&
	grep -q '"violation"' events
ok $? "a VMM that daemonizes first keeps its agent"
run --attach-timeout 1 -- ./vmm daemonize sleep 20000 touch survivor
is 0 && refused "within 1 s" timeout
ok $? "a VMM that daemonizes first keeps its time limit"
printf '#!/bin/sh\nsleep 20 &\nexec ./vmm vm\n' >script
run -- ./script
is 0 '"detached"' events
ok $? "a stray child that keeps the lifeline open does not keep the agent"
[[ ! -e survivor ]]
ok $? "no killed process survived"

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
	$(jq 'select(.event == "detached").reports' events) ]] &&
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
	$(jq 'select(.event == "detached") | .reports + .dropped' events) == \
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
for ((i = 0; i < 60; i++)); do
	pgrep -f "^$tool run --policy policy.yaml --events $dir/events" \
		>/dev/null || break
	sleep 0.05
done
! pgrep -f "^$tool run --policy policy.yaml --events $dir/events" >/dev/null
ok $? "no agent is left after its VMM"

events_fit
printf '1..%d\n' "$nr"
exit "$failed"
