#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# sim.sh REGPIN POLICY TRACE: accesses that `regpin sim` gets through in a second of
# processor time, printing what comes of each.
set -eu
TIMEFORMAT='%U %S'
lines=$(wc -l <"$3")
{ read -r user system < <({ time "$1" sim --cr-filter "$2" "$3" >/dev/null; } 2>&1); }
awk -v lines="$lines" -v user="$user" -v kernel="$system" \
	'BEGIN { printf "%.0f\n", lines / (user + kernel) }'
