#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --timeout 900
# On the stock KVM: what a guest writes itself against what is replayed for it, and what is
# not replay because the host's write differs. docs/replay.md says what this has shown.
set -u
# shellcheck source=tests/lab/live.sh
source "$LAB_DIR/../tests/lab/live.sh"

for name in differs perform replay; do
	live $name
done
tap_end
