#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: storm.sh REGPIN FAKE_SHIM
#
# A compromised process of a VMM puts any events into the ring, about VMs that do not
# exist: it can't fill the disk, and no event is missing in the numbers. Guests that violate a
# rule in loops can't hide the first violations in another VM. Prints TAP.
set -u

regpin=$(realpath "$1")
fake=$(realpath "$2")
# shellcheck source=tests/tap.sh
source "$(dirname "$0")/../tap.sh"
export REGPIN_HOST_FORCE=nokvm ASAN_OPTIONS=verify_asan_link_order=0
dir=$(mktemp -d)
cd "$dir" || exit 1
vmm=''
trap '[[ -z $vmm ]] || kill -TERM "$vmm" 2>/dev/null; rm -rf "$dir"' EXIT
events=51000
what="storm $events"
printf '%s\n' 'version: 1' 'arming: start' 'rules:' '  - register: CR0' '    sticky: [WP]' \
	'    optional: true' >policy.yaml

# shellcheck disable=SC2317 # tap.sh calls it
evidence()
{
	sed 's/^/# err: /' err
	jq -r '.event + " " + (.of // "")' events | sort | uniq -c | sed 's/^/# events: /'
}

# run OPTION ..: a storm, or $what, to its end
run()
{
	rm -f events stormed
	# shellcheck disable=SC2086 # words
	"$regpin" run --no-ctl --policy policy.yaml --events events "$@" -- "$fake" $what \
		>out 2>err </dev/null &
	vmm=$!
	for ((i = 0; i < 1200; i++)); do
		[[ -e stormed ]] && break
		sleep 0.05
	done
	kill -TERM "$vmm"
	wait "$vmm"
	vmm=''
	for ((i = 0; i < 200; i++)); do
		grep -q '"detached"' events && break
		sleep 0.05
	done
}

# The number of events, as lines and in numbers, of each type; each must be the same.
totals()
{
	jq -sr 'map(select(.event | IN("degraded", "detached") | not)
		| {of: (if .event == "withheld" then .of else .event end), n: (.count // 1)})
		| group_by(.of) | map("\(.[0].of) \(map(.n) | add)") | .[]' events
}

run --event-limit 0
[[ $(wc -l <events) -gt $events ]]
ok $? "without a limit each event is a line: $(wc -c <events) bytes"
totals >expected
run --event-total 500
# 2000 lines, 25 for each of the 17 types, one for each of 64 VMs, the agent's own two, and two
# reports of what was withheld.
[[ $(grep -vc '"withheld"' events) -le 2491 && $(grep -c '"withheld"' events) -le 34 ]]
ok $? "the budget bounds the lines: $(wc -l <events) lines, $(wc -c <events) bytes"
totals | cmp -s - expected && [[ $(wc -l <expected) == 17 ]]
ok $? "the numbers of what was withheld are exact, for each type"
jq -es 'map(.event) | .[-1] == "detached" and (.[:2504] | index("withheld") != null)' events >/dev/null
ok $? "the first report comes at once, and detached is the last event"
[[ $(jq -c 'select(.event == "detached") | [.violations_passed, .violations_detected]' events) == '[3000,3000]' ]]
ok $? "the totals count all events"

# 10 guests use up the budget of 2000 lines; then vCPUs 1 and 2 of VM 10 violate a rule.
what='guests 10'
run --event-total 500 --event-limit 500
[[ $(jq -s 'map(select(.event == "withheld") | .count) | add' events) -gt 400 &&
	$(jq -sc 'map(select(.event == "violation" and .vm == 10) | .vcpu)' events) == '[1,2]' ]]
ok $? "the first violations in a VM are lines, whatever the guests of other VMs do"
jq -r 'select(.event == "violation" or .event == "repeated" or .of == "violation") | .count // 1' events |
	awk '{ n += $1 } END { exit n != 11 * 400 + 1 }'
ok $? "all violations are lines or in numbers"

echo "1..$nr"
exit "$failed"
