#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: catalog.sh ROOT
#
# The table of events in the journal, the journal's catalog and regpin-events(7) have the
# same events, and systemd can read the catalog. Prints TAP.
root=$(cd "$1" && pwd) || exit 2
catalog=$root/misc/regpin.catalog
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/tap.sh
source "$(dirname "$0")/../tap.sh"

# Lines of "EVENT ID SENTENCE", without the event in the file `of.table`.
awk '
/^\t\{ "/ { split($0, part, "\""); name = part[2]; next }
name && /^\t  "/ { split($0, part, "\""); if (!id) id = part[2]; else { print name, id, part[2]; name = id = "" } }
' "$root/tool/agent/journal_table.c" >"$tmp/table"
cut -d ' ' -f 1 "$tmp/table" | sort >"$tmp/names"
sed -n '/^# EVENTS/,/^# KEYS OF/s/^## //p' "$root/man/regpin-events.7.scd" | sort >"$tmp/page"
same 'each event of regpin-events(7) has a row in the table' "$tmp/page" "$tmp/names"
cut -d ' ' -f 2 "$tmp/table" | grep -Ex '[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}' | sort -u >"$tmp/ids"
cut -d ' ' -f 2 "$tmp/table" | sort >"$tmp/all.ids"
same 'each row has an identifier of its own, a random UUID' "$tmp/all.ids" "$tmp/ids"
cut -d ' ' -f 2- "$tmp/table" | sort >"$tmp/of.table"
awk '/^-- / { id = $2 } /^Subject: regpin: / { print id, substr($0, 18) }' "$catalog" |
	sort >"$tmp/of.catalog"
same 'the catalog has the identifiers and the sentences of the table' "$tmp/of.table" "$tmp/of.catalog"

# Fields that the texts name.
grep -o '@[A-Z_]*@' "$catalog" | tr -d @ | sort -u >"$tmp/fields"
awk '/^# / { part = $0 } part == "# KEYS" && /^(\[\[|\|)/ {
	sub(/^(\[\[|\|) */, ""); n = split($0, keys, /, */)
	for (i = 1; i <= n; i++) print "REGPIN_" toupper(keys[i]) }
END { print "REGPIN_EVENT" }' "$root/man/regpin-events.7.scd" | sort -u >"$tmp/known"
comm -23 "$tmp/fields" "$tmp/known" >"$tmp/unknown"
[ -s "$tmp/fields" ] || echo 'the texts name none' >"$tmp/unknown"
none 'the texts name only keys of events' "$tmp/unknown"

mkdir -p "$tmp/root/usr/lib/systemd/catalog" "$tmp/root/var/lib/systemd/catalog" "$tmp/root/etc"
cp "$catalog" "$tmp/root/usr/lib/systemd/catalog"
if ! command -v journalctl >/dev/null; then
	skip 'systemd reads the catalog' 'no journalctl'
elif ! journalctl --root "$tmp/root" --update-catalog >"$tmp/log" 2>&1; then
	none 'systemd reads the catalog' "$tmp/log"
else
	journalctl --root "$tmp/root" --dump-catalog 2>/dev/null |
		awk '/^-- / { id = $2 } /^Subject: regpin: / { print id, substr($0, 18) }' |
		sort >"$tmp/of.systemd"
	same 'systemd reads the catalog' "$tmp/of.table" "$tmp/of.systemd"
fi
echo "1..$nr"
exit "$failed"
