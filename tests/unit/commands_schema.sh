#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: commands_schema.sh REGPIN_BINARY
#
# The schema of what commands print with --json: each key has one type, the one that it has
# in events; the manual describes it; and output that differs from the schema is found.
# Prints TAP. That all tests' output fits the schema is checked by tests/json.sh.
regpin=$(realpath "$1") || exit 2
root=$(realpath "$(dirname "$0")/../..") || exit 2
schema=$root/docs/schema/commands-1.json
events=$root/docs/schema/events-1.json
command -v jq >/dev/null || { echo '1..0 # SKIP no jq'; exit 0; }
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/tap.sh
source "$root/tests/tap.sh"
cd "$tmp" || exit 2

# shellcheck disable=SC2016 # jq's variables
jq -r '."$defs" | to_entries[] | .key as $object | .value | objects | select(.properties) |
	(select(.additionalProperties != false) | "\($object) allows other keys"),
	(.properties | to_entries[] | select(.value != {"$ref": "#/$defs/keys/\(.key)"}) |
	"\($object).\(.key)")' "$schema" >bad
none 'each key has one type, whatever object it is in' bad
# shellcheck disable=SC2016 # jq's variables
jq -r '."$defs" | [.. | objects | .properties? // empty | keys[]] as $used |
	.keys | keys[] | select(IN($used[]) | not)' "$schema" >bad
none 'the schema has no key that no command prints' bad
# shellcheck disable=SC2016 # jq's variables
jq -rn --slurpfile c "$schema" --slurpfile e "$events" '
	$c[0]."$defs" as $mine | $e[0]."$defs" as $theirs |
	($theirs.keys + ($e[0].properties | {name, vmm_pid, severity, time})) as $keys |
	($mine.keys | to_entries[] | select(.key | IN($keys | keys[])) |
	select(.value != $keys[.key]) | .key), ("hex", "time", "words", "action" |
	select($mine[.] != $theirs[.]))' >bad
none 'keys that events have, too, have the same type there' bad
jq -rn --slurpfile c "$schema" --slurpfile e "$events" '
	$c[0]."$defs".keys | keys[] | select(IN($e[0]."$defs".keys | keys[]))' >shared
[ "$(wc -l <shared)" -gt 20 ] || echo "only $(wc -l <shared) keys are shared" >bad
none 'the commands and the events share keys' bad
# regpin(1) refers to regpin-events(7) for keys that events have.
jq -r '."$defs".keys | keys[]' "$schema" | while read -r key; do
	grep -q "\\*$key\\*" "$root/man/regpin.1.scd" "$root/man/regpin-ctl.1.scd" ||
		grep -q "\`$key\`" "$root/docs/protocol.md" || grep -qx "$key" shared ||
		grep -Eqw "$key" "$root/man/regpin-events.7.scd" || echo "$key"
done >bad
none 'each key is described in regpin(1), regpin-ctl(1) or protocol.md' bad
# Keys of the schema that the manual does not have were found above; this is the reverse.
sed -n '/^# JSON/,/^# [^J]/p' "$root/man/regpin.1.scd" | tr '\n' ' ' |
	grep -oE '\*[a-z][a-z_0-9]+\*' | tr -d '*' | sort -u >said
jq -r '."$defs" | (.keys | keys[]), keys[], (.. | .enum? // empty | .[])' "$schema" | sort -u >known
printf '%s\n' run >>known
grep -vxFf known said >bad
none 'each key in the section JSON of regpin(1) is in the schema' bad

# --- changes are found ---

printf 'version: 1\nrules:\n  - {register: EFER, sticky: [NXE]}\n  - {register: CR0, sticky: [WP], optional: true}\n' >a.yaml
printf 'version: 1\nrules:\n  - {register: EFER, sticky: [NXE, SCE]}\n' >b.yaml
printf '0 set EFER 0xd01\narm\n0 wrmsr EFER 0 => gp\n' >trace
"$regpin" check --json a.yaml none >check.json
"$regpin" probe --json a.yaml >probe.json
"$regpin" explain --json --stock a.yaml >explain.json
"$regpin" diff --json a.yaml b.yaml >diff.json
"$regpin" sim --json --stock a.yaml trace >sim.json
"$regpin" regs --json EFER=0xd01 0x12345 @ >regs.json

"$root/tests/schema_check" "$schema#/\$defs/check" check.json >/dev/null 2>&1
if [ $? = 77 ]; then
	skip "changes are found" "no python3-jsonschema"
	echo "1..$nr"
	exit "$failed"
fi
for command in check probe explain diff sim regs; do
	"$root/tests/schema_check" "$schema#/\$defs/$command" $command.json >bad 2>&1
	none "$command: the output fits" bad
	"$root/tests/schema_check" --keys "$schema#/\$defs/$command" $command.json >bad 2>&1
	none "$command: the output would not fit a schema without one of its keys, or with another type" bad
done
# A key that the schema does not have, and a key with another type.
sed 's/"ok"/"okay":1,"ok"/' check.json >more.json
"$root/tests/schema_check" "$schema#/\$defs/check" more.json >found 2>&1
: >bad
grep -q "'okay' was unexpected" found || cp found bad
none 'a key that the schema does not have is found' bad
sed 's/"rules":[0-9]*/"rules":"2"/' check.json >other.json
"$root/tests/schema_check" "$schema#/\$defs/check" other.json >found 2>&1
: >bad
grep -q "'2' is not of type 'integer'" found || cp found bad
none 'a key with another type is found' bad

echo "1..$nr"
exit "$failed"
