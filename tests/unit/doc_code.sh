#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# usage: doc_code.sh PAGE SOURCE
#
# Each piece of C in a page must be in the example, character by character, so that it is
# built and tested. Prints TAP.
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
		print "not ok 1 - the page has code"
	print "1.." (n ? n : 1)
	exit bad || !n
}' "$1"
