#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# usage: atomics_doc.sh PAGE SOURCE_DIR
#
# Below each heading "### `FILE`" of the page there is a row for each atomic variable that
# FILE declares, named in its first cell, and for no other. Prints TAP.
page=$1
cd "$2" || exit 1

# Each file that declares an _Atomic, other than a local pointer to one, must have a
# heading.
declared=$(find lib shim tool -name '*.[ch]' -exec \
	grep -lE '^(static |extern )?_Atomic|^	+_Atomic[^*]*[a-z_]+(\[[^]]*\])?[,;]' {} + | sort)
# shellcheck disable=SC2086 # these names have no blanks
awk -v declared="$declared" '
function result(good, what)
{
	n++
	print (good ? "ok " : "not ok ") n " - " what
	bad += !good
}

# A declaration: the names after its type.
function names(text,    list, nr, i)
{
	sub(/\/\*.*/, "", text)
	sub(/ = .*/, ";", text)
	if (!sub(/^.*_Atomic\([^)]*\) /, "", text))
		sub(/^.*_Atomic [a-z0-9_]+ /, "", text)
	gsub(/\[[^]]*\]|;/, "", text)
	nr = split(text, list, /, */)
	for (i = 1; i <= nr; i++) {
		gsub(/[ \t]/, "", list[i])
		if (list[i] ~ /^[a-z_0-9]+$/)
			code[FILENAME, list[i]] = 1
	}
}

FILENAME == ARGV[1] {
	if (/^##/)
		file = ""
	if (/^### `.*`$/) {
		file = substr($0, 6, length($0) - 6)
		pages[file] = 1
	}
	if (file != "" && /^\| `/) {
		split($0, cell, "|")
		while (match(cell[2], /`[a-z_0-9]+`/)) {
			doc[file, substr(cell[2], RSTART + 1, RLENGTH - 2)] = 1
			cell[2] = substr(cell[2], RSTART + RLENGTH)
		}
	}
	next
}
/^(static |extern )?_Atomic|^\t+_Atomic/ && !/\) \*|_Atomic [a-z0-9_]+ \*/ { names($0) }

END {
	nr = split(declared, files, /[ \n]+/)
	for (i = 1; i <= nr; i++) {
		wrong = ""
		if (!(files[i] in pages) && !(files[i] == "shim/next.c"))
			wrong = "\n#   it has no heading"
		for (key in code) {
			split(key, part, SUBSEP)
			if (part[1] == files[i] && !(key in doc) && files[i] != "shim/next.c")
				wrong = wrong "\n#   " part[2] " is not on the page"
		}
		for (key in doc) {
			split(key, part, SUBSEP)
			if (part[1] == files[i] && !(key in code))
				wrong = wrong "\n#   " part[2] " is not in the file"
		}
		result(wrong == "", files[i] wrong)
		delete pages[files[i]]
	}
	for (file in pages)
		result(0, file ": no atomic is declared there")
	print "1.." n
	exit bad || !n
}' "$page" $declared
