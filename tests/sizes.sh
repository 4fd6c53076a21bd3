#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: tests/sizes.sh FILE ..
#
# Prints each file that has more than 500 lines, and each function whose body has more than
# 60. A function begins with a line `{` or `(`, or with one that ends with ") {", and ends
# with the next line that begins with the closing bracket: in C, shell and awk.
set -uo pipefail
(($#)) || { echo "usage: tests/sizes.sh FILE .." >&2; exit 2; }

printf '%s\0' "$@" | LC_ALL=C xargs -0 awk '
	FNR == 1 { start = 0 }
	FNR == 501 { print FILENAME ": more than 500 lines"; bad = 1 }
	/^[{(]$/ || /^[A-Za-z_].*\) ?\{$/ { start = FNR }
	/^[})]/ {
		if (start && FNR - start - 1 > 60) {
			print FILENAME ":" start ": a function of " FNR - start - 1 " lines"
			bad = 1
		}
		start = 0
	}
	END { exit bad }'
