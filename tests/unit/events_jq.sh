#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: events_jq.sh ROOT EVENTS_DOC
#
# The examples that convert events to OCSF and ECS give what these schemas require, for each
# line in regpin-events(7) and for a part of the lines that EVENTS_DOC writes. Prints TAP.
root=$(cd "$1" && pwd) || exit 2
made=$2
command -v jq >/dev/null || { echo '1..0 # SKIP no jq'; exit 0; }
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/tap.sh
source "$(dirname "$0")/../tap.sh"

# all TITLE FILE CONDITION: each value in FILE meets it; those that don't are printed
all()
{
	jq -c "select(($3) | not)" "$2" >"$tmp/bad" 2>&1
	[ -s "$2" ] && ! [ -s "$tmp/bad" ]
	ok $? "$1"
	sed 's/^/# /' "$tmp/bad" | head -n 5
}

{
	awk '
	/^```$/ { inside = !inside; if (!inside && line ~ /^{"time"/) print line; line = ""; next }
	inside { sub(/^ /, ""); line = line $0 }' "$root/man/regpin-events.7.scd"
	# EVENTS_DOC writes tens of thousands of lines, so every 20th of them is taken, and
	# each example.
	"$made" | sed -n '/^example/p; 0~20p' | sed 's/^[a-z]* {/{/'
} | grep '^{"time"' >"$tmp/lines"
jq -r .event "$tmp/lines" | sort -u >"$tmp/events"
sed -n '/^# EVENTS/,/^# KEYS OF/s/^## //p' "$root/man/regpin-events.7.scd" | sort -u |
	diff - "$tmp/events" >/dev/null
ok $? "there is a line for each event"

[ "$(jq -r .severity "$tmp/lines" | sort -u | wc -l)" -eq 4 ]
ok $? "there is a line of each severity"

for schema in ocsf ecs; do
	jq -c -f "$root/examples/events/$schema.jq" "$tmp/lines" >"$tmp/$schema" 2>"$tmp/err" &&
		[ "$(wc -l <"$tmp/$schema")" -eq "$(wc -l <"$tmp/lines")" ]
	ok $? "$schema: each line becomes one object"
	sed 's/^/# /' "$tmp/err"
done

all 'ocsf: the required attributes of each class' "$tmp/ocsf" '
	(.class_uid | IN(0, 2004, 6002)) and .category_uid == (.class_uid / 1000 | floor)
	and (.activity_id | type) == "number" and .type_uid == .class_uid * 100 + .activity_id
	and .severity_id == {alert: 4, warning: 3, notice: 2, info: 1}[.unmapped.severity] and (.time | type) == "number" and .time == (.time | floor)
	and .metadata.version == "1.5.0" and .metadata.product.name == "regpin"
	and .metadata.product.vendor_name == "regpin" and (.message | length) > 8'
all 'ocsf: a finding has the attributes that its class requires' "$tmp/ocsf" '
	.class_uid != 2004 or (.activity_id == 1 and (.finding_info.uid | length) > 20
	and (.finding_info.title | length) > 8 and (.action_id | IN(0, 2, 3, 4))
	and (.disposition_id | IN(2, 6, 7, 9, 11, 15, 17)) and (.resources[0].name | length) > 1
	and .metadata.profiles == ["security_control"])'
all 'ocsf: an event of a life cycle names the application' "$tmp/ocsf" '
	.class_uid != 6002 or (.app.name == "regpin" and (.activity_id | IN(3, 4)))'
all 'ocsf: the time is that of the line, in milliseconds' "$tmp/ocsf" '
	(.time / 1000 | floor | todate) == .metadata.original_time[0:19] + "Z"
	and .time % 1000 == (.metadata.original_time[20:23] | tonumber)'
all 'ocsf: the object contains the whole event' "$tmp/ocsf" '(.raw_data | fromjson) == .unmapped'
# shellcheck disable=SC2016 # jq's variables
all 'ocsf: the action is the one that was taken' "$tmp/ocsf" '
	.unmapped.action as $v | .class_uid != 2004 or $v == null
	or .action_id == {gp: 2, stop: 2, drop: 2, mask: 4, restore: 4, report: 3, allow: 3, pause: 0}[$v]'

all 'ecs: the base and categorization fields' "$tmp/ecs" '
	."@timestamp" == .regpin.time and .ecs.version == "9.0.0" and (.message | length) > 8
	and (.event.kind | IN("alert", "event")) and (.event.category | type) == "array"
	and all(.event.category[]; IN("intrusion_detection", "configuration", "host"))
	and .event.action == .regpin.event and .event.dataset == "regpin.events"
	and (.event.outcome == null or (.event.outcome | IN("success", "failure", "unknown")))
	and .event.severity == {alert: 3, warning: 4, notice: 5, info: 6}[.regpin.severity]'
# The types that ECS expects for each category.
# shellcheck disable=SC2016 # jq's variables
all 'ecs: the types fit the category' "$tmp/ecs" '
	{intrusion_detection: ["allowed", "denied", "info"],
	configuration: ["access", "change", "creation", "deletion", "info"],
	host: ["access", "change", "end", "info", "start"]}[.event.category[0]] as $types
	| all(.event.type[]; IN($types[]))'
all 'ecs: arrays have one type' "$tmp/ecs" 'all(.regpin.bits // [] | .[]; type == "string")'
all 'ecs: identifiers have the types of the schema' "$tmp/ecs" '
	(.user.id == null or (.user.id | type) == "string")
	and (.process.pid == null or (.process.pid | type) == "number")
	and (.regpin.rule == null or .rule.name == .regpin.rule)'
jq -s 'map(select(.regpin.event == "violation" and .regpin.action == "gp")) |
	length > 0 and all(.[]; .event.kind == "alert" and .event.type == ["denied"])' "$tmp/ecs" |
	grep -qx true
ok $? "ecs: a violation that was stopped is an alert of type denied"

echo "1..$nr"
exit "$failed"
