#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# usage: replay_doc.sh PAGE TABLE
#
# docs/replay.md agrees with lib/policy/registers.tsv on each register, and omits no
# register that is replayed. Prints TAP.
awk -F '\t' -v page="$1" '
function trim(text)
{
	gsub(/^ +| +$/, "", text)
	return text
}

function result(good, what)
{
	n++
	print (good ? "ok " : "not ok ") n " - " what
	bad += !good
}

!/^#/ && $3 == "msr" { replay[$1] = $10 }

END {
	while ((getline line <page) > 0) {
		if (split(line, cell, "|") != 7)
			continue
		says = trim(cell[3])
		if (says != "yes" && says != "write" && says != "no")
			continue
		count = split(trim(cell[2]), name, " ")
		for (i = 1; i <= count; i++) {
			result(replay[name[i]] == says && !(name[i] in seen),
			       name[i] ": " says)
			seen[name[i]] = 1
		}
	}
	for (reg in replay)
		if (replay[reg] != "no")
			result(reg in seen, reg " is in the page")
	result(n > 60, "the page has more than 60 rows to compare")
	print "1.." n
	exit bad != 0
}' "$2"
