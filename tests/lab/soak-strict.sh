#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: host
# linux-strict.yaml on AMD's and Hygon's CPUs with the newest kernel that Debian has for 13, in
# its backports; REGPIN_BACKPORTS=7.3 asks for that series. What a kernel that is newer than the
# policy misses fails here, and the event names the register. Run by ./check soak.
set -u
# shellcheck source=tests/lab/backports.sh
source "$LAB_DIR/../tests/lab/backports.sh"

get_backports
exec "$LAB_DIR/outer" --timeout 850 --out "$LAB_OUT/svm" \
	--env "REGPIN_LAB_WORK=$REGPIN_LAB_WORK" --env "REGPIN_BUILD=$REGPIN_BUILD" "$top/tests/lab/strict.sh" \
	"hygon backports Dhyana,vendor=HygonGenuine,-svm HygonGenuine 24 0" \
	"family10 backports Opteron_G3,-svm AuthenticAMD 16 2" \
	"zen2 backports EPYC-Rome,-svm AuthenticAMD 23 49" \
	"zen3 backports EPYC-Milan,-svm AuthenticAMD 25 1" \
	"zen4 backports EPYC-Milan,model=17,-svm AuthenticAMD 25 17"
