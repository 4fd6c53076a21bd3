#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: events.sh REGPIN SHIM FLOODVMM POLICIES
#
# A guest cannot hide one act behind others: each is an event once. Floods of accesses do
# not fill a disk. Tested on the real KVM, with a guest that tries both. Prints TAP.
set -u

flood=$(realpath "$3") policies=$(realpath "$4")
# shellcheck source=tests/live/vmm.sh
source "$(dirname "$0")/vmm.sh"
trap 'rm -rf "$dir"; kill $(jobs -p) 2>/dev/null' EXIT

evidence()
{
	sed 's/^/# err: /' err
	grep -av '"degraded"' events | cut -c1-300 | head -n 12 | sed 's/^/# /'
	grep -ac . events | sed 's/^/# lines: /'
}

run() # OPTIONS .. -- STEPS ..
{
	rm -f events
	timeout -k 1 120 "$regpin" run --no-ctl --events "$dir/events" "${options[@]}" -- \
		"$flood" "$@" >out 2>err
	await '"detached"' events
}

count() # FILTER: the number of events that pass it
{
	jq -s "map(select($1)) | length" events
}

# The number of all events of TYPE, as single lines and in sums.
total() # TYPE
{
	jq -s "map(if .event == \"$1\" then 1
		elif (.event == \"repeated\" or .event == \"dropped\") and .of == \"$1\" then .count
		else 0 end) | add" events
}

# In each second one cause makes ten lines and a sum; the first and the last second may lack
# them.
few_lines() # CAUSES
{
	[[ $(count '.event == "violation"') -le \
		$((10 * ($(count '.event == "repeated"') + 2 * $1) + 10)) ]]
}

policy() # NAME RULES [SETTING ..]
{
	printf '%s\n' "version: 1" "${@:3}" "rules:" "$2" >"$1.yaml"
}

policy report '  - {register: EFER, sticky: [NXE, SCE]}' 'mode: report'
policy two '  - {register: STAR, sticky: [40], never: [41]}' 'arming: start' 'mode: report'
policy mix '  - {register: EFER, sticky: [SCE], action: mask}
  - {register: EFER, sticky: [NXE], mode: report}'
policy wide '  - {register: CSTAR, deny: write}' 'default: deny'

# --- one bit under a flood of another, of one rule ---

options=(--policy report.yaml)
run arm toggle 0xc0000080 0xd00 0xd01 200 write 0xc0000080 0x501 1 \
	toggle 0xc0000080 0x500 0x501 200
[[ $(count '.event == "violation" and .bits == ["NXE"]') == 1 ]]
ok $? "the one write that clears NXE is a line, among 400 that clear SCE"
few_lines 1
ok $? "few of the writes that clear SCE are lines"
[[ $(jq -s 'map(select(.event == "repeated")) | length > 0 and all(.of == "violation" and
	.bits == ["SCE"] and .access == "write" and .first <= .last and (.new == "0xd00" or
	.new == "0x500") and .vcpu == 0 and .rule == "sticky" and .count > 0)' events) == true ]]
ok $? "the other writes are in sums with their bits, times and last value"
# PVM executes a WRMSR to EFER a second time after it was allowed, which is no violation
# then.
[[ $(total violation) -ge 401 && $(total violation) == $(jq 'select(.event == "detached").violations_passed' events) ]]
ok $? "no write is missing in the sums"

# --- an event of another type under a flood of violations ---

options=(--policy "$policies/linux-strict.yaml")
for vcpus in 1 8; do
	run vcpus $vcpus arm read 0x1000 0x107f 30 cr0 0x80000031 read 0x1000 0x107f 30
	# With the CR filter each vCPU makes a violation, and the bit stays set.
	[[ $(count '(.event == "detected" or .event == "violation") and .register == "CR0" and
		.bits == ["WP"]') -ge 1 ]]
	ok $? "$vcpus vCPUs: the clearing of CR0.WP during reads of 128 MSRs in a loop is a line"
	[[ $(total violation) -ge $((128 * 60 * vcpus)) ]]
	ok $? "$vcpus vCPUs: all of the reads are counted: $(total violation)"
	few_lines $vcpus
	ok $? "$vcpus vCPUs: the lines are few: $(wc -l <events)"
done

# --- floods do not fill a disk ---

options=(--policy wide.yaml)
run read 0x1000 0x1fff 5 read 0x1000 0x103f 100
[[ $(total violation) == $((4096 * 5 + 64 * 100)) ]]
ok $? "all reads of thousands of MSRs that a default denies are counted"
[[ $(count '.event == "repeated" and (.indices | length) == 64 and .more_indices') -ge 1 ]]
ok $? "a sum lists the first 64 of these MSRs"
few_lines 1 && [[ $(jq -sr 'map(select(.event == "repeated") | .vcpu) | unique == [0]' events) == true ]]
ok $? "these reads by one vCPU count as one cause"
options=(--policy wide.yaml --event-total 20)
run read 0x1000 0x103f 10 sleep 1100 read 0x1000 0x103f 10 sleep 1100 write 0xc0000083 1 1
[[ $(count '.event == "violation" and .rule == "default"') -le 11 ]]
ok $? "--event-total 20: one rule gets half of the lines"
[[ $(count '.event == "violation" and .rule == "deny"') == 1 && $(total violation) == 1281 ]]
ok $? "--event-total 20: another rule still has its line"

# --- one write that several rules allow with a report ---

options=(--policy two.yaml)
run write 0xc0000081 0x10000000000 1 write 0xc0000081 0x20000000000 1
[[ $(jq -r 'select(.event == "violation") | .rule' events | sort | paste -sd' ') == "never sticky" ]]
ok $? "a write that clears a sticky bit and sets a forbidden one: both are reported"
options=(--policy mix.yaml)
run arm write 0xc0000080 0x500 1
[[ $(jq -r 'select(.event == "violation") | .verdict + " " + .bits[0]' events | sort -u | paste -sd,) == \
	"mask SCE,report NXE" ]]
ok $? "a masked bit and a bit that is only reported are both events"

# --- the reader comes late ---

mkfifo fifo
exec 9<>fifo
rm -f events
timeout -k 1 120 "$regpin" run --no-ctl --policy report.yaml --event-limit 0 --events fifo -- \
	"$flood" arm toggle 0xc0000080 0xd00 0xd01 8000 write 0xc0000080 0x501 1 \
	toggle 0xc0000080 0x500 0x501 100 await go >out 2>err &
vmm=$!
# The ring is full when the agent has no room for more lines, either.
await waiting out || await waiting out || await waiting out
cat fifo >events &
exec 9>&-
touch go
wait "$vmm"
await '"detached"' events
[[ $(count '.event == "dropped" and .of == "violation" and .count > 0') -ge 1 ]]
ok $? "a late reader is informed that events were dropped, and of which rule"
[[ $(count '(.event == "dropped" or .event == "violation") and .rule == "sticky" and
	(.bits | index("NXE"))') -ge 1 ]]
ok $? "a late reader is informed of the bits, even of NXE, which came when there was no room"
[[ $(total violation) -ge 8101 ]]
ok $? "a late reader is informed of the number: $(total violation)"

events_fit
echo "1..$nr"
exit "$failed"
