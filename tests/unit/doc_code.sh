#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# usage: doc_code.sh PAGE SOURCE
#
# Each piece of C in a page stands in the example, as it is, so that it builds and
# is tested. Prints TAP.
awk -v source="$2" '
BEGIN {
	while ((getline line <source) > 0)
		text = text line "\n"
}
/^```c$/ { inside = 1; code = ""; at = FNR; next }
/^```$/ && inside {
	inside = 0
	n++
	found = code != "" && index(text, "\n" code)
	print (found ? "ok " : "not ok ") n " - line " at ": in the example"
	bad += !found
	next
}
inside { code = code $0 "\n" }
END {
	if (!n)
		print "not ok 1 - there is code in the page"
	print "1.." (n ? n : 1)
	exit bad || !n
}' "$1"
