#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Commands whose calls of libc fail, one at a time: each allocation of memory, and what
# `compile` does with its file. A command succeeds as it would without the failure, or it
# prints why it does not and exits with the status that regpin(1) gives.
# usage: fail_calls.sh REGPIN_BINARY, which fail_calls.c is linked into
set -u
regpin=$(realpath "${1:?usage: fail_calls.sh REGPIN_BINARY}") || exit 2
# shellcheck source=tests/tap.sh
source "$(dirname "$0")/../tap.sh"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 2
evidence() { head -n 12 wrong | sed "s|^|# |"; }

mkdir policies
export REGPIN_POLICIES=$dir/policies
cat >policies/base.yaml <<E
version: 1
rules:
  - register: EFER
    sticky: [NXE]
    never: [SVME]
    optional: true
  - register: STAR
    uniform: true
  - register: IA32_BIOS_UPDT_TRIG
    deny: write
    action: drop
    when: {vendor: [intel, amd], family: 6}
  - register: "@rapl"
    deny: read
E
cat >policy.yaml <<E
version: 1
extends: base
without:
  - register: [STAR]
  - {register: EFER, rules: never}
rules:
  - register: CR0
    sticky: [WP]
    action: pause
    optional: true
  - register: STAR
    once: true
  - register: 0x1234-0x1236
    value: 7
E
cat >trace <<E
0 wrmsr EFER 0xd01
0 wrmsr LSTAR 0xffffffff81000000
0 wrmsr SFMASK 0x47700 => allow
0 wrmsr EFER 0x501 => gp
0 cr0 -WP
E

with() # CALL:N COMMAND ..: its output is in out and err, and the call's mark in hit
{
	local call=$1

	shift
	FAIL_CALL=$call timeout 20 "$@" >out 2>err 9>hit </dev/null
}

# Each allocation fails once. A wrong result is one that looks like success.
memory() # STATUS COMMAND ..: STATUS if no memory is left
{
	local want=$1 n=0 got

	shift
	: >wrong
	with none:0 "$regpin" "$@"
	good=$? && cp out good.out && cp err good.err
	while :; do
		n=$((n + 1))
		with "malloc:$n" "$regpin" "$@"
		got=$?
		[[ -s hit ]] || break
		if ((got == good)) && cmp -s out good.out && cmp -s err good.err; then
			continue
		fi
		if ((got != want)) || [[ ! -s err ]]; then
			{ echo "allocation $n: status $got, not $want"; head -n 1 err | cut -c1-120; } >>wrong
		fi
		((n < 20000)) || break
	done
	((n > 5 && n < 20000)) || echo "$n allocations" >>wrong
	[[ ! -s wrong ]]
	ok $? "each of $((n - 1)) allocations of '$*' can fail"
}

memory 4 check policy.yaml
memory 4 compile policy.yaml -o blob
memory 4 explain --stock policy.yaml
memory 4 sim --stock policy.yaml trace
memory 3 diff base policy.yaml
memory 125 run --policy policy.yaml -- ./no-such-vmm

# compile: a file that can't be written is removed, and an older one stays.
for call in write fsync fchmod rename; do
	echo old >blob
	with "$call:1" "$regpin" compile policy.yaml -o blob
	got=$?
	{ echo "status $got"; cat err; ls; } >wrong
	[[ $got == 4 && -s hit && $(<blob) == old ]] && grep -q '^regpin compile: .*blob' err && ! compgen -G 'blob?*' >glob
	ok $? "compile whose $call() fails leaves the file as it was"
done
rm blob
with interrupted:1 "$regpin" compile policy.yaml -o blob
{ [[ $? == 0 && -s hit ]] && "$regpin" compile policy.yaml -o - | cmp - blob; } >wrong 2>&1
ok $? "compile continues after a write that a signal interrupted"

echo "1..$nr"
exit $failed
