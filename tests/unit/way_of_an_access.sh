#!/bin/sh
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

nr=0 bad=0
same() # WHAT A B
{
	nr=$((nr + 1))
	if cmp -s "$2" "$3"; then
		echo "ok $nr - $1 is what $(basename "$script") prints"
	else
		echo "not ok $nr - $1 is what $(basename "$script") prints: REGPIN_UPDATE=1 writes it"
		diff -u "$2" "$3" | head -n 20 | sed 's/^/# /'
		bad=1
	fi
}
same "$(basename "$svg")" "$svg" "$tmp/svg"
same "the text in $(basename "$readme")" "$tmp/block" "$tmp/text"
nr=$((nr + 1))
if [ "$(grep -c '^<text' "$tmp/svg")" -gt 20 ] && [ "$(tail -n 1 "$tmp/svg")" = '</svg>' ]; then
	echo "ok $nr - there is a picture to compare"
else
	echo "not ok $nr - there is a picture to compare"
	bad=1
fi
echo "1..$nr"
exit $bad
