#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --timeout 900
# Each rule and action, and KVM's filter, on the stock KVM with SVM. 63 tests the filter's
# model; 62 compares a guest's own writes with replayed ones.
set -u
# shellcheck source=tests/lab/live.sh
source "$LAB_DIR/../tests/lab/live.sh"

for name in rules lifecycle reset model_rules model_exits attach retract hold operate detect deadline whole matrix \
	when; do
	live $name
done
live vmm "$build/shim/libregpin-shim.so"
tap_end
