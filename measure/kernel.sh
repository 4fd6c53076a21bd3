#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The cost of a control-register write, in instructions: runs in the lab's outer
# guest under icount. Prints "KEY NUMBER" lines. usage: kernel.sh NAME FILTER ...
set -u
name=$1
shift
# A toggle of TS doesn't exit. There must be so many of them that the single exit at the
# end of the loop does not matter.
declare -A turns=([pge]=20000 [ts]=4000000)
for filter; do
	for bit in pge ts; do
		number=$("$REGPIN_LAB_WORK/cr-loop" $bit "$filter" "${turns[$bit]}") || exit
		echo "$name.$filter.$bit $number"
	done
done
