#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# usage: life_cycle_doc.sh PAGE PROGRAM
#
# docs/internals/life-cycle.md shows the rows of lib/vm/phase.c and lib/vm/vmm_write.c,
# after its line "<!-- from lib/vm/phase.c -->". With REGPIN_UPDATE=1 this script writes
# them there. Prints TAP.
page=$1 program=$2
mark='<!-- from lib/vm/phase.c -->'
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

sed "/^$(echo "$mark" | sed 's,[/.],\\&,g')\$/q" "$page" >"$tmp/page" || exit 1
"$program" >>"$tmp/page" || exit 1
[ -z "${REGPIN_UPDATE:-}" ] || cp "$tmp/page" "$page"
bad=0
if [ "$(grep -cxF -e "$mark" "$page")" = 1 ] && [ "$(grep -c '^### ' "$page")" -gt 10 ]; then
	echo "ok 1 - the page has tables"
else
	echo "not ok 1 - the page has tables"
	bad=1
fi
if diff -u "$page" "$tmp/page" >"$tmp/diff"; then
	echo "ok 2 - the tables are those of the library"
else
	echo "not ok 2 - the tables are those of the library: run with REGPIN_UPDATE=1 to write them"
	sed 's/^/# /' "$tmp/diff"
	bad=1
fi
echo "1..2"
exit $bad
