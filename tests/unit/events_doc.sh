#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: events_doc.sh PAGE ROOT EVENTS_DOC
#
# regpin-events(7) and the code have the same events and the same keys. For the events of
# the library the table of keys is compared with lines that the code writes; the lines in
# the page are those lines, and name no key that the table does not have. Prints TAP.
page=$1 root=$2 made=$3
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/tap.sh
source "$(dirname "$0")/../tap.sh"
# The keys of all lines.
common='time event severity version seq name host vmm_pid policy_name policy_hash'

# --- the page: sections, tables, lines ---

awk '
/^# / { part = $2; for (i = 3; i <= NF; i++) part = part " " $i; name = "" }
part == "EVENTS" && /^## / { name = $2; print name >sections }
name { print name, $0 >text }
/^\[\[ / { row = "" }
/^[|:]/ {
	cell = $0
	sub(/^[|:][-<>[]? */, "", cell)
	if (/^\|/) {
		row = cell
		nth = 1
	} else {
		nth++
	}
	if (part == "KEYS OF EACH EVENT" && row && nth > 1) {
		n = split(cell, keys, /, */)
		for (i = 1; i <= n; i++)
			if (keys[i] != "-")
				print row, nth == 2 ? "always" : "sometimes", keys[i] >table
	}
	if (part == "KEYS" && nth == 1) {
		n = split(row, keys, /, */)
		for (i = 1; i <= n; i++)
			print keys[i] >list
	}
}
/^```$/ { inside = !inside; if (!inside && line ~ /^{"time"/) print name, line >lines; line = ""; next }
inside && name { sub(/^ /, ""); line = line $0 }
' sections="$tmp/sections" text="$tmp/text" table="$tmp/table" list="$tmp/list" \
	lines="$tmp/lines" "$page"

sort "$tmp/sections" >"$tmp/page"
cut -d ' ' -f 1 "$tmp/table" | sort -u >"$tmp/rows"
same 'each event has a section and a row in the table of keys' "$tmp/page" "$tmp/rows"

# --- names and keys in the code ---

code()
{
	cat "$root"/tool/event/*.c "$root"/tool/agent/*.c
}

{
	sed -n '/^const char \*const event_type_names/,/^};/s/.*= "\(.*\)",/\1/p' \
		"$root/tool/event/event_names.c"
	code | grep -Eo '\.type = "[a-z-]+"|begin\(buf, &?json, [^;]*"[a-z-]+"|put_sum\(agent, "[a-z-]+"|report_admitted\(agent, pid, "[a-z-]+"' |
		sed 's/.*"\(.*\)"/\1/'
} | sort -u >"$tmp/names"
same 'the sections are the events in the code' "$tmp/page" "$tmp/names"

{
	cat "$root"/tool/event/*.c "$root/tool/agent/ctl_event.c" "$root/tool/agent/keep.c" |
		grep -Eo 'json_[a-z0-9_]+\(&?json, "[a-z0-9_]+"' | sed 's/.*"\(.*\)"/\1/'
	code | grep -Eo '\.counts\[[0-9]\] = \{ "[a-z_]+"|counts\[[0-9]\]\.name = "[a-z_]+"' |
		sed 's/.*"\(.*\)"/\1/'
	sed -n 's/.*counts\[[0-9]\]\.name = exited ? "\([a-z_]*\)".*/\1/p' "$root/tool/agent/report.c"
	code | sed -n '/\.counts = {/,/^		},/p' | grep -Eo '"[a-z_]+"' | tr -d '"'
	grep -Eo '\\"[a-z]+\\":' "$root/tool/event/event_tail.c" | tr -d '\\":'
} | sort -u >"$tmp/keys"
sort "$tmp/list" >"$tmp/listed"
same 'the list of keys has those in the code' "$tmp/listed" "$tmp/keys"
{
	echo "$common" | tr ' ' '\n'
	cut -d ' ' -f 3 "$tmp/table"
} | sort -u >"$tmp/used"
same 'each key belongs to an event' "$tmp/used" "$tmp/listed"

# --- which keys are always present, and which sometimes ---

"$made" >"$tmp/all" || exit 1
sort -u "$tmp/all" >"$tmp/made"
# keys: of lines of "EVENT {...}", as "EVENT always|sometimes KEY"
keys()
{
	awk -v keys="$common" '
	BEGIN {
		n = split(keys, list, " ")
		for (i = 1; i <= n; i++)
			common[list[i]]
	}
	{
		name = $1
		$1 = ""
		total[name]++
		# The keys of an object in the line are not keys of the event.
		gsub(/:{[^}]*}/, ":0")
		while (match($0, /[,{]"[a-z0-9_]+":/)) {
			key = substr($0, RSTART + 2, RLENGTH - 4)
			if (!(key in common))
				count[name " " key]++
			$0 = substr($0, RSTART + RLENGTH)
		}
	}
	END {
		for (i in count) {
			split(i, of, " ")
			print of[1], count[i] == total[of[1]] ? "always" : "sometimes", of[2]
		}
	}' | sort
}

sed 's/^[a-z]* \(.*"event":"\([a-z-]*\)".*\)/\2 \1/' "$tmp/made" >"$tmp/lines.made"
keys <"$tmp/lines.made" >"$tmp/keys.made"
# These come from the agent as well, with other keys.
both='^(refused|tolerated|dropped)( |$)'
cut -d ' ' -f 1 "$tmp/keys.made" | sort -u | grep -Ev "$both" >"$tmp/library"
pick()
{
	awk 'NR == FNR { of[$1]; next } $1 in of' "$tmp/library" "$1" | sort
}
pick "$tmp/table" >"$tmp/of.page"
pick "$tmp/keys.made" >"$tmp/of.code"
same 'the table has the keys with which the library'\''s events are written' "$tmp/of.page" "$tmp/of.code"

# The agent's events: their lines in the page come from runs.
cat "$tmp/lines" "$tmp/lines.made" | keys >"$tmp/keys.shown"
awk 'NR == FNR { of[$1 " " $3] = $2; next } !(($1 " " $3) in of) { print "in no row: " $0 }' \
	"$tmp/table" "$tmp/keys.shown" >"$tmp/bad"
none 'no line has a key that the table does not list for its event' "$tmp/bad"
awk 'NR == FNR { of[$1 " " $3] = $2; next }
	$2 == "always" && of[$1 " " $3] != "always" { print "not in each line: " $0 }' \
	"$tmp/keys.shown" "$tmp/table" >"$tmp/bad"
none 'each line has the keys that the table lists as always present' "$tmp/bad"

# --- the lines in the page ---

cut -d ' ' -f 1 "$tmp/lines" | sort -u >"$tmp/shown"
same 'each event has a line in the page' "$tmp/page" "$tmp/shown"
awk '{ match($0, /"event":"[a-z-]+"/); of = substr($0, RSTART + 9, RLENGTH - 10)
	if (of != $1) print $1 ": " $0 }' "$tmp/lines" >"$tmp/bad"
none 'each line is in the section of its event' "$tmp/bad"
# plain: without texts, whose wording may change, and without what the page leaves out
plain()
{
	grep -Ev "$both" | sed 's/"text":"[^"]*"/"text":""/; s/,"version":1,"seq":.*"policy_hash":"[0-9a-f]*"//' | sort
}
awk 'NR == FNR { of[$1]; next } $1 in of' "$tmp/library" "$tmp/lines" | plain >"$tmp/bad.page"
sed -n 's/^example \(.*"event":"\([a-z-]*\)".*\)/\2 \1/p' "$tmp/made" | plain >"$tmp/bad.code"
same 'the lines of the library'\''s events are those that the code writes' "$tmp/bad.page" "$tmp/bad.code"

# --- words that a key may have as its value ---

sed -E 's/^([a-z-]+) .*/\1/' "$tmp/lines.made" | paste -d ' ' - "$tmp/lines.made" | awk '
{
	name = $1
	while (match($0, /"(cause|reason|action|in|found)":"[a-z0-9-]+"/)) {
		pair = substr($0, RSTART, RLENGTH)
		$0 = substr($0, RSTART + RLENGTH)
		gsub(/"/, "", pair)
		sub(/.*:/, "", pair)
		if (name != "repeated" && name != "dropped")
			print name, pair
	}
}' | sort -u >"$tmp/words"
while read -r name word; do
	grep "^$name " "$tmp/text" | grep -q "_${word}_" || echo "$name: $word"
done <"$tmp/words" >"$tmp/bad"
none 'each word that the code writes is explained' "$tmp/bad"

# --- severities ---

awk '/^# / { part = $2 }
part == "SEVERITY" && /^\|/ { severity = $2 }
part == "SEVERITY" && /^:  / {
	while (match($0, /\*[a-z-]+\*/)) {
		print severity, substr($0, RSTART + 1, RLENGTH - 2)
		$0 = substr($0, RSTART + RLENGTH)
	}
}' "$page" | sort -u >"$tmp/severity.page"
grep -Ev '^(repeated|dropped) ' "$tmp/lines.made" |
	sed 's/^\([a-z-]*\) .*"severity":"\([a-z]*\)".*/\2 \1/' | sort -u >"$tmp/severity.made"
comm -13 "$tmp/severity.page" "$tmp/severity.made" >"$tmp/bad"
none 'each severity of an event of the library is in the table' "$tmp/bad"
sed -n 's/^	{ "\([a-z-]*\)", SEVERITY_\([A-Z]*\) },$/\2 \1/p' \
	"$root/tool/event/event_severity.c" | tr '[:upper:]' '[:lower:]' |
	grep -Ev ' (repeated|dropped)$' | sort >"$tmp/severity.notices"
comm -13 "$tmp/severity.page" "$tmp/severity.notices" >"$tmp/bad"
[ -s "$tmp/severity.notices" ] || echo "no severities in the code" >"$tmp/bad"
none 'each severity of an event of the agent is in the table' "$tmp/bad"

# --- the schema ---

schema=$root/docs/schema/events-1.json
if command -v jq >/dev/null; then
	jq -r '.allOf[] | .if.properties.event.const as $name | .then |
		.required as $always | .properties | keys[] |
		"\($name) \(if IN($always[]) then "always" else "sometimes" end) \(.)"' \
		"$schema" | sort >"$tmp/of.schema"
	sort "$tmp/table" >"$tmp/of.page"
	same 'the schema has the keys of the table' "$tmp/of.page" "$tmp/of.schema"
else
	skip 'the schema has the keys of the table' 'no jq'
fi
# The page leaves out what all lines have.
tail='"version":1,"seq":1,"name":"a","host":"b","vmm_pid":1,"policy_name":"c","policy_hash":"0123456789ab"'
cut -d ' ' -f 2- "$tmp/lines" |
	sed "s/\(\"severity\":\"[a-z]*\"\)\(.*\)}\$/\1,$tail\2}/" >"$tmp/whole"
cut -d ' ' -f 2- "$tmp/lines.made" >>"$tmp/whole"
"$root/tests/schema_check" "$schema" "$tmp/whole" >"$tmp/bad" 2>&1
if [ $? = 77 ]; then
	skip 'the lines of the page and of the code fit the schema' 'no python3-jsonschema'
else
	none 'the lines of the page and of the code fit the schema' "$tmp/bad"
fi

# --- the line in the README, which names a policy that anyone can look up ---

grep '^{"time"' "$root/README.md" >"$tmp/readme"
hash=$(sha256sum "$root/policies/linux.yaml" | cut -c 1-12)
place=$(sed -n 's/.*"rule":"\([a-z]*\)","where":"\([^:"]*\):\([0-9]*\):.*/\1 \2 \3/p' "$tmp/readme")
read -r rule file line <<<"$place"
{
	grep -q "\"policy_hash\":\"$hash\"" "$tmp/readme" || echo "its policy_hash is not $hash, the hash of policies/linux.yaml"
	[[ $line ]] && sed -n "${line}p" "$root/$file" | grep -q " $rule: " || echo "there is no $rule at $file:$line"
} >"$tmp/bad"
none "the line in README.md names the policy and the rule that are in the tree" "$tmp/bad"

echo "1..$nr"
exit "$failed"
