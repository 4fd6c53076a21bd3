#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: doc_names.sh SOURCE_DIR PAGE ..
#
# Everything that a page names between backquotes exists: files and folders by their path,
# functions as `name()`, structs as `struct name`, and constants in capitals with a "_".
# Prints TAP.
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=tests/tap.sh
source "$here/../tap.sh"
cd "$1" || exit 1
shift
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

# All words of the code, each once, and "struct name".
find include lib shim tool kernel tests guest examples \( -name '*.[chS]' -o -name '*.sh' -o -name '*.patch' \) \
	-exec cat {} + | tee "$tmp/code" | grep -aoE '[A-Za-z_][A-Za-z0-9_]*' | sort -u >"$tmp/words"
grep -aoE '^(	*)struct [a-z_0-9]+ \{' "$tmp/code" | tr -d '\t{' | sed 's/ $//' | sort -u >"$tmp/structs"

# Prints what is wrong with one name.
look() # NAME
{
	case $1 in
	*TOY_* | *NAME* | *NN*) ;;	# placeholders
	struct\ kvm_* | _*) ;;		# Linux's structs; the common end of several names
	struct\ *)
		grep -qxF -e "$1" "$tmp/structs" || echo "$1: no such struct" ;;
	*"()")
		grep -qxF -e "${1%"()"}" "$tmp/words" || echo "$1: no such function" ;;
	*[\ \*]*) ;;
	lib/* | shim/* | tool/* | tests/* | include/* | kernel/* | lab/* | docs/* | man/* | policies/* | examples/* | \
		abi/* | measure/* | guest/* | completions/*)
		[ -e "$1" ] || echo "$1: no such file" ;;
	*[!A-Z0-9_]* | [!A-Z]* | *_) ;;
	*_*)
		grep -qxF -e "$1" "$tmp/words" || echo "$1: no such constant" ;;
	esac
}

for page; do
	grep -vE '^(    |	)' "$page" | grep -oE '`[^`]+`' | tr -d '`' | sort -u |
		while read -r name; do look "$name"; done >"$tmp/wrong"
	[ -s "$tmp/words" ] || echo "the code has no words" >>"$tmp/wrong"
	none "$page" "$tmp/wrong"
done
echo "1..$nr"
exit "$failed"
