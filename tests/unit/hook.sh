#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: hook.sh REGPIN FAKE_SHIM HOOK_PROBE
#
# `regpin run --hook`: what a hook gets, when it runs, and hooks that are wrong, slow or
# hostile. The VMM has no KVM. Prints TAP.
set -u

regpin=$(realpath "$1")
fake=$(realpath "$2")
probe=$(realpath "$3")
# shellcheck source=tests/tap.sh
source "$(dirname "$0")/../tap.sh"
export REGPIN_HOST_FORCE=nokvm ASAN_OPTIONS=verify_asan_link_order=0
vmm=''
# Not in /tmp: there, every folder on the path of a hook could be replaced.
dir=$(mktemp -d -p "$PWD" hook-test.XXXXXX) || exit 1
cd "$dir" || exit 1
: >.kept-events
# shellcheck disable=SC2034 # for tap.sh
events_kept=$dir/.kept-events
# shellcheck source=tests/json.sh
source "$tap_dir/json.sh"
keep_json "$dir" "$tap_dir"

clean_up()
{
	[[ -z $vmm ]] || kill -TERM "$vmm" 2>/dev/null
	[[ ! -s daemon ]] || kill -KILL "$(cat daemon)" 2>/dev/null
	rm -rf "$dir"
}
trap clean_up EXIT

cat >policy.yaml <<'P'
version: 1
arming: start
rules:
  - register: CR0
    sticky: [WP]
    action: pause
    optional: true
P

# shellcheck disable=SC2317 # tap.sh calls it
evidence()
{
	sed 's/^/# err: /' err
	tail -n 5 events 2>/dev/null | cut -c1-400 | sed 's/^/# events: /'
	tail -n 5 got 2>/dev/null | cut -c1-400 | sed 's/^/# got: /'
}

