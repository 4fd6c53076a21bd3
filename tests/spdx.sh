#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Each file has an SPDX line, or fits a pattern in COPYING. Prints TAP.
# usage: tests/spdx.sh [DIR]: a tree with a COPYING, otherwise this one
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=tests/tap.sh
source "$here/tap.sh"
top=${1:-$(dirname "$0")/..}
cd "$top" || exit 1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

# Lines "LICENCE<tab>FILE" of the files whose names are the standard input; the licence is
# "-" if there is none among the first ten lines. The end of a comment is not a part of the
# licence.
licences()
{
	LC_ALL=C xargs -rd '\n' awk '
	function put()
	{
		if (file != "")
			print (licence == "" ? "-" : licence) "\t" file
	}
	FNR == 1 { put(); file = FILENAME; licence = "" }
	licence == "" && match($0, /SPDX-License-Identifier: */) {
		licence = substr($0, RSTART + RLENGTH)
		sub(/ *(\*\/|-->).*$/, "", licence)
		sub(/ *$/, "", licence)
	}
	FNR == 10 { nextfile }
	END { put() }'
}

patterns=() folders=()
while read -r word rest; do
	case $word in
	file) patterns+=("${rest%% *}") ;;
	folder) folders+=("$rest") ;;
	esac
done < <(sed -n 's/^    \(file\|folder\)  *\(.*\)$/\1 \2/p' COPYING)

: >"$tmp/none" && : >"$tmp/other" && : >"$tmp/place" && : >"$tmp/used"
files=0
while IFS=$'\t' read -r licence file; do
	file=${file#./}
	files=$((files + 1))
	if [[ $licence == - ]]; then
		for pattern in "${patterns[@]}"; do
			# shellcheck disable=SC2053 # it is a pattern
			[[ $file == $pattern ]] && echo "$pattern" >>"$tmp/used" && continue 2
		done
		echo "$file: no SPDX line, and no pattern in COPYING" >>"$tmp/none"
		continue
	fi
	case $licence in
	GPL-2.0-only | LGPL-2.1-or-later) ;;
	"GPL-2.0-only WITH Linux-syscall-note")
		[[ $file == include/regpin/kvm_cr_filter.h ]] || echo "$file: $licence" >>"$tmp/other" ;;
	*) echo "$file: $licence" >>"$tmp/other" ;;
	esac
	[[ $file == *.[ch] && $licence == GPL-2.0-only ]] || continue
	for folder in "${folders[@]}"; do
		[[ $file != "$folder"/* ]] || echo "$file: $licence, though in $folder" >>"$tmp/place"
	done
done < <(git ls-files -co --exclude-standard | while read -r file; do
	[[ ! -f $file || -L $file || ! -s $file ]] || printf './%s\n' "$file"
done | licences)

((files && ${#patterns[@]} && ${#folders[@]})) ||
	echo "nothing to check: $files files, ${#patterns[@]} patterns" >>"$tmp/none"
none "each of $files files has an SPDX line, or a pattern in COPYING" "$tmp/none"
none "the lines name the licences that COPYING explains" "$tmp/other"
none "the library and the shim are LGPL" "$tmp/place"
printf '%s\n' "${patterns[@]}" | grep -vxF -f "$tmp/used" | sed 's/$/: no file needs this pattern/' >"$tmp/unused"
none "each pattern in COPYING is needed" "$tmp/unused"
echo "1..$nr"
exit "$failed"
