#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The cost of round trips, in instructions: runs in the lab's outer guest, whose clock
# counts an instruction as a nanosecond. Prints "KEY NUMBER" lines for ./bench.
set -u
# shellcheck source=tests/lab/lib.sh
source "$LAB_DIR/../tests/lab/lib.sh"
loop=$work/loop
# Fewer than the slots of the ring that violations may use (RING_SLOTS - RING_RESERVED), so
# that each event has a slot although no agent reads.
turns=3500
# These exits have no events, and are short: with more of them, a round of the control
# thread, every 200 ms, hardly counts.
port_turns=50000

# Stops the agent while the guest's turns are counted, once the VM has its policy: the agent
# shares the only CPU, but does not run on a vCPU's thread.
under() # POLICY COMMAND ...
{
	local policy=$1 status

	shift
	# shellcheck disable=SC2016 # for the shell that loop starts
	LOOP_READY='kill -STOP $(pgrep -f "^[^ ]*regpin run "); sleep 1' \
		"$regpin" run --store none --policy "$policy" --events /dev/null -- "$@"
	status=$?
	pkill -CONT -f '^[^ ]*regpin run ' || true
	return $status
}

measure() # KEY COMMAND ...
{
	local key=$1 out

	shift
	out=$("$@" 2>/run/out/bench.err) || { echo "bench: $key: $(tail -n 1 /run/out/bench.err)" >&2; return 1; }
	echo "$key $out"
}

echo 'version: 1
rules:
  - register: LSTAR
    uniform: true' >/run/lab/lstar.yaml
echo 'version: 1
rules:
  - register: IA32_PLATFORM_ID
    value: 42' >/run/lab/value.yaml
echo 'version: 1
detect: {every: 10ms}
rules:
  - register: LSTAR
    uniform: true
  - register: CR0
    sticky: [WP]
    optional: true
  - register: CR4
    sticky: [SMEP, SMAP, UMIP]
    optional: true' >/run/lab/detect.yaml

measure raw.write "$loop" raw write $turns
measure raw.read "$loop" raw read $turns
measure raw.gp "$loop" deny other $turns
measure raw.replay "$loop" replay write $turns
measure raw.port "$loop" plain port $port_turns
measure ours.denied under /run/lab/lstar.yaml "$loop" plain other $turns
measure ours.replayed under /run/lab/lstar.yaml "$loop" plain write $turns
measure ours.port under /run/lab/lstar.yaml "$loop" plain port $port_turns
measure ours.read under /run/lab/value.yaml "$loop" plain read $turns
# A vCPU that only computes, for a few seconds, and is polled every 10 ms.
measure spin.plain under /run/lab/lstar.yaml "$loop" plain spin 60000
measure spin.polled under /run/lab/detect.yaml "$loop" plain spin 60000

# In one guest: an RDMSR that QEMU answers, and one that regpin answers.
cat "$top/policies/linux.yaml" - >/run/lab/guest.yaml <<E
  - register: IA32_PLATFORM_ID
    value: 42
E
inner_start bench --kernel 6.12 --initrd "$work/guest-bench.gz" \
	--wrap "$regpin run --policy /run/lab/guest.yaml --events /dev/null --" || exit
inner_wait bench GUEST-READY 120 || exit
for msr in 0x35 0x17; do
	inner_do bench "echo $msr >/proc/bench && cat /proc/bench" 120
	echo "guest.$msr $INNER_REPLY"
done
inner_stop bench