await() # COMMAND ..: repeats it until it succeeds
{
	for ((i = 0; i < 400; i++)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.05
	done
	return 1
}

# script NAME: a hook with the lines of stdin, which sees the test's folder as $dir
script()
{
	rm -f "$1"
	{
		printf '#!/bin/bash\ndir=%q\n' "$dir"
		cat
	} >"$1"
	chmod 700 "$1"
}

# start HOOK [POLICY [what the VMM does]]
start()
{
	local hook=$1 policy=${2:-policy.yaml}

	shift $(($# < 2 ? $# : 2))
	rm -f events ready got
	"$regpin" run --policy "$policy" --name vm1 --ctl "$dir/ctl" --events "$dir/events" \
		--event-limit 0 --hook "$hook" -- "$fake" "$@" >ready 2>err </dev/null &
	vmm=$!
	await grep -q ready ready
}

finish()
{
	kill -TERM "$vmm"
	wait "$vmm" 2>/dev/null
	await grep -q '"detached"' events
	vmm=
}

ctl()
{
	timeout 20 "$regpin" ctl --ctl "$dir/ctl" vm1 "$@" >out 2>>err </dev/null
}

count() # FILE FILTER: the number of events that pass it
{
	jq -s "map(select($2)) | length" "$1"
}

# The lines of the sink that a hook gets.
for_hook()
{
	grep -E '^\{"time":"[^"]*","event":"(violation|detected|deadline|left)"' events
}

hold() # holds a vCPU, and waits for the event
{
	local before

	before=$(grep -c '"violation"' events)
	kill -USR1 "$vmm"
	for ((i = 0; i < 400; i++)); do
		(($(grep -c '"violation"' events) > before)) && return
		sleep 0.05
	done
	return 1
}

failures() # REASON
{
	grep -c "\"event\":\"hook\",\"reason\":\"$1\"" events
}

status_is() # FILTER, on the hook's part of `status --json`
{
	ctl status --json && head -n 1 out | jq -e ".hook | $1" >/dev/null
}

# refused DESCRIPTION REASON HOOK: nothing is started, and the reason is printed
refused()
{
	rm -f started
	timeout 20 "$regpin" run --no-ctl --policy policy.yaml --hook "$3" -- \
		/usr/bin/touch "$dir/started" >out 2>err </dev/null
	[[ $? == 125 && ! -e started ]] && grep -q "the hook .* can't be used: .*$2" err
	ok $? "$1"
}

script good <<'H'
cat >>"$dir/got"
H
timeout 20 "$regpin" run --no-ctl --policy policy.yaml --hook "$dir/good" -- /bin/true >out 2>err
if grep -q "can't be used" err; then
	echo "1..0 # SKIP another user can write to a folder on the path $dir"
	exit 0
fi

# Files that are no hooks

refused "a relative path" "an absolute path is needed" good
refused "an empty path" "an absolute path is needed" ""
refused "a path that has no room in the status" "its path has more than 512 bytes" "/$(printf '%0600d' 0 | sed 's,0000,000/,g')0"
refused "a missing file" "/missing can.t be opened: No such file" "$dir/missing"
refused "a folder" "is not a regular file" "$dir"
refused "a path that ends with /" "a folder can't be a hook" "$dir/good/"
refused "a file as a folder" "good is not a folder" "$dir/good/x"
ln -s good link
mkdir -p inner
cp good inner/good
ln -s inner linked
refused "a symbolic link" "/link is a symbolic link" "$dir/link"
refused "a symbolic link as a folder" "/linked is a symbolic link" "$dir/linked/good"
refused "a link of /proc" "/proc/self is a symbolic link" "/proc/self/cwd/good"
mkfifo fifo
refused "a FIFO" "is not a regular file" "$dir/fifo"
for mode in 720 702; do
	cp good bad
	chmod $mode bad
	refused "a file of mode $mode" "/bad can be written by its group or by others" "$dir/bad"
done
for mode in 770 707 1777; do
	chmod $mode inner
	refused "a folder of mode $mode" "/inner can be written by its group or by others" "$dir/inner/good"
done
chmod 700 inner
chmod 600 bad
refused "a file that is not executable" "is not executable" "$dir/bad"
for mode in 4700 2700; do
	cp good bad
	chmod $mode bad
	refused "a file of mode $mode" "is set-user-ID or set-group-ID" "$dir/bad"
done
if [[ $(id -u) == 0 ]]; then
	chmod 700 bad
	chown 65534 bad
	refused "a file of another user" "/bad belongs neither to root" "$dir/bad"
	chown 65534 inner
	refused "a folder of another user" "/inner belongs neither to root" "$dir/inner/good"
	chown 0 inner
else
	skip "a file of another user" "not root"
	skip "a folder of another user" "not root"
fi
refused "a folder like /tmp" "/tmp can be written by its group or by others" /tmp/hook
rm -rf bad inner linked link

# A hook's input, files and environment

cp "$probe" probe
start "$dir/probe"
hold
await grep -q '^end$' probe.got
sed -n '/^{/p' probe.got >got
for_hook | cmp -s - got && [[ $(wc -l <got) == 1 ]]
ok $? "a held vCPU: the hook gets the line of the event, as it is in the sink"
! grep -v '^{\|^end$' probe.got | grep -vxF "arguments 1
name $dir/probe
environment 0
folder /
session 1
new-privileges 0
max-files 1024
max-core 0
file 0 /memfd:regpin-hook (deleted)
file 1 /dev/null
file 2 /dev/null
signals 0
writable 0" >differs && [[ $(grep -c . probe.got) == 15 ]]
ok $? "it has stdin and nothing else: no files, no environment, no signals, no new privileges"
await status_is '.runs == 1 and .failures == 0 and .running == false and .result == "done"'
ok $? "status shows the run"
ctl status
grep -q "; hook $dir/probe: 1 run, 0 failed, the last one ended with status 0" out
ok $? "status shows it as text"
finish
[[ $(failures '[a-z]*') == 0 && $(tail -n 1 events | jq -r .event) == detached ]]
ok $? "a hook that works is no event"

# shellcheck disable=SC2016 # the hook's
name='a"b$(touch x);'\''.yaml'
cp policy.yaml "$name"
start "$dir/good" "$name"
hold
await grep -q violation got
[[ $(jq -r .policy_name got) == "${name%.yaml}" && ! -e /x && ! -e x ]] && for_hook | cmp -s - got
ok $? "a name with quotes and commands stays data"
hold
finish
for_hook | cmp -s - got && [[ $(count got .seq) == 2 ]]
ok $? "an event just before the VMM's end: the hook gets it, and detached is last"
[[ $(tail -n 1 events | jq -r .event) == detached ]]
ok $? "detached is the last event"

script fds <<'H'
{ ls -l /proc/self/fd; cat; } >"$dir/list"
echo listed >"$dir/got"
H
start "$dir/fds"
hold
await grep -q listed got
[[ $(grep -cE ' [3-9][0-9]* -> ' list) -le 2 ]] && ! grep -E 'socket|eventfd|pidfd|memfd:regpin-[ce]' list
ok $? "a script has no file of the agent but itself"
finish

# Many events

script slow <<'H'
cat >"$dir/in.$$"
cat "$dir/in.$$" >>"$dir/got"
H
start "$dir/slow" policy.yaml flood 1000
ctl arm
await sh -c "[ \$(cat got | jq -s 'map(if .event == \"hook\" then .count else 1 end) | add') -ge 1000 ]"
finish
[[ $(jq -s 'map(if .event == "hook" then .count else 1 end) | add' got) == 1000 ]]
ok $? "1000 violations at once: each is a line, or is counted in the last line"
bad=0
for file in in.*; do
	[[ $(grep -vc '"event":"hook"' "$file") -le 64 ]] || bad=1
	[[ $(grep -c '"event":"hook"' "$file") == 0 || $(tail -n 1 "$file" | jq -r .reason) == overflow ]] || bad=1
done
[[ $bad == 0 && $(count events '.event == "violation"') == 1000 ]]
ok $? "a run gets 64 lines at most, and the number of the others comes last"
grep '"overflow"' got >of.hook
grep '"overflow"' events | cmp -s - of.hook && [[ -s of.hook ]]
ok $? "that number is an event as well, the same in both places"
rm -f in.*

# Hooks that fail

script fails <<'H'
echo x >>"$dir/got"
exit 3
H
start "$dir/fails"
hold
await grep -q '"reason":"status"' events
hold
await status_is '.failures == 2'
hold
await status_is '.failures == 3 and .result == "status" and .exit_status == 3'
ok $? "status counts failures and has the last status"
[[ $(failures status) == 1 ]]
ok $? "a hook that fails again and again is one event a minute"
finish
[[ $(jq -c 'select(.event == "hook") | [.reason, .exit_status, .count, .severity]' events | tr '\n' ' ') == \
	'["status",3,1,"warning"] ["status",3,2,"warning"] ' ]]
ok $? "the other failures are in an event at the end"
# shellcheck disable=SC2016 # the hook's
script dies <<<'kill -KILL $$'
start "$dir/dies"
hold
await grep -q '"reason":"signal"' events
[[ $(jq -c 'select(.event == "hook") | [.reason, .signal]' events) == '["signal",9]' ]]
ok $? "a hook that dies of a signal is an event"
finish
cp good moves
start "$dir/moves"
chmod 722 moves
hold
await grep -q '"reason":"unusable"' events
grep -q 'moves can be written by its group or by others' events && [[ ! -e got ]]
ok $? "a hook that others may write later is not run"
await status_is '.result == "unusable" and (.text | length > 0)'
ok $? "status has the reason"
chmod 700 moves
hold
await test -e got
ok $? "it runs again once it is in order"
rm moves got
hold
await status_is '.failures == 2'
[[ ! -e got ]]
ok $? "a hook that is removed is not run"
finish
script wrong <<'H'
H
sed -i '1s/.*/#!\/missing\/interpreter/' wrong
start "$dir/wrong"
hold
await grep -q 'the interpreter that its first line names' events
ok $? "a script without its interpreter is an event with that reason"
finish

# Hooks that do not end

script forever <<'H'
sleep 1000 &
echo $! >"$dir/child"
echo $$ >"$dir/leader"
exec sleep 1000
H
start "$dir/forever" policy.yaml flood 1000
hold
await test -s leader
leader=$(cat leader) child=$(cat child)
# The next run, with the lines that come meanwhile, ends at once.
script forever <<<'exit 0'
# Neither events nor commands wait for it.
ctl arm && [[ $(count events '.event == "violation"') == 1001 ]] && status_is '.running'
ok $? "a hook that runs, and reads nothing, delays nothing"
await grep -q '"reason":"timeout"' events
[[ ! -e /proc/$leader ]] && await sh -c "[ ! -e /proc/$child ] || grep -q Z /proc/$child/stat"
ok $? "it is killed with its process group when its time is over"
finish
[[ $(tail -n 1 events | jq -r .event) == detached && $(failures timeout) == 1 ]]
ok $? "the time-out is an event"

script forks <<'H'
sleep 1000 &
echo $! >"$dir/child"
setsid bash -c 'echo $$ >"$1"; exec sleep 1000' x "$dir/daemon" &
while [[ ! -s $dir/daemon ]]; do sleep 0.05; done
H
start "$dir/forks"
hold
await status_is '.runs == 1 and .running == false'
child=$(cat child) daemon=$(cat daemon)
await sh -c "[ ! -e /proc/$child ] || grep -q Z /proc/$child/stat"
ok $? "processes that the hook leaves behind are killed when it ends"
[[ -e /proc/$daemon ]] && ! find "/proc/$daemon/fd" -lname '*:*' -printf '%l\n' | grep -q 'socket\|pipe\|event\|pid'
ok $? "a daemon in a session of its own lives on, without a file of the agent"
kill -KILL "$daemon"
finish

# The agent dies

named() # NAME: processes of that name of this test's agent
{
	local pid

	for pid in $(pgrep -f "^$tool run .*--hook $dir/"); do
		[[ $(cat "/proc/$pid/comm" 2>/dev/null) == "$1" ]] && echo "$pid" && return
	done
	return 1
}

script waits <<'H'
in=$(cat)
echo "begin $(echo "$in" | wc -l)" >>"$dir/order"
while [[ ! -e $dir/go ]]; do sleep 0.05; done
echo end >>"$dir/order"
echo "$in" >>"$dir/got"
H
rm -f go order
start "$dir/waits"
hold
await grep -q begin order
hold
await status_is '.lines_waiting == 1'
kill -KILL "$(named regpin-agent)"
await grep -q '"takeover"' events
await status_is '.running and .lines_waiting == 1'
[[ $? == 0 && $(cat order) == "begin 1" ]]
ok $? "the agent dies: its run goes on, and the next one waits for its end"
touch go
await sh -c '[ $(grep -c end order) = 2 ]'
[[ $(tr '\n' ' ' <order) == "begin 1 end begin 1 end " ]] && for_hook | cmp -s - got
ok $? "the standby runs the hook again, with the lines that waited"
hold
finish
for_hook | cmp -s - got
ok $? "no line is lost or doubled"

events_fit
echo "1..$nr"
exit "$failed"
