#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Prints, as FILE:LINE, each place of prose, comments and messages that uses a word of
# tests/words, and what to write there. usage: tests/words.sh [FILE ..] (default: all)
set -uo pipefail
here=$(dirname "$(realpath "$0")")
if ((!$#)); then
	cd "$here/.." || exit 1
	mapfile -t files < <(git ls-files -co --exclude-standard)
	set -- "${files[@]}"
fi
text=$(mktemp) || exit 1
trap 'rm -f "$text"' EXIT

# The text of a file, without its code: "FILE:LINE:<tab>TEXT".
prose() # FILE
{
	case $1 in
	*.expected|*.golden|tests/words|*.svg|*.patch|*.tsv) return ;;
	*.md) awk -v f="$1" '
		/^ *```/ { code = !code; next }
		code || /^    / { next }
		{ gsub(/`[^`]*`/, "`"); print f ":" FNR ":\t" $0 }' "$1" ;;
	*.scd) awk -v f="$1" '
		/^```/ { code = !code; next }
		code || /^;/ { next }
		{ gsub(/[*_\\]/, ""); print f ":" FNR ":\t" $0 }' "$1" ;;
	*.c|*.h) awk -v f="$1" '
		# Comments and string literals; what is between them is code.
		{
			line = $0
			out = ""
			while (line != "") {
				if (inside) {
					end = index(line, "*/")
					out = out (end ? substr(line, 1, end - 1) : line)
					line = end ? substr(line, end + 2) : ""
					inside = !end
				} else if (match(line, /\/\*|\/\/|"(\\.|[^"\\])*"/)) {
					what = substr(line, RSTART, RLENGTH)
					rest = substr(line, RSTART + RLENGTH)
					if (what == "/*")
						inside = 1
					else if (what == "//") {
						out = out rest
						rest = ""
					} else if (line !~ /^#[ \t]*include/)
						out = out " " what
					line = rest
				} else
					line = ""
			}
			sub(/^[ \t]*\*?[ \t]*/, "", out)
			if (out != "")
				print f ":" FNR ":\t" out
		}' "$1" ;;
	*) grep -Iq . "$1" || return 0
		awk -v f="$1" 'match($0, /(^|[ \t])# /) {
			print f ":" FNR ":\t" substr($0, RSTART + RLENGTH)
		}' "$1" ;;
	esac
}

for file; do
	[[ ! -f $file ]] || prose "$file"
done >"$text"
[[ -s $text ]] || { echo "there is no text to check here"; exit 1; }
found=0
while IFS=$'\t' read -r pattern instead; do
	[[ -n $pattern && $pattern != '#'* ]] || continue
	[[ -n $instead ]] || { echo "tests/words: no replacement for: $pattern"; found=1; }
	if [[ $pattern == '(^'* ]]; then
		pattern="^[^\\t]*\\t\\K.*?${pattern/'(^'/'((?<=\t)'}"
	else
		pattern="^[^\\t]*\\t\\K.*?$pattern"
	fi
	grep -qP "$pattern" /dev/null
	(($? < 2)) || { echo "tests/words: not a pattern: $pattern"; found=1; }
	while IFS= read -r hit; do
		printf '%s: write: %s\n' "$hit" "$instead"
		found=1
	done < <(grep -iP "$pattern" "$text" | tr '\t' ' ')
done <"$here/words"
exit $found
