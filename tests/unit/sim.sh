#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# sim.sh REGPIN_BINARY: traces and logs for sim: results, places of errors, what is only polled. TAP.
# shellcheck source=tests/unit/tools_scene.sh
source "$(dirname "$0")/tools_scene.sh"

is 0 '^0 wrmsr LSTAR 1 => ok$' "$regpin" sim --stock "$policy" good
is 0 'armed by syscall-entry' "$regpin" sim --stock "$policy" - <good
printf '0 wrmsr LSTAR 1\n\n 0 wrmsr LSTAR' >torn
is 1 '^torn:3:15: error: a value is missing$' "$regpin" sim --stock "$policy" torn
printf '0 wrmsr LSTAR 1 => gp\n' >other
is 1 '^other:1:1: expected gp, but it was ok, 0x1$' "$regpin" sim --stock "$policy" other
is 1 '1 not as expected' "$regpin" sim --stock --quiet "$policy" other
is 1 '"expected":false' "$regpin" sim --stock --json "$policy" other
head -c 5000 /dev/zero | tr '\0' ' ' >long
is 1 '^long:1:4096: error: the line is too long$' "$regpin" sim --stock "$policy" long
# More than one block of input, where a block ends inside a line: no line is lost.
yes '0 wrmsr 0x12345678 0x123456789abcdef0' | head -n 100000 >many
is 0 '^100000$' sh -c '"$1" sim --stock "$2" many | grep -c "=> ok$"' sh "$regpin" "$policy"
is 0 '^100000$' sh -c 'cat many | "$1" sim --stock "$2" - | grep -c "=> ok$"' sh "$regpin" "$policy"
# Logs instead of traces, from a file and a pipe. A line that is in neither, or that is
# meant as a statement and is not one, is an error.
gp='unchecked MSR access error: RDMSR from 0x7777 at rIP: 0x1'
printf '[ 1.0] Linux\n%s\n[ 2.0] reset\n' "$gp" >log
is 0 '^0 rdmsr 0x7777 unknown => gp	# KVM refuses it$' "$regpin" sim --stock "$policy" log
is 0 'log is a log: 1 of its lines is an access, 0 are other events, 2 could not be read; nothing in it has armed' "$regpin" sim --stock "$policy" log
printf '%s\n' '{"event":"attached","vm":0}' '{"event":"armed","vm":0,"vcpu":0}' '{"event":"violation","vcpu":0,"register":"EFER"}' '{"event":"detached"}' \
	'{"event":"violation","vcpu":0,"register":"EFER","index":"0xc0000080","access":"write","new":"0x1"}' >own.log
is 0 'own.log is a log: 1 of its lines is an access, 3 are other events, 1 could not be read' "$regpin" sim --stock "$policy" own.log
is 0 '^0 rdmsr 0x7777 unknown => gp' "$regpin" sim --stock "$policy" - <log
is 0 '"line":2,"vcpu":0,"statement":"0 rdmsr 0x7777 unknown"' "$regpin" sim --stock --json "$policy" log
is 0 '^0 wrmsr EFER 1 => ok$' sh -c '(cat log; echo 0 wrmsr EFER 1) | "$1" sim --stock "$2" -' sh "$regpin" "$policy"
is 1 '^-:4:9: error: there is no register' sh -c '(cat log; echo 0 wrmsr EFRE 1) | "$1" sim --stock "$2" -' sh "$regpin" "$policy"
is 1 '^-:1:9: error: there is no register' sh -c '(echo 0 wrmsr EFRE 1; cat log) | "$1" sim --stock "$2" -' sh "$regpin" "$policy"
is 1 '^-:1:1: error: a line begins with' sh -c '(echo O wrmsr EFER 1; echo 0 wrmsr EFER 1) | "$1" sim --stock "$2" -' sh "$regpin" "$policy"
is 1 '^-:3:1: error: a line begins with' sh -c '(echo 0 rdmsr EFER; echo "$3"; echo "[ 1.0] Linux") | "$1" sim --stock "$2" -' sh "$regpin" "$policy" "$gp"
is 1 'no line of - is known: sim reads a trace .*, or a log with lines of these: Linux ' sh -c 'dmesg="[ 1.0] Linux"; echo "$dmesg" | "$1" sim --stock "$2" -' sh "$regpin" "$policy"
is 0 '^0 rdmsr 0x7777 unknown => gp' sh -c '(echo Booting; echo reset; cat log) | "$1" sim --stock "$2" -' sh "$regpin" "$policy"
is 1 '^-:1:1: error: a line begins with' sh -c '(echo armm; echo reset) | "$1" sim --stock "$2" -' sh "$regpin" "$policy"
# Lines of any length, with any bytes.
is 0 'is a log: 2 of its lines are accesses, 0 are other events, 3 could not be read' sh -c '(head -c 5000 /dev/zero; echo; echo "$3"; head -c 3000000 /dev/zero | tr "\0" x; echo; printf "a\0b\n"; echo "$3") | "$1" sim --stock "$2" -' sh "$regpin" "$policy" "$gp"
is 4 "can't be read" "$regpin" sim --stock "$policy" nothing
is 4 "can't be read" "$regpin" sim --stock "$policy" .
is 4 "can't be read" "$regpin" sim nothing good
is 2 'one trace' "$regpin" sim --stock "$policy"
is 4 'could not be written' sh -c '"$1" sim --stock "$2" many >/dev/full' sh "$regpin" "$policy"
is 3 "^cr.yaml:4:5: error: 'sticky' on CR0 can't be enforced on this KVM: this KVM has no CR filter" "$regpin" sim --stock cr.yaml good
# A text that is the same for several rules is printed once; as JSON each rule has its own object.
printf 'version: 1\nrules:\n  - register: CR0\n    sticky: [WP]\n    action: stop\n  - register: CR4\n    sticky: [SMEP]\n' >crs.yaml
for cmd in "explain --stock" "sim --stock"; do
	# shellcheck disable=SC2046,SC2086 # they are words
	set -- "$regpin" $cmd crs.yaml $([ "${cmd%% *}" = explain ] || echo good)
	is 3 "^crs.yaml:4:5: .*: 'sticky' on CR0 can't be enforced on this KVM: .*; the same holds for 'sticky' on CR4 \\(7:5\\)$" "$@"
	is 3 '"ok":false,"reasons":\[\{"register":"CR0","rule":"sticky","where":"crs.yaml:4:5",.*\},\{"register":"CR4",.*"where":"crs.yaml:7:5",' "$@" --json
