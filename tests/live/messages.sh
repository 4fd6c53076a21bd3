#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: messages.sh REGPIN SHIM
#
# The messages of `regpin run` itself: events if stderr is for events, by whatever name the
# caller gives it, and otherwise lines of text that are few. Prints TAP.
set -u

# shellcheck source=tests/live/vmm.sh
source "$(dirname "$0")/vmm.sh"

cat >optional.yaml <<'EOF'
version: 1
arming: start
rules:
  - {register: EFER, sticky: [SCE, NXE]}
  - {register: CR0, sticky: [WP], optional: true}
  - {register: CR4, sticky: [SMEP, SMAP], optional: true}
EOF
cat >refused.yaml <<'EOF'
version: 1
arming: start
rules:
  - {register: CR0, sticky: [WP], optional: true}
  - {register: CR4, sticky: [SMEP]}
EOF
sed 's/SCE/NONSENSE/' policy.yaml >wrong.yaml
# Only execve(2) finds out that the loader of this program does not exist.
sed 's/ld-linux-x86-64.so.2/ld-linux-x86-64.so.9/' vmm >unloadable
chmod +x unloadable
# The abilities of this host must not matter.
export REGPIN_HOST_FORCE=nocrfilter
touch out err
with=()

# shellcheck disable=SC2317 # tap.sh calls it
evidence()
{
	printf '# status %s\n' "${status:-}"
	sed 's/^/# err: /' err
}

# run POLICY SINK VMM ..: the status in $status. All that run prints is in err: stderr, and
# the caller's files 1 and 5 are the same file.
run()
{
	: >err
	# shellcheck disable=SC2094 # one of the names of this file
	timeout -k 1 60 "$regpin" run --no-ctl --policy "$1" --events "$2" "${with[@]}" -- "${@:3}" \
		>>err 2>&1 5>&2 </dev/null
	status=$?
}

# events FILTER: each line is an event, the numbers have no gap, and the filter is true
events()
{
	jq -es "([.[].seq] == [range(1; length + 1)]) and all(.[]; .time and .event and .version == 1) and ($1)" \
		err >/dev/null 2>jq.err
}

# shellcheck disable=SC2016 # jq's variable
message='any(.[]; .event == "message" and (.text | test($text)))'
# said PATTERN: a message has this text
said()
{
	jq -es --arg text "$1" "$message" err >/dev/null
}

for sink in - /dev/stderr fd:2 fd:5 /dev/stdout "$dir/err" ./err; do
	run policy.yaml "$sink" sh -c 'exec ./vmm vm vcpu run exit 4 >/dev/null'
	[[ $status == 4 ]] && await '"detached"' err &&
		events 'any(.[]; .event == "violation") and .[-1].event == "detached"'
	ok $? "$sink: a start: each line is an event"
	run optional.yaml "$sink" ./vmm vm exit 5
	[[ $status == 5 ]] && await '"detached"' err && events true &&
		said "^degraded: 2 of 3 rules can't be enforced on this host"
	ok $? "$sink: a degraded start: each line is an event"
	run refused.yaml "$sink" ./vmm touch started
	[[ $status == 3 && ! -e started ]] && events 'all(.[]; .event == "message")' &&
		said "^the VMM was not started: 1 of the policy's rules"
	ok $? "$sink: a start that is refused: each line is an event"
done
run wrong.yaml - ./vmm touch started
[[ $status == 1 && ! -e started ]] && events true && said "^wrong.yaml:5:14: error: " &&
	said "^the VMM was not started: the policy wrong.yaml can't be used"
ok $? "a wrong policy: each problem is an event"
run policy.yaml - ./no-such-vmm
[[ $status == 127 ]] && events 'length == 1' && said "no-such-vmm"
ok $? "a VMM that does not exist is an event"
run optional.yaml - ./unloadable
[[ $status == 127 ]] && events '.[-1].event == "message" and any(.[]; .event == "degraded")' &&
	said "^can't run ./unloadable: the program or its loader does not exist"
ok $? "a VMM that cannot be executed is the agent's last event"
with=(--require-vm)
run policy.yaml - sh -c 'exit 0'
with=()
[[ $status == 125 ]] && await "nothing was protected" err && events 'length == 1'
ok $? "--require-vm: the agent's message is the only one"


# A line for which a message has no room is divided, and nothing of it is lost.
long=$(printf '%0200d' 0)
deep=$long/$long/$long/$long/$long
mkdir -p "$deep"
cp wrong.yaml "$deep"
run "$deep/wrong.yaml" - ./vmm touch started
[[ $status == 1 ]] && events 'length > 2' &&
	[[ $(jq -j .text err) == "$deep/wrong.yaml:5:14: error: "*"the policy$deep/wrong.yaml can't be used" ]]
ok $? "a very long line becomes several messages"

# Without --events, messages are text.
plain()
{
	rm -f events
	timeout -k 1 60 "$regpin" run --no-ctl --events events --policy "$1" -- "${@:2}" 2>err </dev/null
	status=$?
}
plain optional.yaml ./vmm vm exit 5
[[ $status == 5 && $(grep -c degraded err) == 1 ]] && await '"detached"' events &&
	grep -q "^regpin: degraded: 2 of 3 rules can't be enforced on this host (2 only polled, 0 left out); 'regpin probe POLICY' prints" err &&
	[[ $(jq -r 'select(.event == "degraded" and .rule).where' events | tr '\n' ' ') == "optional.yaml:5:21 optional.yaml:6:21 " ]]
ok $? "all degraded rules are one line, and each is an event"
plain refused.yaml ./vmm touch started
[[ $status == 3 && ! -e started ]] && ! grep -q "degraded\|warning" err && [[ $(wc -l <err) == 2 ]] &&
	grep -q "^regpin: refused.yaml:5:21: 'sticky' on CR4 can't be enforced" err
ok $? "a refusal is printed alone"

events_fit
echo "1..$nr"
exit "$failed"
