#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The files of the product depend on one another without circles, and each folder only on
# those below it. The order is in the file `layers` beside this script.
#
# usage: layers.sh SOURCE_DIR BUILD_DIR
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=tests/tap.sh
source "$here/../tap.sh"
export LC_ALL=C
[ $# -eq 2 ] || { echo "usage: $0 SOURCE_DIR BUILD_DIR" >&2; exit 2; }
source=$(cd "$1" && pwd) && build=$(cd "$2" && pwd) || exit 1
cd "$source" || exit 1
order=tests/unit/layers
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

# Reads lines "A B ..." (A uses B) and prints those that are part of a circle, or on the way
# from one circle to another.
circles()
{
	awk '
	$1 != $2 && !seen[$1, $2]++ { from[++n] = $1; to[n] = $2; line[n] = $0 }
	END {
		do {
			split("", out); split("", in_)
			for (i = 1; i <= n; i++)
				if (!gone[i]) { out[from[i]] = 1; in_[to[i]] = 1 }
			changed = 0
			for (i = 1; i <= n; i++)
				if (!gone[i] && (!(to[i] in out) || !(from[i] in in_)))
					changed = gone[i] = 1
		} while (changed)
		for (i = 1; i <= n; i++)
			if (!gone[i]) print line[i]
	}'
}

# The sources, and their folders.
awk '$1 == "folder" { print $2 }' "$order" >"$tmp/folders"
awk '$1 == "flat" { print $2 }' "$order" >"$tmp/flat"
find include lib shim tool -name '*.[ch]' | sort >"$tmp/files"
# Files that this build does not compile.
find guest -name '*.[chS]' | sort >"$tmp/guest"
sed 's,/[^/]*$,,' "$tmp/files" "$tmp/guest" | sort -u >"$tmp/there"
sort "$tmp/folders" | comm -13 - "$tmp/there" | sed 's,$, is not in '"$order", >"$tmp/out"
for list in files guest; do
	[ -s "$tmp/$list" ] || echo "no sources below $source: $list" >"$tmp/out"
done
none "each folder with sources has its place in the order" "$tmp/out"

# Which file includes which. A name is looked for beside the file, and then in the include path.
cat "$tmp/files" "$tmp/guest" | while read -r file; do
	dir=${file%/*}
	sed -n 's/^#[ \t]*include[ \t]*"\([^"]*\)".*/\1/p' "$file" | while read -r name; do
		found=
		if [ -f "$dir/$name" ]; then
			found=$dir/$name
		fi
		for root in include lib shim tool .; do
			path=$root/$name
			path=${path#./}
			[ -f "$path" ] && [ "$path" != "$found" ] || continue
			[ -z "$found" ] || echo "$file: \"$name\" is $found and $path" >>"$tmp/twice"
			found=${found:-$path}
		done
		[ -z "$found" ] || echo "${file%.?} ${found%.?} $file includes $found"
	done
done >"$tmp/includes"
touch "$tmp/twice"
[ -s "$tmp/includes" ] || echo "no file includes another one" >"$tmp/twice"
none "each include names exactly one file" "$tmp/twice"

# compile_commands.json has one field a line; FILE and OUTPUT follow the command.
sed -n 's/^ *"\([a-z]*\)": "\(.*\)",\{0,1\}$/\1 \2/p' "$build/compile_commands.json" |
	awk '
	$1 == "command" { command = $0; sub(/^command /, "", command) }
	$1 == "file" { file = $2 }
	$1 == "output" && file ~ /^\.\.\/(lib|shim|tool)\// || \
	$1 == "output" && index(file, source "/") == 1 {
		sub(/^\.\.\//, "", file)
		if (index(file, source "/") == 1)
			file = substr(file, length(source) + 2)
		if (file ~ /^(lib|shim|tool)\//)
			print file "\t" $2 "\t" command
	}' source="$source" | sed 's/\\"/"/g' >"$tmp/commands"

# An object for link-time optimisation has no symbols yet, so it is compiled again without
# that.
objects()
{
	awk -F '\t' '{ lto = $3 ~ / -flto/; if (!($1 in at) || was[$1] && !lto) { at[$1] = $2; was[$1] = lto; command[$1] = $3 } }
	END { for (f in at) print f "\t" (was[f] ? "-" : at[f]) "\t" command[f] }' "$tmp/commands" |
	sort | while IFS="	" read -r file object command; do
		case $object in
		-)	object=$tmp/again.o
			command=$(printf '%s\n' "$command" | sed "s, -flto[^ ]*,,; s, -M[DQF] .*, -O0 -o $object -c $source/$file,")
			(cd "$build" && eval "$command") >&2 || continue ;;
		*)	object=$build/$object ;;
		esac
		nm -g -P "$object" | awk '{ print file, $1, $2 }' file="${file%.c}"
	done
}
objects >"$tmp/symbols"

# Prints "A B S": A refers to S, which B defines. If two files define S, the lower one
# counts.
awk '
FILENAME == ARGV[1] {
	if ($1 == "folder")
		place[$2] = FNR
	else if ($1 == "libc")
		libc[$2] = 1
	next
}
FNR == 1 { pass++ }
$2 in libc { next }
{ folder = $1; sub(/\/[^\/]*$/, "", folder) }
pass == 1 && $3 ~ /^[TDBRVWCSG]$/ {
	if (!($2 in by) || place[folder] < at[$2]) { by[$2] = $1; at[$2] = place[folder] }
	own[$1, $2] = 1
	next
}
pass == 2 && $3 == "U" && ($2 in by) && !(($1, $2) in own) && by[$2] != $1 {
	print $1, by[$2], "uses", $2
}' "$order" "$tmp/symbols" "$tmp/symbols" >"$tmp/uses"

awk '$1 !~ /[.]/ { print $1 ".c" }' "$tmp/symbols" | sort -u >"$tmp/compiled"
grep '\.c$' "$tmp/files" | comm -23 - "$tmp/compiled" | sed "s,\$, has no object in $build," >"$tmp/out"
[ -s "$tmp/uses" ] || echo "no object refers to another one" >>"$tmp/out"
none "each source has an object" "$tmp/out"

# A dependency within a flat folder is not checked.
firm()
{
	awk '
	FILENAME == ARGV[1] { flat[$1] = 1; next }
	{ a = $1; b = $2; sub(/\/[^\/]*$/, "", a); sub(/\/[^\/]*$/, "", b) }
	a != b || !(a in flat)' "$tmp/flat" -
}

# The same for files without objects, by what their text defines (functions, and what .globl
# names) and what words it has. A header belongs to the file whose name it bears.
# shellcheck disable=SC2046 # no name has a blank
awk '
FNR == 1 {
	unit = FILENAME; sub(/[.][^.]*$/, "", unit)
	folder = unit; sub(/\/[^\/]*$/, "", folder)
	pass += FILENAME == ARGV[1]
}
{
	gsub(/"[^"]*"|\/\*.*\*\//, "")
	listed = /^[ \t]*[.]globl /
	defines = listed || /^[a-z].*[^;\\]$/ && !/^static /
	while (match($0, /[A-Za-z_][A-Za-z_0-9]*/)) {
		word = folder "/" substr($0, RSTART, RLENGTH)
		$0 = substr($0, RSTART + RLENGTH)
		if (pass == 1 && defines && (listed || /^\(/)) {
			if (word in by && by[word] != unit)
				by[word] = "several"
			else
				by[word] = unit
			defines = listed
		}
		if (pass == 2 && (word in by) && by[word] != "several" && by[word] != unit)
			print unit, by[word], "names", substr(word, length(folder) + 2)
	}
}' $(cat "$tmp/guest" "$tmp/guest") | sort -u >"$tmp/words"

printf 'a b x\nb c x\nc b x\nc d x\n' | circles | cut -d ' ' -f 1,2 | tr '\n' ' ' >"$tmp/out"
[ "$(cat "$tmp/out")" != "b c c b " ] || : >"$tmp/out"
none "this test detects a circle" "$tmp/out"

firm <"$tmp/includes" | circles | cut -d ' ' -f 3- >"$tmp/out"
none "no file includes itself through others" "$tmp/out"

# In guest/ a header that declares what another file defines needs that file.
cat "$tmp/includes" "$tmp/words" | grep '^guest/' | circles >"$tmp/out"
[ -s "$tmp/words" ] || echo "no file of guest/ has a word of another one" >"$tmp/out"
none "no file of guest/ needs itself through others" "$tmp/out"

firm <"$tmp/uses" | circles >"$tmp/out"
none "no two files call each other, directly or through others" "$tmp/out"

cat "$tmp/includes" "$tmp/uses" | awk '
FILENAME == ARGV[1] { place[$1] = FNR; next }
{ a = $1; b = $2; sub(/\/[^\/]*$/, "", a); sub(/\/[^\/]*$/, "", b) }
place[b] > place[a]' "$tmp/folders" - | sort -u >"$tmp/out"
none "each folder uses only those below it" "$tmp/out"

# Each header is compiled twice in one file, with the flags of the tool.
command=$(awk -F '\t' '$1 == "tool/main.c" { print $3; exit }' "$tmp/commands" | sed 's, -M[DQF] .*,,')
: >"$tmp/out"
[ -n "$command" ] || echo "compile_commands.json does not say how tool/main.c is compiled" >"$tmp/out"
mkdir "$tmp/alone"
grep '\.h$' "$tmp/files" | while read -r file; do
	printf '#include "%s"\n#include "%s"\n' "$source/$file" "$source/$file" \
		>"$tmp/alone/$(echo "$file" | tr / _).c"
done
(cd "$build" && eval "$command -fsyntax-only -fdiagnostics-color=never '$tmp'/alone/*.c") >"$tmp/compiler" 2>&1 ||
	grep -E 'error|warning' "$tmp/compiler" | sort -u >>"$tmp/out"
none "each header compiles alone" "$tmp/out"

# The declarations of a header: functions, and extern variables.
grep '\.h$' "$tmp/files" | while read -r file; do
	grep -q "^flat ${file%/*}\$" "$order" || grep -q "^except ${file}[[:blank:]]" "$order" ||
		awk '
		FILENAME == ARGV[1] {
			if ($3 ~ /^[TDBRVWCSG]$/) { defined[$2] = 1; own[$1, $2] = 1 }
			next
		}
		/^#/ || goes_on { goes_on = /\\$/; next }
		{ text = text $0 "\n" }
		END {
			unit = FILENAME
			sub(/[.]h$/, "", unit)
			while (i = index(text, "/*")) {
				j = index(substr(text, i), "*/")
				text = substr(text, 1, i - 1) " " substr(text, i + j + 1)
			}
			while (match(text, /\{[^{}]*\}/))
				text = substr(text, 1, RSTART - 1) ";" substr(text, RSTART + RLENGTH)
			gsub(/[ \t\n]+/, " ", text)
			nr = split(text, statements, ";")
			for (i = 1; i <= nr; i++) {
				s = statements[i]
				if (s ~ /^ *(static|typedef) /)
					continue
				rest = s
				while (match(rest, /[A-Za-z_][A-Za-z_0-9]*/)) {
					name = substr(rest, RSTART, RLENGTH)
					rest = substr(rest, RSTART + RLENGTH)
					if ((name in defined) && !((unit, name) in own) &&
					    (rest ~ /^ ?\(/ || s ~ /^ *extern / && rest ~ /^ ?(\[|$)/))
						print FILENAME ": " name " is defined elsewhere"
				}
			}
		}' "$tmp/symbols" "$file"
done >"$tmp/out"
none "a header declares what its own file defines" "$tmp/out"

# The members of a VM and a vCPU are private to the library: see lib/vm/embed.h.
awk '
/^struct regpin_(vm|vcpu) \{$/ { inside = 1; next }
/^\}/ { inside = 0 }
inside && /;$/ {
	gsub(/_Atomic\([^)]*\)|\[[^]]*\]|;|[*]/, " ")
	for (i = split($0, words, /[ \t,]+/); words[i] == ""; i--)
		;
	print words[i]
}' lib/vm/types.h | sort -u >"$tmp/members"
members=$(paste -s -d '|' "$tmp/members")
{
	grep -qx policies "$tmp/members" || echo "no members found in lib/vm/types.h"
	grep -nE "(vm|vcpu)->($members)\>" shim/*.c
} >"$tmp/out"
none "the shim uses only functions, not members of the library's structs" "$tmp/out"

echo "1..$nr"
exit "$failed"
