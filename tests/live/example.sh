#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# usage: example.sh REGPIN TINY_VMM POLICY
#
# The example VMM prints what its comments promise. Prints TAP.

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
n=0 bad=0

check() # NAME COMMAND ..
{
	n=$((n + 1))
	name=$1
	shift
	if "$@"; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		sed 's/^/# /' "$tmp/out" "$tmp/err"
		bad=1
	fi
}

# The vCPU's thread prints a line when the guest reaches that step.
said() # REGEX [HOW-OFTEN]
{
	tries=0
	until [ "$(grep -c "$1" "$tmp/out")" -ge "${2:-1}" ]; do
		tries=$((tries + 1))
		[ $tries -lt 200 ] && kill -0 "$vmm" 2>/dev/null || return 1
		sleep 0.1
	done
}

start() # BLOB
{
	: >"$tmp/out"
	"$tiny_vmm" "$1" <"$tmp/operator" >"$tmp/out" 2>"$tmp/err" &
	vmm=$!
	exec 3>"$tmp/operator"
}

# The policy's name is the one given to `regpin compile`. The expected output does not
# depend on when a register is polled, which happens if KVM cannot filter it.
normal()
{
	sed 's| at [^ ]*tiny.yaml:| at FILE:|' "$tmp/out" | grep -v '^event: CR0' >"$tmp/got"
	diff "$tmp/want" "$tmp/got" >"$tmp/diff"
}

wp_is_pinned()
{
	grep -q '^event: CR0, rule sticky .*: 0x80010011 -> 0x80000011, now 0x80010011' "$tmp/out"
}

wp_is_looked_after()
{
	[ "$(grep -c '^event: CR0' "$tmp/out")" = 1 ] &&
		grep -q '^event: CR0, rule sticky .*: 0x80010011 -> 0x80000011, found' "$tmp/out"
}

tiny_vmm=$2
"$1" compile -o "$tmp/blob" "$3" && sed 's/action: gp/action: report/' "$3" >"$tmp/loose.yaml" &&
	"$1" compile -o "$tmp/loose" "$tmp/loose.yaml" && mkfifo "$tmp/operator" ||
	{ echo "not ok 1 - compiles"; exit 1; }

start "$tmp/blob"
said '^event: STAR.*held'
if ! kill -0 $vmm 2>/dev/null; then
	wait $vmm
	[ $? != 77 ] || { echo "1..0 # SKIP $(cat "$tmp/err")"; exit 0; }
fi
check "a violation holds the vCPU for the operator" said '^event: STAR.*held'
echo "allow 0" >&3
echo gp >&3
check "the guest continues after the answer" said 'read-only pages'
if grep -q 'read-only pages writable: done' "$tmp/out"; then
	wp="done"
	check "a poll detects that CR0.WP was cleared" said '^event: CR0'
	check "the cleared CR0.WP is one event" wp_is_looked_after
else
	wp="#GP"
	check "CR0.WP is pinned" wp_is_pinned
fi
echo "policy $tmp/loose" >&3
check "the operator applies another policy" said 'another policy'
echo disarm >&3
check "the operator disarms the running VM" said 'is disarmed'
echo arm >&3
check "the operator arms the VM again" said 'is armed' 2
echo quit >&3
wait $vmm
status=$?
check "the VMM ends with status 0" [ $status = 0 ]
check "a mistyped command is answered with a list of all" \
	grep -q 'allow 0: there is no such command: allow, gp, stop, .*quit$' "$tmp/err"
cat >"$tmp/want" <<END
event: the policy is in place
guest: the kernel sets its segments: done
event: vCPU 0 is armed
guest: and its entry: done
guest: and ends its set-up: done
guest: the kernel writes the same again: done
event: LSTAR, rule once at FILE:6: 0xffffffff81000000 -> 0xffffffffdeadb000, now 0xffffffff81000000
guest: the attacker sets an entry: #GP
event: LSTAR, rule once at FILE:6: 0xffffffff81000000 -> 0x0, now 0xffffffff81000000
guest: and tries to clear it: #GP
event: SFMASK, rule sticky at FILE:10: 0x47700 -> 0x47500, now 0x47700
guest: the attacker keeps interrupts on at the entry: done
event: STAR, rule once at FILE:14: 0x23001000000000 -> 0x33001000000000, held
event: vCPU 0 goes on: gp
guest: and other segments: #GP
guest: the attacker makes read-only pages writable: $wp
event: another policy is in place
event: vCPU 0 is disarmed
event: vCPU 0 is armed
vmm: quit
END
check "the example prints the expected lines" normal
[ ! -s "$tmp/diff" ] || sed 's/^/# /' "$tmp/diff"

start "$tmp/blob"
said '^event: STAR.*held'
echo stop >&3
check "the operator stops the VM" said '^vmm: the guest has crashed'
echo quit >&3
wait $vmm
echo "1..$n"
exit $bad
