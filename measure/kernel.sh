#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What a control-register write costs, in instructions: runs in the lab's outer
# guest under icount. Prints "KEY NUMBER" lines. usage: kernel.sh NAME FILTER ...
set -u
name=$1
shift
# A toggle of TS doesn't leave the guest: enough of them that the one exit at the end
# of the loop does not show.
declare -A turns=([pge]=20000 [ts]=4000000)
for filter; do
	for bit in pge ts; do
		number=$("$REGPIN_LAB_WORK/cr-loop" $bit "$filter" "${turns[$bit]}") || exit
		echo "$name.$filter.$bit $number"
	done
done
