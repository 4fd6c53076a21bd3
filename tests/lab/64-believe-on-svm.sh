#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --timeout 900
# What sim and explain say against what guests live on the lab's KVM: 300 policies, and not
# those that the host's live test takes.
set -u
# shellcheck source=tests/lab/live.sh
source "$LAB_DIR/../tests/lab/live.sh"

export TMPDIR=/run
live believe "$build/tool/regpin" 300 5000
tap_end
