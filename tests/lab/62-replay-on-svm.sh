#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --timeout 900
# On the stock KVM: compares a guest's own writes with those replayed for it, and tests the
# registers that are not replayed because the host's write differs. docs/replay.md has the
# results.
set -u
# shellcheck source=tests/lab/live.sh
source "$LAB_DIR/../tests/lab/live.sh"

for name in differs perform replay; do
	live $name
done
tap_end
