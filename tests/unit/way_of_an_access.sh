#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: way_of_an_access.sh SCRIPT SVG README
#
# The README's picture, and the same as text, are what SCRIPT prints. With REGPIN_UPDATE=1
# SVG is written, and the text in README (its only block ```text) is replaced. Prints TAP.
script=$1 svg=$2 readme=$3
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

"$script" svg >"$tmp/svg" && "$script" text >"$tmp/text" || exit 1
if [ -n "${REGPIN_UPDATE:-}" ]; then
	cp "$tmp/svg" "$svg"
	awk -v text="$tmp/text" '
	/^```$/ { inside = 0 }
	!inside { print }
	/^```text$/ { inside = 1; while ((getline line <text) > 0) print line }' "$readme" >"$tmp/readme" &&
		cp "$tmp/readme" "$readme"
fi
awk '/^```$/ { inside = 0 } inside { print } /^```text$/ { inside = 1 }' "$readme" >"$tmp/block"

# shellcheck source=tests/tap.sh
source "$(dirname "$0")/../tap.sh"
name=$(basename "$script")
same "$(basename "$svg") is what $name prints; REGPIN_UPDATE=1 writes it" "$svg" "$tmp/svg"
same "the text in $(basename "$readme") is what $name prints; REGPIN_UPDATE=1 writes it" "$tmp/block" "$tmp/text"
[ "$(grep -c '^<text' "$tmp/svg")" -gt 20 ] && [ "$(tail -n 1 "$tmp/svg")" = '</svg>' ]
ok $? "there is a picture to compare"
echo "1..$nr"
exit "$failed"
