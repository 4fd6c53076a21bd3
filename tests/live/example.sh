#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# usage: example.sh REGPIN TINY_VMM POLICY
#
# The example VMM says what its manual page would say. Prints TAP.

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

"$1" compile -o "$tmp/blob" "$3" || { echo "not ok 1 - compiles"; exit 1; }
"$2" "$tmp/blob" >"$tmp/out" 2>"$tmp/err"
status=$?
if [ "$status" = 77 ]; then
	echo "1..0 # SKIP $(cat "$tmp/err")"
	exit 0
fi
cat >"$tmp/want" <<'END'
event: the policy is in place
event: vCPU 0 is armed
guest: the kernel sets its entry: done
guest: and ends its set-up: done
guest: the kernel writes the same again: done
event: LSTAR, rule once at FILE:6: 0xffffffff81000000 -> 0xffffffffdeadb000, now 0xffffffff81000000
guest: the attacker brings an entry: #GP
event: LSTAR, rule once at FILE:6: 0xffffffff81000000 -> 0x0, now 0xffffffff81000000
guest: and tries to clear it: #GP
event: SFMASK, rule sticky at FILE:10: 0x47700 -> 0x47500, now 0x47700
guest: and wants interrupts on at the entry: done
END
# The policy's name is as it was given to `regpin compile`.
sed 's| at [^ ]*tiny.yaml:| at FILE:|' "$tmp/out" >"$tmp/got"
if [ "$status" = 0 ] && diff "$tmp/want" "$tmp/got" >"$tmp/diff"; then
	echo "ok 1 - the example does what it says"
else
	sed 's/^/# /' "$tmp/diff" "$tmp/err"
	echo "not ok 1 - the example does what it says (status $status)"
fi
echo "1..1"
