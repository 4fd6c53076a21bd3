#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --timeout 900
# Compares the output of sim and explain with guests on the lab's KVM: 300 policies, other
# ones than in the host's live test.
set -u
# shellcheck source=tests/lab/live.sh
source "$LAB_DIR/../tests/lab/live.sh"

export TMPDIR=/run
live believe "$build/tool/regpin" 300 5000
tap_end