done
printf 'version: 1\nrules:\n  - register: CR9\n    sticky: [WP]\n' >wrong.yaml
for cmd in explain sim probe; do
	for file in wrong none; do
		set -- "$regpin" $cmd --json $file.yaml
		[ $cmd != sim ] || set -- "$@" good
		if [ $file = wrong ]; then
			is 1 '^\{"version":1,"policy_file":"wrong.yaml","ok":false,"problems":\[\{"problem":"error","line":3,"column":15,"text":' "$@"
		else
			is 4 '"ok":false,"problems":\[\{"problem":"error","text":"can.t be read' "$@"
		fi
	done
done
is 0 'ok$' "$regpin" sim --cr-filter cr.yaml good

# sim: bits by name, registers whose name is nearly right, and the origin of a #GP.
printf '0 set CR4 0\n0 cr4 +SMEP +21\n0 cr4 -SMEP\n0 wrmsr EFER +NXE -SCE\n' >bits.trace
is 0 '^0 cr4 [+]SMEP [+]21 => ok$' "$regpin" sim --stock opt.yaml bits.trace
is 0 '"statement":"0 cr4 -SMEP","outcome":"ok","value":"0x200000"' "$regpin" sim --json --stock opt.yaml bits.trace
is 0 '"value":"0x800"' "$regpin" sim --json --stock opt.yaml bits.trace
for line in '0 cr4 +SMEPX' '0 cr4 +64' '0 cr4 +SMEP -SMEP' '0 cr4 +' '0 wrmsr 0x10a +NXE' '0 cr4 +SMEP 5'; do
	echo "$line" >wrong.trace
	is 1 '^wrong.trace:1:[0-9]+: error: ' "$regpin" sim --stock opt.yaml wrong.trace
done
printf 'version: 1\narming: start\nrules:\n  - register: STAR\n    frozen: all\n' >star.yaml
echo '0 wrmsr STAR 0x2300000000ff => gp' >star.trace
is 0 'star.yaml:5:5: EIP SYSCALL_CS$' "$regpin" sim --stock star.yaml star.trace
echo '0 wrmsr LSTARR 1' >wrong.trace
is 1 "there is no register 'LSTARR'; did you mean 'LSTAR'\\?" "$regpin" sim --stock opt.yaml wrong.trace
printf 'version: 1\nrules: [{register: LSTAR, uniform: true, action: pause}]\n' >hold.yaml
printf '0 wrmsr LSTAR 1\n0 wrmsr SFMASK 1\n0 wrmsr LSTAR 2\n0 answer gp\n0 wrmsr LSTAR 2\n' >hold.trace
is 0 "^0 wrmsr LSTAR 2 => gp.*the operator's answer$" "$regpin" sim --stock hold.yaml hold.trace
# A trace tests a policy on any host: without an option that names the KVM, what only the CR
# filter can do is reported, and is not a failure.
cat >smep.trace <<'T'
0 wrmsr EFER 0xd01
0 cr0 0x80050033
0 cr4 0x3506e0
0 wrmsr LSTAR 0xffffffff81000000
0 wrmsr SFMASK 0x47700
0 cr0 -WP => gp
0 cr4 -SMEP => gp
T
sed 's/WP => gp/WP => drop/' smep.trace >never.trace
is 1 'smep.trace:6:1: expected gp, but it was ok, 0x80040033$' "$regpin" sim --stock --quiet "$policy" smep.trace
is 0 '' "$regpin" sim --cr-filter --quiet "$policy" smep.trace
is 1 'never.trace:6:1: expected drop, but it was' "$regpin" sim --quiet "$policy" never.trace
if "$regpin" sim --quiet --host "$policy" smep.trace >/dev/null 2>&1; then
	is 0 '' "$regpin" sim --quiet "$policy" smep.trace
else
	is 0 'smep.trace:7:1: .*; with the CR filter it is as expected$' "$regpin" sim --quiet "$policy" smep.trace
	is 0 'warning: smep.trace: 2 as expected on a KVM with the CR filter only' "$regpin" sim --quiet "$policy" smep.trace
	is 0 '"expected":false,"with_cr_filter":true' "$regpin" sim --json "$policy" smep.trace
fi
is 0 '"event":"answered","action":"gp"' "$regpin" sim --json --stock hold.yaml hold.trace

json_fits
echo "1..$nr"
exit "$failed"
