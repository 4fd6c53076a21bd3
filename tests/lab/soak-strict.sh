#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: host
# linux-strict.yaml on AMD's and Hygon's CPUs with the newest kernel that Debian has for 13,
# in its backports; REGPIN_BACKPORTS=7.3 chooses that series. If a kernel newer than the
# policy misses a register, this scenario fails, and the event names the register. ./check
# soak runs it.
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
