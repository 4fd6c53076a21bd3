#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Each relative link in a page leads to a file of this tree, and, with a #, to a heading
# there; and docs/README.md leads to each page of docs/. Prints TAP.
# usage: tests/links.sh [DIR]: a repository or a folder of installed pages; otherwise this tree
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=tests/tap.sh
source "$here/tap.sh"
top=${1:-$(dirname "$0")/..}
cd "$top" || exit 1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

# Lines "PAGE:LINE<tab>TARGET" of the links in a page, without those in code.
links() # PAGE
{
	awk '
	/^ *```/ { code = !code; next }
	code { next }
	{
		gsub(/`[^`]*`/, "")
		while (match($0, /\]\([^()]*(\([^()]*\)[^()]*)*\)/)) {
			print FILENAME ":" FNR "\t" substr($0, RSTART + 2, RLENGTH - 3)
			$0 = substr($0, RSTART + RLENGTH)
		}
	}' "$1"
}

# pages FOLDER: the pages in it; in a repository, those that it has or may get
pages()
{
	if [[ -e .git ]]; then
		git ls-files -co --exclude-standard "${1:+$1/}*.md"
	else
		find "${1:-.}" -name '*.md' | sed 's,^\./,,'
	fi
}

# The anchors that a web page makes of a page's headings: small letters, digits, - and _.
anchors() # PAGE
{
	awk '
	/^ *```/ { code = !code; next }
	!code && /^#+ / {
		$0 = tolower($0)
		sub(/^#+ +/, "")
		gsub(/[^a-z0-9 _-]/, "")
		gsub(/ /, "-")
		print
	}' "$1"
}

nr_pages=0 nr_links=0
: >"$tmp/bad" && : >"$tmp/unlisted"
while read -r page; do
	[[ -f $page ]] || continue
	nr_pages=$((nr_pages + 1))
	while IFS=$'\t' read -r at target; do
		target=${target%% \"*}
		case $target in
		*://* | mailto:*) continue ;;
		esac
		nr_links=$((nr_links + 1))
		file=${target%%#*} anchor=
		[[ $target != *'#'* ]] || anchor=${target#*#}
		case $file in
		'') file=$page ;;
		/*) echo "$at: $target is absolute" >>"$tmp/bad"; continue ;;
		*) file=$(dirname "$page")/$file ;;
		esac
		if [[ ! -e $file ]]; then
			echo "$at: $target does not exist" >>"$tmp/bad"
		elif [[ $anchor && $file == *.md ]] && ! anchors "$file" | grep -qxF -e "$anchor"; then
			echo "$at: $target has no such heading" >>"$tmp/bad"
		fi
	done < <(links "$page")
done < <(pages '')

((nr_pages && nr_links)) || echo "no links found: $nr_pages pages" >>"$tmp/bad"

# A page that no other one leads to is not found by its readers.
while read -r page; do
	[[ -f $page && $page != docs/README.md ]] || continue
	links docs/README.md | cut -f 2 | grep -qxF -e "${page#docs/}" || echo "$page" >>"$tmp/unlisted"
done < <(pages docs)

none "$nr_links relative links in $nr_pages pages lead somewhere" "$tmp/bad"
none "docs/README.md lists each page of docs/" "$tmp/unlisted"
echo "1..$nr"
exit "$failed"
