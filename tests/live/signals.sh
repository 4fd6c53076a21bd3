#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: signals.sh REGPIN SHIM SIGVMM
#
# A VMM catches, ignores or blocks the signal by which regpin interrupts its vCPUs, while
# its guest clears CR0.WP and does not exit. regpin detects and reports that, and repairs it
# as soon as possible. Prints TAP.
set -u

sigvmm=$(realpath "$3")
# shellcheck source=tests/live/vmm.sh
source "$(dirname "$0")/vmm.sh"
cat >wp.yaml <<'Y'
version: 1
rules:
  - {register: CR0, sticky: [WP], optional: true}
  - {register: LSTAR, uniform: true}
Y
"$regpin" probe --json | grep -q '"cr_filter":false' ||
	skip_all "this KVM filters control registers: nothing is polled"

# run HOW: the VMM's output is in the file out, its events in ev
run()
{
	rm -f ev
	timeout 60 "$regpin" run --no-ctl --policy wp.yaml --events ev -- "$sigvmm" "$1" >out 2>err
	await '"detached"' ev
	detected=$(grep -c '"event":"detected".*"WP"' ev)
	reasons=$(jq -r 'select(.event == "unreached") | .reason' ev | tr '\n' ' ')
}

# Prints the files if the test fails.
expect() # VALUE EXPECTED DESCRIPTION
{
	[[ $1 == "$2" ]]
	ok $? "$3"
	[[ $1 == "$2" ]] || {
		echo "# '$1' and not '$2'; output, errors, events:"
		sed 's/^/#   /' out err ev | cut -c1-240
	}
}

run keep
expect "$detected" 1 "keep: the clearing of WP is detected"
expect "$reasons" "" "keep: the vCPU is always reached"
for how in take ignore; do
	run "$how"
	[[ $how == take ]] && reason=taken || reason=ignored
	expect "$reasons" "$reason over " "$how: reported, and repaired"
	expect "$detected" 1 "$how: the clearing of WP is detected after the repair"
	jq -se '[.[] | select(.event == "unreached")] | length == 2 and all(.[]; .signal >= 34 and (.text | length > 20) and (has("vcpu") | not))' ev >/dev/null
	ok $? "$how: the event names the signal and the consequence"
done
run take
expect "$(grep -c '^own 5$' out)" 1 "take: the VMM's handler gets only the VMM's own signals"
run block
expect "$reasons" "blocked over " "block: reported, and repaired at the next exit"
expect "$detected" 1 "block: the clearing of WP is detected after the repair"
expect "$(jq -r 'select(.event == "detected" or .event == "unreached") | .event' ev | head -n 1)" \
	unreached "block: the report comes while nothing can be detected"
run mask
expect "$reasons" "" "mask: KVM_RUN's signal mask lets regpin's signal in"
expect "$detected" 1 "mask: the clearing of WP is detected"

# As long as the signal is blocked, status does not report that registers are polled.
mkdir -m 700 ctl
timeout 60 "$regpin" run --ctl "$dir/ctl" --name blocked --policy wp.yaml --events ev -- "$sigvmm" block >out 2>err &
vmm=$!
await '"reason":"blocked"' ev
sleep 0.5
"$regpin" ctl --ctl "$dir/ctl" blocked status >status 2>&1
"$regpin" ctl --ctl "$dir/ctl" blocked status --json >status.json 2>&1
grep -q 'control registers NOT POLLED' status
ok $? "status reports that the control registers are not polled"
jq -se 'any(.[]; .control_registers == "not-polled") and any(.[]; .reached == false)' status.json >/dev/null
ok $? "status --json reports that the control registers are not polled"
sed 's/^/# /' status
wait "$vmm"
events_fit
echo "1..$nr"
exit $failed
