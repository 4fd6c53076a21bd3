#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: libregpin_doc.sh PAGE INCLUDE_DIR SYMBOL_MAP COMPILER..
#
# libregpin(3) has each public function once, and no other one; it names each header that is
# installed; and its example compiles. Prints TAP.
page=$1 include=$2 map=$3
shift 3
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/tap.sh
source "$(dirname "$0")/../tap.sh"

# shellcheck disable=SC2317 # tap.sh calls it
evidence()
{
	head -n 30 "$tmp/why" | sed 's/^/# /'
}

# A declaration begins at the start of a line, outside of comments. Types of functions are
# only in structs.
sed '/^\/\*/,/\*\//d' "$include"/regpin/*.h |
	grep -Eo '^[a-z][^;{]*[ *](regpin_[a-z_]+)\(' | sed -E 's/.*[ *](regpin_[a-z_]+)\($/\1/' |
	sort >"$tmp/declared"
sed -n '/^# FUNCTIONS/,/^# THREADS/s/^\*\(regpin_[a-z_]*\)\*()$/\1/p' "$page" | sort >"$tmp/listed"
[ -s "$tmp/declared" ] && diff "$tmp/listed" "$tmp/declared" >"$tmp/why"
ok $? 'the page has the functions that the headers declare'

# Inline functions are not in the library.
sed '/^\/\*/,/\*\//d' "$include"/regpin/*.h |
	sed -nE 's/^static inline .*[ *](regpin_[a-z_]+)\(.*/\1/p' >"$tmp/inline"
{
	sed -n 's/^	\(regpin_[a-z_]*\);$/\1/p' "$map"
	cat "$tmp/inline"
} | sort >"$tmp/exported"
diff "$tmp/listed" "$tmp/exported" >"$tmp/why"
ok $? 'the page has the functions that the library exports'

awk '/^\*regpin_[a-z_]*\*\(\)$/ { name = $0; getline; if ($0 !~ /^\t[A-Z].*\.$/) print name ": " $0
	getline; if ($0 !~ /^$/) print name " has more than one line: " $0 }' "$page" >"$tmp/why"
none 'each function has one line' "$tmp/why"

for header in "$include"/regpin/*.h; do
	grep -q "^_<regpin/${header##*/}>_\$" "$page" || echo "$header"
done >"$tmp/why"
none 'the page names each header' "$tmp/why"

# scdoc's escapes in a literal block: \\ is one backslash.
awk '/^```$/ { inside = !inside; next } inside' "$page" | sed 's/\\\\/\\/g' >"$tmp/example.c"
[ -s "$tmp/example.c" ] && "$@" -Wall -Wextra -Werror -I "$include" -c "$tmp/example.c" -o "$tmp/example.o" 2>"$tmp/why"
ok $? 'the example compiles'
cut -d '(' -f 1 "$tmp/listed" >"$tmp/names"
grep -Eo 'regpin_[a-z_]+\(' "$tmp/example.c" | tr -d '(' | grep -Fxv -f "$tmp/names" >"$tmp/why"
none 'the example calls only public functions' "$tmp/why"

echo "1..$nr"
exit "$failed"
