#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: man_pages.sh REGPIN PAGES_DIR POLICIES_DIR
#
# The policies and the trace in the manual pages are right, the pages have the options that
# `regpin help` has, name documents that exist, and refer to each other. Prints TAP.
regpin=$1 man=$2 policies=$3
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/tap.sh
source "$(dirname "$0")/../tap.sh"

# shellcheck disable=SC2317 # tap.sh calls it
evidence()
{
	head -n 30 "$tmp/why" | sed 's/^/# /'
}

# blocks PAGE: each literal block into a file $tmp/PAGE.N
blocks()
{
	awk -v to="$tmp/$1" '/^```$/ { inside = !inside; n += inside; next }
		inside { print > (to "." n) }' "$man/$1.scd"
}

# A block is a policy, some of its keys, or a list of rules.
blocks regpin-policy.5
for block in "$tmp"/regpin-policy.5.*; do
	head -n 1 "$block" | grep -q '^{' && continue	# an event
	{
		grep -q '^version:' "$block" || echo 'version: 1'
		head -n 1 "$block" | grep -q '^  - ' && echo 'rules:'
		cat "$block"
	} >"$tmp/policy.yaml"
	"$regpin" check "$tmp/policy.yaml" >"$tmp/why" 2>&1
	ok $? "a policy: $(tail -n +2 "$tmp/policy.yaml" | head -n 2 | tr -s '\n ' ' ')"
done

blocks regpin-trace.5
"$regpin" sim --cr-filter --quiet "$policies/linux.yaml" "$tmp/regpin-trace.5.1" >"$tmp/why" 2>&1
ok $? 'each statement of the trace has its expected outcome'

for cmd in check compile probe explain sim regs run ctl; do
	page=regpin.1
	[ $cmd != ctl ] || page='regpin-ctl.1'
	"$regpin" help $cmd | grep -Eo -- '--[a-z][a-z-]*' | sort -u | while read -r option; do
		grep -Eq -- "$option([^a-z-]|\$)" "$man/$page.scd" || echo "$option"
	done >"$tmp/why"
	none "$page has the options of $cmd" "$tmp/why"
done

for page in "$man"/*.scd; do
	awk -v page="${page##*/}" '/^```$/ { inside = !inside; next }
		inside { text = $0; gsub(/\\\\/, "", text) }
		inside && index(text, "\\") { print page ":" FNR ": " $0 }' "$page"
done >"$tmp/why"
none "each backslash of an example is escaped, or the page would lack it" "$tmp/why"

for page in "$man"/*.scd; do
	name=$(head -n 1 "$page")
	for other in "$man"/*.scd; do
		of=$(head -n 1 "$other")
		[ "$of" = "$name" ] || sed '1,/^# SEE ALSO/d' "$page" | grep -qF "*${of%(*}*(${of#*(}" || echo "$of"
	done >"$tmp/why"
	none "$name refers to the other pages" "$tmp/why"
done

grep -Eho '@DATADIR@/doc/regpin/[a-z/-]+\.md' "$man"/*.scd | sort -u | while read -r path; do
	[ -e "$man/../${path#@DATADIR@/doc/regpin/}" ] || echo "$path"
done >"$tmp/why"
none 'the documents that the pages name exist' "$tmp/why"

echo "1..$nr"
exit "$failed"
