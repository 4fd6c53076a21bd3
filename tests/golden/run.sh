#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh REGPIN_BINARY: compares the output of `regpin explain` for each policy here, and
# for those that come with regpin, on a KVM with and without the CR filter, with NAME.txt
# and NAME.stock.txt. Each trace in ../traces, whose first line is "# POLICY OPTIONS", must
# end as it expects; the statements that sim makes of each log there, which has such a first
# line, too, are compared with NAME.log.txt. The KVM is always named. TAP on stdout. With
# REGPIN_UPDATE=1 in the environment the files are written instead: read the diff before you
# keep it.

if [ $# -ne 1 ] || ! [ -x "$1" ]; then
	echo "usage: run.sh REGPIN_BINARY" >&2
	exit 2
fi
regpin=$(realpath "$1")
cd "$(dirname "$0")" || exit 2
# shellcheck source=tests/tap.sh
source ../tap.sh
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/json.sh
source "$tap_dir/json.sh"
keep_json "$tmp" "$tap_dir"

result() # NAME: passes if $tmp/why is empty
{
	none "$1" "$tmp/why"
}

# explain POLICY FILE [OPTION]: compares the output, stderr and the exit status
explain()
{
	policy=$1 golden=$2
	shift 2
	"$regpin" explain "$@" "$policy" >"$tmp/out" 2>&1
	echo "exit status $?" >>"$tmp/out"
	: >"$tmp/why"
	if [ "${REGPIN_UPDATE:-}" = 1 ]; then
		cp "$tmp/out" "$golden"
	else
		diff -u "$golden" "$tmp/out" >"$tmp/why" 2>&1
	fi
	"$regpin" explain "$@" --json "$policy" >"$tmp/json" 2>/dev/null
	if command -v jq >/dev/null; then
		jq -e 'if .ok then (.accesses | length > 1) or (.conditions | length > 0) or .refused
			else .reasons | length > 0 end' "$tmp/json" >/dev/null ||
			echo "--json has neither accesses nor reasons" >>"$tmp/why"
	fi
	result "explain $* $policy"
}

# trace FILE: it ends as expected, and sim's output is a trace with the same expectations
trace()
{
	read -r options <"$1"
	# shellcheck disable=SC2086 # they are words
	set -- "$1" ${options#\#}
	file=$1
	shift
	: >"$tmp/why"
	"$regpin" sim "$@" "$file" >"$tmp/again" 2>>"$tmp/why" ||
		echo "sim exits with $?" >>"$tmp/why"
	"$regpin" sim --quiet "$@" - <"$tmp/again" >>"$tmp/why" 2>&1 ||
		echo "what it prints is not as it expects" >>"$tmp/why"
	"$regpin" sim "$@" "$tmp/again" 2>&1 | cmp - "$tmp/again" >>"$tmp/why" 2>&1
	lines=$(grep -c '=>' "$tmp/again")
	if command -v jq >/dev/null; then
		[ "$("$regpin" sim --json "$@" "$file" | jq -s length)" = "$lines" ] ||
			echo "--json has not $lines lines" >>"$tmp/why"
	fi
	grep -q '=>' "$file" || echo "it expects nothing" >>"$tmp/why"
	result "sim $file"
}

# log FILE GOLDEN: sim's output equals GOLDEN, and is a trace with the same outcome
log()
{
	read -r options <"$1"
	golden=$2
	# shellcheck disable=SC2086 # they are words
	set -- "$1" ${options#\#}
	file=$1
	shift
	"$regpin" sim "$@" "$file" >"$tmp/again" 2>"$tmp/err"
	status=$?
	{ cat "$tmp/again" "$tmp/err"; echo "exit status $status"; } >"$tmp/out"
	: >"$tmp/why"
	if [ "${REGPIN_UPDATE:-}" = 1 ]; then
		cp "$tmp/out" "$golden"
	else
		diff -u "$golden" "$tmp/out" >"$tmp/why" 2>&1
	fi
	"$regpin" sim --quiet "$@" - <"$tmp/again" >>"$tmp/why" 2>&1 ||
		echo "what it prints is not as it expects" >>"$tmp/why"
	result "sim $file"
}

for policy in *.yaml ../../policies/*.yaml; do
	name=$(basename "$policy" .yaml)
	explain "$policy" "$name.txt" --verbose --cr-filter
	explain "$policy" "$name.stock.txt" --verbose --stock
done
# Rules for some guests only: see `when`.
for guest in intel:6:0x3f amd:0x17:0x1 amd:0x17:0x31 hygon:0x18:0x0; do
	for name in ucode cpu-model; do
		explain "../../policies/$name.yaml" \
			"$name.$(echo $guest | tr : -).txt" --cr-filter --guest $guest
	done
done
cd ../traces || exit 2
for file in *.trace; do
	trace "$file"
done
for file in *.log; do
	log "$file" "../golden/$file.txt"
done
json_fits
echo "1..$nr"
exit "$failed"
