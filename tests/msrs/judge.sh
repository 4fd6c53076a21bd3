#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# judge.sh REGPIN_BINARY: each access in linux-msr-accesses.tsv, by the guests of its row,
# must pass linux.yaml and linux-strict.yaml without an event; those that linux-strict.yaml
# is meant to refuse must be refused. TAP on stdout: one test for each policy and guest.

if [ $# -ne 1 ] || ! [ -x "$1" ]; then
	echo "usage: judge.sh REGPIN_BINARY" >&2
	exit 2
fi
regpin=$(realpath "$1")
cd "$(dirname "$0")" || exit 2
data=linux-msr-accesses.tsv
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/tap.sh
source ../tap.sh

# The CPUs of a row's vendor: vendor:family:model. Sandy Bridge (client, server), Ivy
# Bridge, Haswell and Broadwell servers, Skylake and Ice Lake servers, Tiger Lake, Sapphire
# Rapids, Alder Lake, Granite Rapids, Sierra Forest, Diamond Rapids; family 0x10 to Zen 5.
intel="0x2a 0x2d 0x3a 0x3f 0x4f 0x55 0x6a 0x8c 0x8f 0x97 0xad 0xaf"
guests="intel:0x13:0x1 amd:0x10:0x2 amd:0x10:0x9 amd:0x12:0x1 amd:0x14:0x1 amd:0x15:0x2
	amd:0x15:0x60 amd:0x16:0x0 amd:0x17:0x1 amd:0x17:0x31 amd:0x19:0x1 amd:0x19:0x11
	amd:0x1a:0x2 hygon:0x18:0x0 hygon:0x18:0x4"
for model in $intel; do
	guests="intel:6:$model $guests"
done

# A kernel's set-up, so that the pins hold, and then all its accesses to MSRs. A pinned
# register is written with its current value.
cat >"$tmp/set-up" <<'END'
0 wrmsr EFER 0xd01
0 cr0 0x80050033
0 cr4 0x3506f0
0 wrmsr STAR 0x23001000000000
0 wrmsr LSTAR 0xffffffff81e00000
0 wrmsr CSTAR 0xffffffff81e01000
0 wrmsr SYSENTER_CS 0x10
0 wrmsr SYSENTER_ESP 0xfffffe0000003000
0 wrmsr SYSENTER_EIP 0xffffffff81e02000
0 wrmsr PAT 0x407050600070106
0 wrmsr SFMASK 0x257fd5
END

# trace GUEST REFUSED: the accesses by such a guest, either those to be refused or the
# others.
trace()
{
	awk -F'\t' -v guest="$1" -v refused="$2" -f accesses.awk "$data" | sort -u
}

# judge POLICY GUEST: prints the TAP line
judge()
{
	policy=$1 guest=$2
	: >"$tmp/why"
	{
		cat "$tmp/set-up"
		trace "$guest" 0
	} >"$tmp/trace"
	[ "$(wc -l <"$tmp/trace")" -gt 100 ] || echo "hardly a row is for this guest" >>"$tmp/why"
	"$regpin" sim --cr-filter --guest "$guest" "$policy" "$tmp/trace" >"$tmp/out" 2>"$tmp/err" ||
		[ -s "$tmp/err" ] || echo "sim exits with $?" >>"$tmp/why"
	# Whatever the expectation: sim prints an event as a comment after the outcome.
	grep '^[0-9].*=>.*#' "$tmp/out" >>"$tmp/why"
	grep -c '=>' "$tmp/out" | grep -qx "$(wc -l <"$tmp/trace")" ||
		echo "not all of the trace was played" >>"$tmp/why"
	cat "$tmp/err" >>"$tmp/why"
	result "$(basename "$policy") allows $guest all accesses of Linux"
}

# refuses POLICY GUEST: the accesses that the policy is meant to refuse
refuses()
{
	policy=$1 guest=$2
	: >"$tmp/why"
	trace "$guest" 1 >"$tmp/lines"
	[ -s "$tmp/lines" ] || echo "no row is for this guest" >>"$tmp/why"
	while read -r line; do
		{
			cat "$tmp/set-up"
			echo "$line"
		} >"$tmp/trace"
		"$regpin" sim --quiet --cr-filter --guest "$guest" "$policy" "$tmp/trace" >>"$tmp/why" 2>&1
	done <"$tmp/lines"
	result "$(basename "$policy") refuses $guest the accesses that it is meant to refuse"
}

evidence()
{
	head -n 20 "$tmp/why" | sed 's/^/# /'
}

# result NAME: passes if $tmp/why is empty
result()
{
	! [ -s "$tmp/why" ]
	ok $? "$1"
}

for guest in $guests; do
	judge ../../policies/linux.yaml "$guest"
	judge ../../policies/linux-strict.yaml "$guest"
	refuses ../../policies/linux-strict.yaml "$guest"
done
echo "1..$nr"
exit $failed
