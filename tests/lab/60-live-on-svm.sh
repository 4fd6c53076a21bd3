#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --timeout 900
# Each rule and action, and what KVM's filter does, on the stock KVM with SVM. Its model: 63;
# what a guest writes itself against what is replayed for it: 62.
set -u
# shellcheck source=tests/lab/live.sh
source "$LAB_DIR/../tests/lab/live.sh"

for name in rules lifecycle model_rules model_exits attach retract hold operate detect whole matrix when; do
	live $name
done
live vmm "$build/shim/libregpin-shim.so"
tap_end
