#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# sim.sh REGPIN POLICY TRACE: the number of accesses that `regpin sim` judges in a second
# of processor time, including the output.
set -eu
TIMEFORMAT='%U %S'
lines=$(wc -l <"$3")
{ read -r user system < <({ time "$1" sim --cr-filter "$2" "$3" >/dev/null; } 2>&1); }
awk -v lines="$lines" -v user="$user" -v kernel="$system" \
	'BEGIN { printf "%.0f\n", lines / (user + kernel) }'
