#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh REGPIN_BINARY: runs `regpin check` and `compile` on every policy in pass/ and
# fail/, and compares the output with the expected one. The policies that come with regpin,
# and the one in its README, must not even make a warning. NAME.expected holds the
# diagnostics without "NAME.yaml". TAP on stdout. With REGPIN_UPDATE=1 in the environment
# the expected files are written instead: read the diff before you keep it.

if [ $# -ne 1 ] || ! [ -x "$1" ]; then
	echo "usage: run.sh REGPIN_BINARY" >&2
	exit 2
fi
regpin=$(realpath "$1")
cd "$(dirname "$0")" || exit 2
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
tests=$(realpath ..)
# shellcheck source=tests/json.sh
. "$tests/json.sh"
keep_json "$tmp" "$tests"
# shellcheck source=tests/tap.sh
source ../tap.sh

# fault TEXT: the current test has failed.
fault()
{
	echo "$1" >>"$tmp/why"
}

# check FILE STATUS EXPECTED: compares what `regpin check` prints.
check()
{
	expected=$3
	"$regpin" check "$1" >"$tmp/out" 2>"$tmp/err"
	status=$?
	# The path may contain any characters, so it is cut off by its length.
	cut -c$((${#1} + 1))- "$tmp/err" >"$tmp/got"
	[ $status -eq "$2" ] || fault "check exits with $status, not $2"
	[ -s "$tmp/out" ] && fault "check prints to stdout"
	if [ "${REGPIN_UPDATE:-}" = 1 ] && [ "$expected" != /dev/null ]; then
		cp "$tmp/got" "$expected"
	elif ! diff -u "$expected" "$tmp/got" >"$tmp/diff" 2>&1; then
		fault "other diagnostics:"
		sed 's/^/# /' "$tmp/diff"
	fi
}

# compile FILE STATUS: a blob exists if and only if the policy is valid.
compile()
{
	rm -f "$tmp/blob"*
	"$regpin" compile "$1" -o "$tmp/blob" >/dev/null 2>"$tmp/err2"
	status=$?
	[ $status -eq "$2" ] || fault "compile exits with $status, not $2"
	cmp -s "$tmp/err" "$tmp/err2" || fault "compile says other than check"
	set -- "$2" "$tmp"/blob*
	[ -e "$2" ] || set -- "$1"
	if [ "$1" -eq 0 ]; then
		[ $# -eq 2 ] || fault "compile leaves $(($# - 1)) files, not 1"
	else
		[ $# -eq 1 ] || fault "compile leaves a file"
	fi
}

# json FILE BOOL: the output is one line, with the right value.
json()
{
	command -v jq >/dev/null || return
	"$regpin" check --json "$1" >"$tmp/json" 2>/dev/null
	[ "$(wc -l <"$tmp/json")" -eq 1 ] || fault "--json is not one line"
	jq -e ".ok == $2 and (.policies[0].errors > 0) != $2" "$tmp/json" \
		>/dev/null || fault "--json disagrees"
}

# policy FILE STATUS BOOL EXPECTED
policy()
{
	: >"$tmp/why"
	check "$1" "$2" "$4"
	compile "$1" "$2"
	json "$1" "$3"
	none "$1" "$tmp/why"
}

for file in pass/*.yaml; do
	policy "$file" 0 true "${file%.yaml}.expected"
done
for file in fail/*.yaml; do
	policy "$file" 1 false "${file%.yaml}.expected"
done
for file in ../../policies/*.yaml; do
	policy "$file" 0 true /dev/null
done
# The README contains policies, too.
awk -v to="$tmp/README" '/^```yaml$/ { nr++; file = to nr ".yaml"; next } /^```$/ { file = "" }
	file { print >file }' ../../README.md
REGPIN_POLICIES=$(realpath ../../policies)
export REGPIN_POLICIES
for readme in "$tmp"/README*.yaml; do
	policy "$readme" 0 true /dev/null
done
json_fits
echo "1..$nr"
exit "$failed"
