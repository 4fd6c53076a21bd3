#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# usage: layout_doc.sh PROGRAM PAGE ..
#
# The tables "| offset | size | `member` |" below a heading that ends in "`struct NAME`, N bytes"
# give each member of that struct where it stands, and leave out none: PROGRAM
# prints the members. Each struct that it prints is in one of the pages. Prints TAP.
program=$1
shift
"$program" | awk '
function result(good, what)
{
	n++
	print (good ? "ok " : "not ok ") n " - " what
	bad += !good
}

function trim(text)
{
	gsub(/^[ `]+|[ `]+$/, "", text)
	return text
}

# The lines of the program. They come first, because "-" precedes the pages in ARGV.
FILENAME == "-" {
	if ($2 == "-") {
		size[$1] = $4
		# Members that follow each other without a hole are all of them.
		whole[$1] = at[$1] == $4
	} else {
		hole[$1] += $3 != at[$1]
		place[$1, $2] = $3 " " $4
		at[$1] = $3 + $4
		members[$1]++
	}
	next
}
/^#/ {
	struct = ""
	if (match($0, /`struct [a-z_]+`, [0-9]+ bytes$/)) {
		split(substr($0, RSTART), word, /[ `,]+/)
		struct = word[3]
		seen[struct]++
		if (size[struct] != word[4])
			wrong[struct] = wrong[struct] "\n#   " FILENAME ": it has " size[struct] " bytes"
	}
}
struct != "" && /^\| [0-9]+ \| [0-9]+ \| `/ {
	split($0, cell, "|")
	name = trim(cell[4])
	if (place[struct, name] != trim(cell[2]) " " trim(cell[3]))
		wrong[struct] = wrong[struct] "\n#   " FILENAME ": " name " is at " place[struct, name]
	rows[struct]++
}
END {
	for (s in size) {
		if (hole[s] || !whole[s])
			wrong[s] = wrong[s] "\n#   layout_doc.c leaves out a member"
		if (seen[s] != 1)
			wrong[s] = wrong[s] "\n#   " seen[s] + 0 " headings name it"
		if (rows[s] != members[s])
			wrong[s] = wrong[s] "\n#   " rows[s] + 0 " rows for " members[s] " members"
		result(wrong[s] == "", "struct " s wrong[s])
	}
	for (s in seen)
		if (!(s in size))
			result(0, "struct " s " is not printed by the program")
	print "1.." n
	exit bad || !n
}' - "$@"
